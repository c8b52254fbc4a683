"""When the caller's audio came to the agents' sockets: a process that looks at the loopback interface.

It shares no code with the harness, and tells both sides of a bench by the same measure: the kernel's stamp of each RTP
packet on its way to one of the given UDP ports (packet(7); needs root), against the packet's own RTP time. A kernel
filter lets nothing else through. It takes a line of JSON, `{"ports": […], "seconds": …}`, and gives one for each stream
to a port: how many packets, and how many were late or lost.

A stream's own offset is the median of its packets, so a constant delay is not held against it.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import statistics
import struct
import sys
import time
from collections import defaultdict
from collections.abc import Iterable

LATE_MS = 20.0
RTP_RATE = 48_000
_ALL_PROTOCOLS = 0x0003
_SO_TIMESTAMPNS = 35
_SO_ATTACH_FILTER = 26
_UDP_AT = 14 + 20  # behind Ethernet's header and IPv4's, which has no options here
_RTP_AT = _UDP_AT + 8
_RTP = struct.Struct("!BBHII")  # RFC 3550, 5.1
_HEADERS = _RTP_AT + _RTP.size
_BUFFER = 32 << 20

Packet = tuple[int, int, int]
"""Arrival (ns), sequence number, RTP time."""


def to_ports(ports: Iterable[int]) -> bytes:
    """A classic BPF program that lets IPv4's UDP packets to these ports through, once each, and of each its headers."""
    program = [
        (0x28, 0, 0, 0xFFFFF004),  # ldh packet type (SKF_AD_PKTTYPE): on loopback each is seen leaving and coming
        (0x15, 0, 1, 4),  # leaving (PACKET_OUTGOING): on
        (0x06, 0, 0, 0),  # ret 0
        (0x28, 0, 0, 12),  # ldh ethertype
        (0x15, 1, 0, 0x0800),
        (0x06, 0, 0, 0),
        (0x30, 0, 0, 23),  # ldb protocol
        (0x15, 1, 0, socket.IPPROTO_UDP),
        (0x06, 0, 0, 0),
        (0x28, 0, 0, _UDP_AT + 2),  # ldh destination port
    ]
    for port in ports:
        program += [(0x15, 0, 1, port), (0x06, 0, 0, _HEADERS)]
    program.append((0x06, 0, 0, 0))
    return b"".join(struct.pack("HBBI", *each) for each in program)


def sniff(ports: Iterable[int], seconds: float) -> dict[tuple[int, int], list[Packet]]:
    """The RTP packets to these ports, by port and SSRC.

    Raises:
        PermissionError: Not root.
    """
    code = ctypes.create_string_buffer(to_ports(ports))
    filtering = struct.pack("HP", len(code.raw) // 8, ctypes.addressof(code))
    streams: dict[tuple[int, int], list[Packet]] = defaultdict(list)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
        raw.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filtering)
        raw.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        raw.bind(("lo", _ALL_PROTOCOLS))
        raw.settimeout(0.2)
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            try:
                data, told, *_ = raw.recvmsg(_HEADERS, 64)
            except TimeoutError:
                continue
            if len(data) < _HEADERS:
                continue
            first, kind, sequence, rtp_time, ssrc = _RTP.unpack_from(data, _RTP_AT)
            if 128 <= first <= 191 and not 192 <= kind <= 223:  # RFC 7983; RFC 5761 for RTCP
                second, ns = struct.unpack("qq", told[0][2][:16])
                port = struct.unpack_from("!H", data, _UDP_AT + 2)[0]
                streams[port, ssrc].append((second * 10**9 + ns, sequence, rtp_time))
    return streams


def lateness(packets: list[Packet]) -> tuple[int, int]:
    """How many packets should have come, and how many of them were late or did not."""
    came_ns, first_sequence, first_time = packets[0]
    offsets_ms, sequences = [], []
    for arrival_ns, sequence, rtp_time in packets:
        sequences.append((sequence - first_sequence + 2**15) % 2**16 - 2**15)
        since = (rtp_time - first_time + 2**31) % 2**32 - 2**31
        offsets_ms.append((arrival_ns - came_ns) / 1e6 - since * 1000 / RTP_RATE)
    middle_ms = statistics.median(offsets_ms)
    late = sum(abs(offset_ms - middle_ms) > LATE_MS for offset_ms in offsets_ms)
    expected = max(sequences) - min(sequences) + 1
    return expected, late + expected - len(set(sequences))


def main() -> None:
    """The process; it stands back behind what it looks at, which the kernel's stamps do not mind."""
    os.nice(10)
    order = json.loads(sys.stdin.readline())
    for (port, _), packets in sniff(order["ports"], order["seconds"]).items():
        expected, late = lateness(packets)
        sys.stdout.write(json.dumps({"port": port, "packets": expected, "late": late}) + "\n")


if __name__ == "__main__":
    main()
