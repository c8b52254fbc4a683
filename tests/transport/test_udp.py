"""Over real sockets of 127.0.0.1."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from harness.clock import NS_PER_S, SystemClock
from harness.transport import rtp
from harness.transport.udp import UdpPort, UdpSocket, our_address


class Protocol:
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()
        self.lost = asyncio.Event()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.came.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


class End:
    """A socket of ours, and the network's other end."""

    def __init__(self) -> None:
        self.port = UdpPort(SystemClock())
        self.media: list[tuple[bytes, int]] = []
        self.ours = UdpSocket(self.port, socket.AF_INET, lambda data, came_ns: self.media.append((data, came_ns)))
        self.protocol = Protocol()
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind(("127.0.0.1", 0))
        self.other.settimeout(5)

    def send(self, data: bytes) -> None:
        self.other.sendto(data, ("127.0.0.1", self.ours.port))


@pytest_asyncio.fixture
async def end() -> AsyncIterator[End]:
    one = End()
    yield one
    one.ours.close()
    one.other.close()


async def test_media_goes_past_the_protocol_with_the_time_at_which_it_came(end: End) -> None:
    end.ours.serve(end.protocol)
    end.ours.settle()
    before_ns = SystemClock().now_ns()
    end.send(rtp.pack(111, 1, 1, 1, b"voice"))
    end.send(b"\x16\xfe\xfd dtls")
    sent_ns = SystemClock().now_ns()
    await asyncio.sleep(0.05)  # it is read later: the time is the kernel's
    end.port.read()
    assert end.protocol.came.get_nowait() == b"\x16\xfe\xfd dtls"
    (data, came_ns), *_ = end.media
    assert data[-5:] == b"voice"
    assert before_ns - NS_PER_S // 1000 <= came_ns <= sent_ns + NS_PER_S // 1000


async def test_before_it_is_settled_datagrams_are_read_at_once(end: End) -> None:
    end.ours.serve(end.protocol)
    end.send(b"\x00\x01 stun")
    assert await asyncio.wait_for(end.protocol.came.get(), 5) == b"\x00\x01 stun"


async def test_what_is_posted_goes_with_the_flush_and_tells_when(end: End) -> None:
    end.ours.serve(end.protocol)
    left: list[int] = []
    before_ns = SystemClock().now_ns()
    for number in range(3):
        end.ours.post(bytes([number]), end.other.getsockname(), left.append)
    assert not left
    end.port.flush()
    assert [end.other.recv(10) for _ in range(3)] == [b"\0", b"\1", b"\2"]
    assert before_ns <= left[0] <= left[1] <= left[2] <= SystemClock().now_ns()


async def test_a_round_trip_is_measured_by_stun(end: End) -> None:
    end.ours.serve(end.protocol)
    end.ours.sendto(b"\x00\x01\0\0" + bytes(4) + b"transaction1", end.other.getsockname())
    assert end.other.recv(100)[8:20] == b"transaction1"
    end.send(b"\x01\x01\0\0" + bytes(4) + b"another-one1")
    end.send(b"\x01\x01\0\0" + bytes(4) + b"transaction1")
    for _ in range(2):
        await asyncio.wait_for(end.protocol.came.get(), 5)
    assert end.ours.rtt_ns is not None
    assert 0 <= end.ours.rtt_ns < NS_PER_S


async def test_closing_leaves_nothing_and_a_refused_datagram_breaks_nothing(end: End) -> None:
    end.ours.serve(end.protocol)
    end.ours.settle()
    gone = end.other.getsockname()
    end.other.close()
    end.ours.sendto(b"nobody is there", gone)
    end.port.read()
    end.ours.sendto(b"nor now", gone)
    end.ours.close()
    end.ours.close()
    async with asyncio.timeout(5):
        await end.protocol.lost.wait()
    assert end.port.sockets == 0
    end.port.read()
    end.port.flush()


def test_the_address_that_a_datagram_would_leave_from() -> None:
    assert our_address("127.0.0.1") == "127.0.0.1"
    assert our_address("::1") == "::1"
    assert our_address("no address") is None
