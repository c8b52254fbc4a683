"""RTP packets (RFC 3550, 5.1) and the unwrapping of their counters. Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct("!BBHII")
_VERSION = 2
HEADER_BYTES = _HEADER.size


class RtpPacket(NamedTuple):
    """One packet, without its header extensions, contributing sources and padding."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def pack(payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool = False) -> bytes:
    """Builds a packet without extensions; counters are taken modulo their size."""
    second = payload_type | 0x80 if marker else payload_type
    return _HEADER.pack(_VERSION << 6, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def is_media(datagram: bytes) -> bool:
    """Whether a datagram is RTP or RTCP, rather than STUN or DTLS, which share its port (RFC 7983)."""
    return len(datagram) > 1 and 127 < datagram[0] < 192


def is_rtcp(datagram: bytes) -> bool:
    """Whether a packet is RTCP rather than RTP, which shares its port (RFC 5761, 4)."""
    return 191 < datagram[1] < 224


def ssrc_of(datagram: bytes) -> int | None:
    """The packet's SSRC, which SRTP does not encrypt; None if the packet is too short."""
    return int.from_bytes(datagram[8:12], "big") if len(datagram) >= HEADER_BYTES else None


def parse(datagram: bytes) -> RtpPacket | None:
    """Parses a (decrypted) datagram; None if it is not RTP or is truncated."""
    if len(datagram) < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first >> 6 != _VERSION:
        return None
    start, end = HEADER_BYTES + 4 * (first & 0x0F), len(datagram)
    if first & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4], "big")
    if first & 0x20:
        if end <= start or not 0 < datagram[-1] <= end - start:
            return None
        end -= datagram[-1]
    if end < start:
        return None
    return RtpPacket(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, datagram[start:end])


class Unwrapper:
    """Unwraps a counter; each value is taken to be the one nearest to the last.

    Args:
        bits: The counter's size: 16 for sequence numbers, 32 for timestamps.
    """

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """The unwrapped value; negative if it lies before the first one."""
        if self._last is None:
            self._last = value
        else:
            half = self._size >> 1
            self._last += (value - self._last + half) % self._size - half
        return self._last
