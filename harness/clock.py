"""The only place that reads time. Everything else is given a `Clock`, so that tests can pass their own."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Monotonic time for measuring, wall-clock time for people, and sleeping until a deadline."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds; one clock for all processes of this machine (CLOCK_MONOTONIC)."""
        ...

    def utc(self) -> datetime:
        """The time of day, for reports only."""
        ...

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        """Returns at `deadline_ns` or, if that has passed, at the event loop's next iteration."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """See `Clock.now_ns`."""
        return time.monotonic_ns()

    def utc(self) -> datetime:
        """See `Clock.utc`."""
        return datetime.now(UTC)

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        """See `Clock.sleep_until_ns`."""
        await asyncio.sleep(max(0, deadline_ns - time.monotonic_ns()) / NS_PER_S)


def ms(duration_ns: float) -> float:
    """Nanoseconds as milliseconds, to the microsecond."""
    return round(duration_ns / NS_PER_MS, 3)


def s_to_ns(seconds: float) -> int:
    """Seconds as nanoseconds."""
    return round(seconds * NS_PER_S)
