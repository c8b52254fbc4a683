"""How long a heard packet waited in the SDK's jitter buffer, more precisely than the statistics report it.

WebRTC counts a packet's wait in whole ticks of 10 ms: it takes audio at each tick, and a packet that arrived 1 ms or 9
ms before it has waited one. The statistics also say when the last packet arrived, to the microsecond, and the ticks are
known from when audio is delivered to us. So the true wait is the counted one minus the time from the tick before the
packet to the packet:

    tick        tick        tick        tick
     |     packet|           |           | played
     |-early-|---------- true wait ------|
     |--------- counted: 3 ticks --------|

When packets arrive close to a tick, that leaves two candidates, 10 ms apart. The number of packets in the buffer when
the statistics are read, and the age of the youngest, decide between them: packets in the buffer have waited less than
the wait, others have waited all of it. On top of that wait, decoded audio may wait for its turn to be played
(`left_over_ms`).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

TICK_MS = 10.0
TICK_SAMPLES = 480
PACKET_MS = 20.0
ARRIVALS = 9  # packets whose offset within a tick is kept; the median ignores single late ones
LEAST_VECTOR = 0.5  # offsets spread over more of the tick than this are meaningless
TICK_LATE_MS = 0.4  # audio reaches us this long after its tick, through two threads and the event loop
TICK_ERROR_MS = 0.8  # a packet this close to a tick may have arrived on its other side
SAME_MS = 5.8  # a count this close to the last result, half a tick and some jitter, is the same wait
THROWN_READINGS = 20  # number of readings from which discarded packets are estimated
LEAST_READINGS = 6
SILENT_MS = 100.0  # without a packet for this long, the buffer is empty
BOUNDS = 2  # number of readings whose bounds are combined
MOST_WAITING = 50
MOST_ALONE = 2  # LiveKit's SDK sends two packets at a time in silence
LEAST_TOLD = 5  # fewest consecutive packets that show whether copies come with them
BOUND_ERROR_MS = 1.5  # the packets before the last one are assumed to have arrived 20 ms apart


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the statistics.

    Attributes:
        counted_ms: Mean wait, as counted, of the packets taken since the last reading; None if there were none.
        taken: Number of packets in that mean.
        last_packet_ns: When the last packet arrived, on our clock; None if unchanged since the last reading.
        age_ms: Age of the last packet at the reading.
        waiting: Packets that arrived and were not taken: those in the buffer, and those that it discarded at the start.
            RED copies do not count.
        flowing: Whether packets arrived continuously since the last reading, without a pause for silence.
    """

    counted_ms: float | None
    taken: int
    last_packet_ns: int | None
    age_ms: float
    waiting: int
    flowing: bool


class Discards:
    """Counts the packets that the jitter buffer discarded, without copies.

    With RED each packet carries a copy of the one before, in case that was lost. That is rare: WebRTC unpacks the copy,
    discards it and counts it as a discarded packet, though it counts both as one received packet. So if about as many
    were discarded as received, those were copies.
    """

    def __init__(self) -> None:
        self._received = self._discarded = self._thrown = 0
        self._copies = False

    def read(self, received: int, discarded: int, *, flowing: bool) -> int:
        """The number of packets discarded up to this reading.

        Args:
            received: Packets received since the stream began.
            discarded: Packets and copies discarded since then.
            flowing: See `Reading.flowing`. The first packet of a voice carries no copy, nor do those of silence.
        """
        came, gone = received - self._received, discarded - self._discarded
        self._received, self._discarded = received, discarded
        if flowing and came >= LEAST_TOLD:
            self._copies = 2 * gone > came
        if not self._copies:
            self._thrown += gone
        return self._thrown


def left_over_ms(stretched: int) -> float:
    """Decoded audio left over after each tick, in ms: what is decoded next is played that much later.

    A packet of 20 ms fills two ticks exactly. The jitter buffer, though, inserts, removes and conceals any number of
    samples, which the statistics count.

    Args:
        stretched: Samples inserted, minus those removed, plus those concealed, at 48 kHz.
    """
    return stretched % TICK_SAMPLES / TICK_SAMPLES * TICK_MS


class JitterBufferWait:
    """Estimates from readings how long packets wait now; None until it is known."""

    def __init__(self) -> None:
        self.wait_ms: float | None = None
        self._early_ms: deque[float] = deque(maxlen=ARRIVALS)
        self._recent: deque[Reading] = deque(maxlen=BOUNDS)
        self._surplus: deque[float] = deque(maxlen=THROWN_READINGS)
        self._thrown: int | None = None

    def read(self, reading: Reading, tick_ns: int | None) -> None:
        """Processes a reading; `tick_ns` is when the audio of any one tick reached us, None if unknown."""
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
                # So many more packets than the wait allows to be in the buffer: on average the discarded ones.
                self._surplus.append(reading.waiting - (likely_ms - reading.age_ms) / PACKET_MS - 0.5)
        if likely_ms is None:
            return
        if early_ms is None:
            self.wait_ms = likely_ms
            return
        known = self.wait_ms is not None and abs(self.wait_ms - likely_ms) <= SAME_MS
        self.wait_ms = self._nearest(likely_ms, self.wait_ms if known else likely_ms, early_ms)

    def first_wait_ms(self, reading: Reading) -> float | None:
        """How long the first packet after a silence without packets waited; None if the reading does not tell.

        Its voice is joined to what concealed the silence, which shortens it: the next packet is taken a tick earlier.
        """
        early_ms = self._place()
        if reading.counted_ms is None or not 1 <= reading.taken <= MOST_ALONE or early_ms is None:
            return None
        early_ms %= TICK_MS
        if min(early_ms, TICK_MS - early_ms) < TICK_ERROR_MS:
            early_ms = TICK_MS / 2
        return math.ceil(reading.counted_ms / TICK_MS - 0.01) * TICK_MS - early_ms

    def _likely_ms(self, reading: Reading, counted_ms: float, early_ms: float | None) -> float:
        """The estimate from the count alone: true within half a tick, or better if only packets of a silence came."""
        before_ms = TICK_MS / 2
        alone = reading.taken <= MOST_ALONE and reading.age_ms > counted_ms and reading.last_packet_ns is not None
        if alone and early_ms is not None:
            # The last packet is among them, and known are the two ticks around its arrival, and how late it was.
            last_ms = self._early_ms[-1]
            before_ms = last_ms - ((last_ms - early_ms + TICK_MS / 2) % TICK_MS - TICK_MS / 2)
            on_both_sides = counted_ms % TICK_MS > 0.1  # of a tick, and so counted differently
            if on_both_sides or min(last_ms, TICK_MS - last_ms) < TICK_ERROR_MS:
                before_ms += TICK_MS / 2 if last_ms < TICK_MS / 2 else -TICK_MS / 2
        return max(0.0, counted_ms - before_ms)

    def _nearest(self, likely_ms: float, target_ms: float | None, early_ms: float) -> float:
        """Of the waits that end on a tick, the one within most bounds, then nearest to the target."""
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
        """Packets' offset within a tick: the median on the circle of a tick; None if they are spread all over it."""
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
    """Bounds of the wait: the oldest packet in the buffer has waited less, the one before it all of it."""
    if not 0 <= waiting <= MOST_WAITING:
        return 0.0, math.inf  # packets were counted that never reached the buffer
    low = reading.age_ms + (waiting - 1) * PACKET_MS if waiting else 0.0
    known = reading.flowing or not waiting
    return low, reading.age_ms + waiting * PACKET_MS if known else math.inf
