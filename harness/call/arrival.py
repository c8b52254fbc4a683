"""From positions in a received stream to times: a line of slope one through recent arrivals.

A single arrival jitters with the event loop; the median of two seconds of them does not.
"""

from __future__ import annotations

import statistics
from collections import deque

from harness.call.engines.line import NS_PER_SAMPLE
from harness.clock import NS_PER_S

WINDOW_NS = 2 * NS_PER_S
JUMP_NS = 60_000_000  # three arrivals further off than this have moved the stream, not jittered
JUMP_COUNT = 3


class ArrivalFit:
    """Told when samples arrived, it tells when any sample arrived."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, int]] = deque()
        self._far = 0
        self._offset_ns = 0

    def arrived(self, end_position: int, arrival_ns: int) -> None:
        """The samples up to `end_position` (not included) came at `arrival_ns`."""
        start_ns = arrival_ns - round(end_position * NS_PER_SAMPLE)
        if self._recent and abs(start_ns - self._offset_ns) > JUMP_NS:
            self._far += 1
            if self._far >= JUMP_COUNT:
                self._recent.clear()
        else:
            self._far = 0
        self._recent.append((arrival_ns, start_ns))
        while arrival_ns - self._recent[0][0] > WINDOW_NS:
            self._recent.popleft()
        self._offset_ns = round(statistics.median(start for _, start in self._recent))

    def time_of(self, position: int) -> int:
        """When the sample at `position` arrived, in nanoseconds."""
        return self._offset_ns + round(position * NS_PER_SAMPLE)
