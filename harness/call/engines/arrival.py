"""Maps positions in a received stream to times: a line of slope one through recent arrivals.

A single arrival has the event loop's jitter; the median over two seconds does not.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

from harness.call.engines.line import NS_PER_SAMPLE
from harness.clock import NS_PER_S

WINDOW_NS = 2 * NS_PER_S
LEAST = 25  # arrivals kept whatever their age: after a pause of ours, the old ones are still the reliable ones
JUMP_NS = 60_000_000  # three arrivals further off than this mean that the stream moved, not jitter
JUMP_COUNT = 3


class ArrivalFit:
    """Takes arrival times and returns the arrival time of any sample."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, int]] = deque()
        self._ordered: list[int] = []  # the contents of `_recent`, sorted: a median each 20 ms at hardly any cost
        self._far: list[tuple[int, int]] = []
        self._offset_ns = 0

    def arrived(self, end_position: int, arrival_ns: int) -> None:
        """Records that the samples up to `end_position` (exclusive) arrived at `arrival_ns`."""
        start_ns = arrival_ns - round(end_position * NS_PER_SAMPLE)
        if self._recent and abs(start_ns - self._offset_ns) > JUMP_NS:
            self._far.append((arrival_ns, start_ns))
            if not self._moved():
                return
            self._recent = deque(self._far[-JUMP_COUNT:])
            self._ordered = sorted(start for _, start in self._recent)
        else:
            self._recent.append((arrival_ns, start_ns))
            insort(self._ordered, start_ns)
        self._far.clear()
        while len(self._recent) > LEAST and arrival_ns - self._recent[0][0] > WINDOW_NS:
            del self._ordered[bisect_left(self._ordered, self._recent.popleft()[1])]
        middle = len(self._ordered) // 2
        self._offset_ns = round((self._ordered[middle] + self._ordered[~middle]) / 2)

    def _moved(self) -> bool:
        """Whether the last outlying arrivals came at the pace of their audio.

        A backlog is read all at once: its arrivals show when it was read, not when it arrived.
        """
        if len(self._far) < JUMP_COUNT:
            return False
        (first_ns, first_start_ns), (last_ns, last_start_ns) = self._far[-JUMP_COUNT], self._far[-1]
        audio_ns = (last_ns - last_start_ns) - (first_ns - first_start_ns)
        return 2 * (last_ns - first_ns) >= audio_ns

    def soonest(self, position: int) -> int:
        """When the sample at `position` would have arrived without delay, by the earliest tenth of arrivals."""
        soonest_ns = self._ordered[len(self._ordered) // 10] if self._ordered else self._offset_ns
        return soonest_ns + round(position * NS_PER_SAMPLE)

    def time_of(self, position: int) -> int:
        """When the sample at `position` arrived, in nanoseconds."""
        return self._offset_ns + round(position * NS_PER_SAMPLE)
