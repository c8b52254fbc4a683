"""A clock that moves only when `advance` is called or when someone sleeps on it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from harness.clock import NS_PER_S, s_to_ns


class FakeClock:
    """Starts at 0 ns and at `start`; sleeping returns at once, with the clock moved to the deadline.

    Args:
        start: The time of day at 0 ns.
    """

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._now_ns = 0
        self.slept_s: list[float] = []
        """All sleeps in order, in seconds."""

    def now_ns(self) -> int:
        """Nanoseconds since this clock was created."""
        return self._now_ns

    def utc(self) -> datetime:
        """The time of day."""
        return self._start + timedelta(seconds=self._now_ns / NS_PER_S)

    def advance(self, seconds: float) -> None:
        """Moves the clock forward."""
        self._now_ns += s_to_ns(seconds)

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        """Moves the clock to `deadline_ns` if that is in the future."""
        wait_ns = max(0, deadline_ns - self._now_ns)
        self.slept_s.append(wait_ns / NS_PER_S)
        self._now_ns += wait_ns
        await asyncio.sleep(0)
