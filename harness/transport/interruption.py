"""An interruption of a room's line, from the loss of signalling until all is well: both ends are reported once."""

from __future__ import annotations

import asyncio

from harness.clock import NS_PER_S, Clock
from harness.transport.room_events import RoomEvents


class Interruption:
    """Tracks whether a room's line is interrupted, and reports both ends of an interruption to `events`."""

    def __init__(self, clock: Clock, events: RoomEvents) -> None:
        self._clock = clock
        self._events = events
        self._since_ns: int | None = None
        self._over_timer: asyncio.TimerHandle | None = None
        self._publishing_again = False
        self._ended = False
        self.why = ""
        """Why the line was lost when the interruption began."""

    def lost(self, why: str) -> float:
        """Signalling was lost, perhaps not for the first time; returns how long the interruption has lasted (s)."""
        now_ns = self._clock.now_ns()
        if self._over_timer is not None:
            self._over_timer.cancel()
        if self._since_ns is None:
            self._since_ns, self.why = now_ns, why
            self._events.reconnecting(now_ns, why)
        return (now_ns - self._since_ns) / NS_PER_S

    def publishes_again(self) -> None:
        """We publish again: it is not over before `published_again`."""
        self._publishing_again = True

    def published_again(self, how: str) -> None:
        """We have published again; that ends the interruption, unless it is to end later."""
        self._publishing_again = False
        if self._over_timer is None:
            self.over(how)

    def over_in(self, wait_s: float, how: str) -> None:
        """Signalling was resumed: it is over after `wait_s`, or earlier by `over`."""
        self._over_timer = asyncio.get_running_loop().call_later(wait_s, self.over, how)

    def over(self, how: str) -> None:
        """Ends the interruption, if there is one and we do not publish again."""
        if self._over_timer is not None:
            self._over_timer.cancel()
            self._over_timer = None
        if self._since_ns is not None and not self._ended and not self._publishing_again:
            self._since_ns = None
            self._events.reconnected(self._clock.now_ns(), how)

    def end(self) -> None:
        """The room is over: nothing is reported from now on."""
        self._ended = True
        if self._over_timer is not None:
            self._over_timer.cancel()
