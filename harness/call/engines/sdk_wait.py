"""How long a heard packet had waited in the SDK's jitter buffer, finer than the statistics tell it.

WebRTC counts a packet's wait in whole ticks of 10 ms: it takes audio at each tick, and what came 1 ms or 9 ms before it
waited one. The statistics also tell when the last packet came, to the microsecond, and the ticks are known from when
audio is handed to us. So the true wait is the counted one less the time from the tick before the packet to the packet:

    tick        tick        tick        tick
     |     packet|           |           | played
     |-early-|---------- true wait ------|
     |--------- counted: 3 ticks --------|

Where packets come close to a tick, some are counted one more than others. Then that choice of whole ticks is taken that
is nearest to the last answer, which keeps it from jumping to and fro.
"""

from __future__ import annotations

import math
from collections import deque

TICK_MS = 10.0
ARRIVALS = 9  # packets whose place between two ticks is remembered; the median leaves single late ones aside
LEAST_VECTOR = 0.5  # places spread over more of the tick than this tell nothing
SAME_MS = 5.5  # a count this near to the last answer, half a tick and some jitter, is no other wait


class JitterBufferWait:
    """Told of readings of the statistics, it tells how long packets wait now."""

    def __init__(self) -> None:
        self.wait_ms: float | None = None
        self._early_ms: deque[float] = deque(maxlen=ARRIVALS)

    def read(self, counted_ms: float | None, last_packet_ns: int | None, tick_ns: int | None) -> None:
        """A reading.

        Args:
            counted_ms: The mean wait, by the statistics, of the packets taken since the last reading; None for none.
            last_packet_ns: When the last packet came, on our clock; None where that was told before.
            tick_ns: Any one of the ticks; None while unknown.
        """
        if last_packet_ns is not None and tick_ns is not None:
            self._early_ms.append((last_packet_ns - tick_ns) / 1e6 % TICK_MS)
        if counted_ms is None:
            return
        early_ms = self._place()
        likely_ms = max(0.0, counted_ms - TICK_MS / 2)  # within half a tick of the truth
        if early_ms is None:
            self.wait_ms = likely_ms
            return
        target_ms = likely_ms
        if self.wait_ms is not None and abs(self.wait_ms - likely_ms) <= SAME_MS:
            target_ms = self.wait_ms
        ticks = round((target_ms + early_ms) / TICK_MS)
        self.wait_ms = max(0.0, ticks * TICK_MS - early_ms)

    def _place(self) -> float | None:
        """Where between two ticks packets come: the median around the circle that a tick is; None where all over it."""
        if not self._early_ms:
            return None
        angles = [2 * math.pi * early / TICK_MS for early in self._early_ms]
        x, y = sum(map(math.cos, angles)) / len(angles), sum(map(math.sin, angles)) / len(angles)
        if math.hypot(x, y) < LEAST_VECTOR:
            return None
        middle = math.atan2(y, x) / (2 * math.pi) * TICK_MS
        nearby = sorted((early - middle + TICK_MS / 2) % TICK_MS - TICK_MS / 2 for early in self._early_ms)
        return middle + nearby[len(nearby) // 2]
