from __future__ import annotations

import struct

import pytest

from harness.transport import rtp


def test_a_packet_comes_back_as_it_was_packed() -> None:
    datagram = rtp.pack(111, 65_535, 2**32 - 1, 0xDEADBEEF, b"voice", marker=True)
    assert rtp.parse(datagram) == rtp.RtpPacket(111, True, 65_535, 2**32 - 1, 0xDEADBEEF, b"voice")


def test_counters_wrap_around_when_packed() -> None:
    packet = rtp.parse(rtp.pack(111, 65_536, 2**32 + 5, 1, b""))
    assert packet is not None
    assert (packet.sequence, packet.timestamp) == (0, 5)


def header(first: int, payload: bytes = b"") -> bytes:
    return struct.pack("!BBHII", first, 111, 1, 2, 3) + payload


def test_extensions_sources_and_padding_are_no_payload() -> None:
    sources = b"\0" * 8
    extension = struct.pack("!HH", 0xBEDE, 1) + b"\x10\xff\0\0"
    padded = b"voice" + b"\0\0\x03"
    packet = rtp.parse(header(0x80 | 0x20 | 0x10 | 2, sources + extension + padded))
    assert packet is not None
    assert packet.payload == b"voice"


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x80",
        header(0x80)[:11],
        header(0x40),  # version 1
        header(0x80 | 15),  # sixteen sources announced, none there
        header(0x90, b"\xbe"),  # a cut-off extension
        header(0x90, struct.pack("!HH", 0xBEDE, 9) + b"1234"),  # an extension longer than the packet
        header(0xA0),  # padding announced, none there
        header(0xA0, b"ab\x09"),  # more padding than packet
        header(0xA0, b"ab\x00"),  # padding of no bytes
    ],
)
def test_what_is_cut_off_or_no_rtp_is_none(datagram: bytes) -> None:
    assert rtp.parse(datagram) is None


def test_stun_dtls_rtp_and_rtcp_are_told_apart() -> None:
    assert not rtp.is_media(b"\x00\x01" + bytes(18))
    assert not rtp.is_media(b"\x16\xfe\xfd")
    assert not rtp.is_media(b"")
    packet = rtp.pack(111, 1, 1, 7, b"")
    assert rtp.is_media(packet)
    assert not rtp.is_rtcp(packet)
    assert not rtp.is_rtcp(rtp.pack(111, 1, 1, 7, b"", marker=True))
    assert rtp.is_rtcp(b"\x81\xc8" + bytes(26))
    assert rtp.ssrc_of(packet) == 7
    assert rtp.ssrc_of(packet[:11]) is None


def test_a_counter_is_unwrapped_in_both_directions() -> None:
    unwrap = rtp.Unwrapper(16).unwrap
    assert [unwrap(value) for value in (65_534, 65_535, 0, 1, 65_535, 2)] == [
        65_534,
        65_535,
        65_536,
        65_537,
        65_535,
        65_538,
    ]
    unwrap = rtp.Unwrapper(32).unwrap
    assert [unwrap(value) for value in (100, 2**32 - 860, 1060)] == [100, -860, 1060]
