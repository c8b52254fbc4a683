"""How long a heard packet had waited in the SDK's jitter buffer, finer than the statistics tell it.

WebRTC counts a packet's wait in whole ticks of 10 ms: it takes audio at each tick, and what came 1 ms or 9 ms before it
waited one. The statistics also tell when the last packet came, to the microsecond, and the ticks are known from when
audio is handed to us. So the true wait is the counted one less the time from the tick before the packet to the packet:

    tick        tick        tick        tick
     |     packet|           |           | played
     |-early-|---------- true wait ------|
     |--------- counted: 3 ticks --------|

Where packets come close to a tick, that leaves two answers, 10 ms apart. How many packets lie in the buffer when the
statistics are read, and how old the youngest is, tells which of them is true: those that lie there have waited less
than the wait, those that do not have waited all of it. Beside that wait, audio that is decoded may wait for its turn to
be played (`left_over_ms`).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

TICK_MS = 10.0
TICK_SAMPLES = 480
PACKET_MS = 20.0
ARRIVALS = 9  # packets whose place between two ticks is remembered; the median leaves single late ones aside
LEAST_VECTOR = 0.5  # places spread over more of the tick than this tell nothing
TICK_LATE_MS = 0.4  # audio comes to us so long after its tick, by two threads and the event loop
TICK_ERROR_MS = 0.8  # a packet this close to a tick may have come on its other side
SAME_MS = 5.8  # a count this near to the last answer, half a tick and some jitter, is no other wait
THROWN_READINGS = 20  # by how many readings it is told how many packets were thrown away
LEAST_READINGS = 6
SILENT_MS = 100.0  # no packet for so long: the buffer is empty
BOUNDS = 2  # readings whose bounds hold together
MOST_WAITING = 50
MOST_ALONE = 2  # LiveKit's SDK sends two packets at a time in silence
LEAST_TOLD = 5  # packets that came one after the other: whether copies come with them is told by no fewer
BOUND_ERROR_MS = 1.5  # the packets before the last one are taken to have come 20 ms apart


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answer of the statistics tells.

    Attributes:
        counted_ms: The mean wait, by the statistics, of the packets taken since the last reading; None for none.
        taken: How many packets that is the mean of.
        last_packet_ns: When the last packet came, on our clock; None where the last reading told the same.
        age_ms: How long before the reading the last packet came.
        waiting: How many packets came and were not taken: those in the buffer, and those that it threw away at first.
            Copies of packets (RED) are none.
        flowing: Whether packets came one after the other since the last reading, without a pause for silence.
    """

    counted_ms: float | None
    taken: int
    last_packet_ns: int | None
    age_ms: float
    waiting: int
    flowing: bool


class Discards:
    """How many of the packets that came the jitter buffer threw away, copies not counted.

    With RED each packet brings a copy of the one before, in case that was lost. It hardly ever was: WebRTC takes the
    copy apart, throws it away and counts it as a discarded packet, though it counts both as one that came. So where
    about as many were thrown away as came, those were copies.
    """

    def __init__(self) -> None:
        self._received = self._discarded = self._thrown = 0
        self._copies = False

    def read(self, received: int, discarded: int, *, flowing: bool) -> int:
        """What was thrown away up to this reading.

        Args:
            received: Packets that came, since the stream began.
            discarded: Packets and copies thrown away, likewise.
            flowing: See `Reading.flowing`. The first of a voice has no copy with it, nor those of silence.
        """
        came, gone = received - self._received, discarded - self._discarded
        self._received, self._discarded = received, discarded
        if flowing and came >= LEAST_TOLD:
            self._copies = 2 * gone > came
        if not self._copies:
            self._thrown += gone
        return self._thrown


def left_over_ms(stretched: int) -> float:
    """How much decoded audio lies ready after each tick: what is decoded next is played so much later.

    A packet of 20 ms fills two ticks and leaves nothing over. The jitter buffer inserts, removes and makes up audio by
    any number of samples, though, and the statistics count them.

    Args:
        stretched: Samples inserted, less those removed, plus those made up (concealed), at 48 kHz.
    """
    return stretched % TICK_SAMPLES / TICK_SAMPLES * TICK_MS


class JitterBufferWait:
    """Told of readings of the statistics, it tells how long packets wait now; None until it knows."""

    def __init__(self) -> None:
        self.wait_ms: float | None = None
        self._early_ms: deque[float] = deque(maxlen=ARRIVALS)
        self._recent: deque[Reading] = deque(maxlen=BOUNDS)
        self._surplus: deque[float] = deque(maxlen=THROWN_READINGS)
        self._thrown: int | None = None

    def read(self, reading: Reading, tick_ns: int | None) -> None:
        """A reading, and any one of the ticks, by when its audio came to us; None while unknown."""
        if reading.last_packet_ns is not None and tick_ns is not None:
            self._early_ms.append(((reading.last_packet_ns - tick_ns) / 1e6 + TICK_LATE_MS) % TICK_MS)
        self._recent.append(reading)
        if reading.age_ms > max(SILENT_MS, self.wait_ms or 0.0):
            self._thrown = reading.waiting
        early_ms = self._place()
        likely_ms = self.wait_ms
        if reading.counted_ms is not None:
            likely_ms = self._likely_ms(reading, reading.counted_ms, early_ms)
            if reading.flowing and reading.age_ms < PACKET_MS:
                # So many packets more than, by the wait, there can be in the buffer: on average thrown away ones.
                self._surplus.append(reading.waiting - (likely_ms - reading.age_ms) / PACKET_MS - 0.5)
        if likely_ms is None:
            return
        if early_ms is None:
            self.wait_ms = likely_ms
            return
        known = self.wait_ms is not None and abs(self.wait_ms - likely_ms) <= SAME_MS
        self.wait_ms = self._nearest(likely_ms, self.wait_ms if known else likely_ms, early_ms)

    def _likely_ms(self, reading: Reading, counted_ms: float, early_ms: float | None) -> float:
        """What a count says by itself: the truth within half a tick, or better where only packets of a silence came."""
        before_ms = TICK_MS / 2
        alone = reading.taken <= MOST_ALONE and reading.age_ms > counted_ms and reading.last_packet_ns is not None
        if alone and early_ms is not None:
            # The last one is among them, and it is known between which two ticks that came, and how late for a packet.
            last_ms = self._early_ms[-1]
            before_ms = last_ms - ((last_ms - early_ms + TICK_MS / 2) % TICK_MS - TICK_MS / 2)
            on_both_sides = counted_ms % TICK_MS > 0.1  # of a tick, and so counted differently
            if on_both_sides or min(last_ms, TICK_MS - last_ms) < TICK_ERROR_MS:
                before_ms += TICK_MS / 2 if last_ms < TICK_MS / 2 else -TICK_MS / 2
        return max(0.0, counted_ms - before_ms)

    def _nearest(self, likely_ms: float, target_ms: float | None, early_ms: float) -> float:
        """Of the waits that end on a tick the likeliest: within all bounds where one is, and near to the target."""
        middle = round((likely_ms + early_ms) / TICK_MS)
        waits = [ticks * TICK_MS - early_ms for ticks in range(middle - 1, middle + 2)]

        thrown = self._thrown_away()
        bounds = [_bounds(reading, reading.waiting - thrown) for reading in self._recent]

        def outside(wait_ms: float) -> int:
            return sum(not low - BOUND_ERROR_MS <= wait_ms <= high + BOUND_ERROR_MS for low, high in bounds)

        near_ms = likely_ms if target_ms is None else target_ms
        return max(0.0, min(waits, key=lambda wait_ms: (outside(wait_ms), abs(wait_ms - near_ms))))

    def _thrown_away(self) -> int:
        if self._thrown is not None:
            return self._thrown
        if len(self._surplus) < LEAST_READINGS:
            return 0
        return max(0, round(sum(self._surplus) / len(self._surplus)))

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


def _bounds(reading: Reading, waiting: int) -> tuple[float, float]:
    """Between what the wait lies: the oldest packet in the buffer has waited less, the one before it all of it."""
    if not 0 <= waiting <= MOST_WAITING:
        return 0.0, math.inf  # packets were counted that never came to the buffer
    low = reading.age_ms + (waiting - 1) * PACKET_MS if waiting else 0.0
    known = reading.flowing or not waiting
    return low, reading.age_ms + waiting * PACKET_MS if known else math.inf
