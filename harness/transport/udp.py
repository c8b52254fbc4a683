"""The UDP socket under a peer: read for all calls of a process at once, each datagram with the kernel's timestamp.

Once a connection is established, no packet wakes the event loop: 100 times a second, `UdpPort` reads what all sockets
have received. That costs a fraction of a wake-up per packet, and no accuracy, since the kernel timestamps a datagram on
arrival (SO_TIMESTAMPNS, socket(7)). On systems without such timestamps, the time of reading is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, Protocol

from harness.clock import NS_PER_S, Clock
from harness.transport.rtp import is_media

RECEIVE_BUFFER_BYTES = 512 * 1024
MOST_BYTES = 2048  # an Ethernet frame, and some
MOST_IN_ONE_READ = 2000
BELIEVED_NS = 10 * NS_PER_S  # an older timestamp means that the time of day was reset
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python has no name for it
_TIMESPEC = struct.Struct("@qq")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
_BINDING_REQUEST, _BINDING_RESPONSE = b"\x00\x01", b"\x01\x01"  # STUN message types (RFC 8489, 5)

OnMedia = Callable[[bytes, int], None]
OnLeft = Callable[[int], None]
Address = tuple[str, int]


class Reads(Protocol):
    """The asyncio protocol to which a socket passes everything but media."""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """A datagram arrived."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        ...


class UdpSocket(asyncio.DatagramTransport):
    """A socket as an asyncio transport; media bypasses its protocol.

    Attributes:
        rtt_ns: Round-trip time of the last STUN request that was answered; None before the first.
        came_ns: When the last datagram other than media arrived.
    """

    def __init__(self, port: UdpPort, family: socket.AddressFamily, on_media: OnMedia) -> None:
        super().__init__()
        self._port = port
        self._on_media = on_media
        self._protocol: Reads | None = None
        self._asked: dict[bytes, int] = {}
        self._settled = False
        self.rtt_ns: int | None = None
        self.came_ns = 0
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self.socket.setblocking(False)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            if sys.platform == "linux":
                self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            # All addresses of the machine: the kernel chooses the source address by destination.
            self.socket.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))  # noqa: S104 - see above
        except OSError:
            self.socket.close()
            raise
        self.port: int = self.socket.getsockname()[1]

    def serve(self, protocol: Reads) -> None:
        """Starts reading, at once for each datagram unless settled; all but media goes to `protocol`."""
        self._protocol = protocol
        if not self._settled:
            asyncio.get_running_loop().add_reader(self.socket, self._port.read_one, self)

    def settle(self) -> None:
        """Switches to reading and sending in batches, at the end of the pacer's slot."""
        if not self.is_closing() and not self._settled:
            self._settled = True
            asyncio.get_running_loop().remove_reader(self.socket)
            self._port.add(self)

    def received(self, data: bytes, address: Address, came_ns: int) -> None:
        """Handles a received datagram."""
        if is_media(data):
            self._on_media(data, came_ns)
        elif self._protocol is not None:
            self.came_ns = came_ns
            if data[:2] == _BINDING_RESPONSE and (asked_ns := self._asked.pop(data[8:20], None)) is not None:
                self.rtt_ns = came_ns - asked_ns
            self._protocol.datagram_received(data, address)

    def post(self, data: bytes, address: Address, on_left: OnLeft) -> None:
        """Queues a datagram for this slot of the pacer; `on_left` is called with its departure time (ns)."""
        self._port.outbox.append((self, data, address, on_left))

    def send(self, data: bytes, address: Address) -> None:
        """Sends a datagram; what the kernel refuses is lost, as in a network."""
        try:  # not `suppress`, which takes a third of the cost of sending
            self.socket.sendto(data, address)
        except OSError:
            return

    # -- asyncio.DatagramTransport -----------------------------------------------------------------------------------

    def sendto(self, data: Any, addr: Any = None) -> None:
        """See `asyncio.DatagramTransport`."""
        if data[:2] == _BINDING_REQUEST:
            if len(self._asked) > 100:
                self._asked.clear()
            self._asked[bytes(data[8:20])] = self._port.now_ns()
        self.send(data, addr)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See `asyncio.BaseTransport`."""
        if name == "sockname":
            return self.socket.getsockname()
        return self.socket if name == "socket" else default

    def is_closing(self) -> bool:
        """See `asyncio.BaseTransport`."""
        return self.socket.fileno() < 0

    def close(self) -> None:
        """Closes the socket. Safe to call twice."""
        if not self.is_closing():
            asyncio.get_running_loop().remove_reader(self.socket)
            self._port.remove(self)
            self.socket.close()
            if self._protocol is not None:
                asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)
                self._protocol = None

    def abort(self) -> None:
        """See `close`."""
        self.close()


class UdpPort:
    """All sockets of an event loop, written and read in batches. The pacer calls `flush` and `read`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.stamped = False
        """Whether the kernel timestamped the last datagram; otherwise its time is that of reading it."""
        self._selector: selectors.BaseSelector | None = None  # exists while there is a socket
        self.outbox: list[tuple[UdpSocket, bytes, Address, OnLeft]] = []
        self._epoch_ns = 0  # the monotonic clock's zero in the time of day
        self._buffer = bytearray(MOST_BYTES)
        self._view = memoryview(self._buffer)

    @property
    def sockets(self) -> int:
        """Number of open sockets."""
        return len(self._selector.get_map() or ()) if self._selector is not None else 0

    def add(self, one: UdpSocket) -> None:
        """Starts reading this socket."""
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
        self._selector.register(one.socket, selectors.EVENT_READ, one)

    def remove(self, one: UdpSocket) -> None:
        """Stops reading this socket."""
        if self._selector is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(one.socket)
            if not self._selector.get_map():
                self._selector.close()
                self._selector = None

    def now_ns(self) -> int:
        """The monotonic clock."""
        return self._clock.now_ns()

    def flush(self) -> None:
        """Sends the queued datagrams back to back, then reports to each its departure time.

        The first of them wakes the server, which costs the sender more than the packet does; the others find it awake.
        """
        left: list[tuple[OnLeft, int]] = []
        for one, data, address, on_left in self.outbox:
            left.append((on_left, self._clock.now_ns()))
            one.send(data, address)
        self.outbox.clear()
        for on_left, left_ns in left:
            on_left(left_ns)

    def read(self) -> None:
        """Reads all datagrams that have arrived."""
        self._set_epoch()
        left = MOST_IN_ONE_READ
        # Handling a datagram may close a socket, even the last one.
        while left > 0 and self._selector is not None and (ready := self._selector.select(0)):
            for key, _ in ready:
                left -= 1
                self._take_in(key.data)

    def read_one(self, one: UdpSocket) -> None:
        """Reads one datagram, if there is one."""
        self._set_epoch()
        self._take_in(one)

    def _set_epoch(self) -> None:
        self._epoch_ns = round(self._clock.utc().timestamp() * NS_PER_S) - self._clock.now_ns()

    def _take_in(self, one: UdpSocket) -> None:
        try:
            size, ancillary, _, address = one.socket.recvmsg_into([self._buffer], _ANCILLARY_BYTES)
        except OSError:  # nothing there after all, or an ICMP error for what was sent from it
            return
        now_ns = came_ns = self._clock.now_ns()
        self.stamped = False
        for _, kind, value in ancillary:
            if kind == _SO_TIMESTAMPNS and len(value) >= _TIMESPEC.size:
                seconds, nanoseconds = _TIMESPEC.unpack_from(value)
                stamp_ns = seconds * NS_PER_S + nanoseconds - self._epoch_ns
                if now_ns - BELIEVED_NS < stamp_ns <= now_ns:
                    came_ns, self.stamped = stamp_ns, True
        one.received(bytes(self._view[:size]), address[:2], came_ns)


def our_address(host: str, port: int = 9) -> str | None:
    """Our address from which a datagram to this IP address would leave; None if there is no route.

    Nothing is sent.
    """
    try:
        with socket.socket(family_of(host), socket.SOCK_DGRAM) as probe:
            probe.connect((host, port))
            ours: str = probe.getsockname()[0]
            return ours
    except OSError:
        return None


def family_of(host: str) -> socket.AddressFamily:
    """The address family of an IP address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
