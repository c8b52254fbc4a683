"""What all rooms of an event loop share."""

from __future__ import annotations

from harness.clock import Clock
from harness.transport.pacer import Pacer
from harness.transport.udp import UdpPort


class TransportHub:
    """The pacer, and the port with the sockets of all rooms."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.port = UdpPort(clock)
        self.pacer = Pacer(clock, flush=self.port.flush, read=self.port.read)
