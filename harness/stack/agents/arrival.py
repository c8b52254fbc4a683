"""When a sample of a stream arrived, from the times at which its frames did."""

from __future__ import annotations

import statistics
from collections import deque

from harness.clock import NS_PER_S

WINDOW_S = 2.0


class ArrivalClock:
    """Fits a stream's position to the monotonic clock.

    One frame's time has the event loop's jitter in it; the median of two seconds' frames has not.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frames: deque[tuple[int, int]] = deque()

    def arrived(self, end: int, at_ns: int) -> None:
        """A frame whose last sample lies before position `end` arrived at `at_ns`."""
        self._frames.append((end, at_ns - end * NS_PER_S // self._rate_hz))
        while self._frames[0][0] < end - WINDOW_S * self._rate_hz:
            self._frames.popleft()

    def at_ns(self, position: int) -> int:
        """When the sample at `position` arrived (monotonic ns); needs one frame or more."""
        offset_ns = statistics.median_low(offset for _, offset in self._frames)
        return position * NS_PER_S // self._rate_hz + offset_ns
