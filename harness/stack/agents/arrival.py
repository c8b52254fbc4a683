"""Estimates when each sample of a stream arrived, from the arrival times of its frames."""

from __future__ import annotations

import statistics
from collections import deque

from harness.clock import NS_PER_S

WINDOW_S = 2.0


class ArrivalClock:
    """Maps a stream's sample positions to the monotonic clock.

    A single frame's arrival time includes event-loop jitter; the median over two seconds of frames removes it.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frames: deque[tuple[int, int]] = deque()

    def arrived(self, end: int, at_ns: int) -> None:
        """Records that the frame that ends at position `end` (exclusive, in samples) arrived at `at_ns`."""
        self._frames.append((end, at_ns - end * NS_PER_S // self._rate_hz))
        while self._frames[0][0] < end - WINDOW_S * self._rate_hz:
            self._frames.popleft()

    def at_ns(self, position: int) -> int:
        """Arrival time of the sample at `position` (monotonic ns); needs at least one frame."""
        offset_ns = statistics.median_low(offset for _, offset in self._frames)
        return position * NS_PER_S // self._rate_hz + offset_ns
