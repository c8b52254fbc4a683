"""The noise floor under a voice, learnt from the frames that hold none, and the thresholds that stand on it.

Powers are mean squares of frames of 10 ms, full scale being 1.

Sources: thresholds that follow the floor and its spread are common in energy detectors (ETSI ES 201 108 and ITU-T
G.729 Annex B have them). That speech falls to the floor within a second or two and noise never does is the idea of
minimum statistics (R. Martin, IEEE Trans. Speech and Audio Processing 9(5), 2001).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

TOP_FRAMES = 500  # the noise's highest levels are rare: they are known by 5 s of it
LEARN_FRAMES = 30  # 300 ms of floor before the detector arms
FLOOR_FRAMES = 200  # the floor is learnt anew over 2 s of unvoiced audio
RELEARN_FRAMES = 10
UNSETTLED_FRAMES = 8  # the newest frames may be a voice's beginning: they teach nothing yet


def power_of(dbfs: float) -> float:
    """A level as a power."""
    return float(10 ** (dbfs / 10))


FIRST_CAP = power_of(-48.0)  # at the stream's start, what is louder is a voice that was there first
CAP = power_of(-30.0)  # no line is noisier; what is steady and louder is a tone that someone plays
HIGH_OVER_FLOOR, HIGH_LEAST = power_of(9.0), power_of(-55.0)
LOW_OVER_FLOOR, LOW_LEAST = power_of(1.5), power_of(-62.0)
LOW_MOST_OVER_FLOOR = power_of(7.0)
SPREADS = 3.0  # in a Gaussian spread of levels, 3 times from the median to the 90th percentile are 3.8 sigma
USUAL_SPREAD = power_of(0.5)

STEADY_BLOCK = 10  # frames
STEADY_BLOCKS, STEADY_RANGE = 3, power_of(3.0)  # 300 ms that vary by 3 dB at most ...
LOWEST_BLOCKS, LOWEST_RANGE = 15, power_of(2.0)  # ... and nothing 2 dB lower in 1.5 s: no speech does that
QUIETEST_RANGE = power_of(
    11.5
)  # of the quietest fiftieth to the newest: a street has up to 10.2 dB, a voice 12.8 or more
STEADY_FRAMES = STEADY_BLOCK * LOWEST_BLOCKS


class NoiseFloor:
    """Learns from unvoiced frames; a voice is above `high` to be found, and above `low` to go on."""

    def __init__(self) -> None:
        self.learnt = 0
        self._quiet: list[float] = []
        self._long: deque[float] = deque(maxlen=TOP_FRAMES)
        self._age = 0
        self.high = HIGH_LEAST
        self.low = LOW_LEAST

    @classmethod
    def known(cls, frames: Sequence[float]) -> NoiseFloor:
        """The floor where noise is known beforehand: frames of it, at least `LEARN_FRAMES`."""
        floor = cls()
        floor.learnt = len(frames)
        floor._quiet = list(frames[-FLOOR_FRAMES:])
        floor._settle(sorted(frames), max(frames))
        return floor

    @property
    def armed(self) -> bool:
        """Whether enough has been heard to tell a voice."""
        return self.learnt >= LEARN_FRAMES

    def learn(self, power: float) -> None:
        """The power of the next frame without a voice."""
        self.learnt += 1
        self._age += 1
        self._long.append(power)
        quiet = self._quiet
        quiet.append(power)
        if self.learnt <= LEARN_FRAMES:
            if self.learnt == LEARN_FRAMES:
                self._set(min(FIRST_CAP, sorted(quiet)[len(quiet) // 5]), USUAL_SPREAD)
        elif self._age >= RELEARN_FRAMES:
            self._relearn()

    def _relearn(self) -> None:
        self._age = 0
        quiet = self._quiet
        del quiet[:-FLOOR_FRAMES]
        settled = quiet[:-UNSETTLED_FRAMES]
        if len(settled) < LEARN_FRAMES:
            return
        recent = max(settled[-LEARN_FRAMES:])  # a floor that fell is known after 300 ms
        settled.sort()
        self._settle(settled, recent)

    def _settle(self, settled: Sequence[float], recent: float) -> None:
        """The floor by ordered frames of noise."""
        median, upper = settled[len(settled) // 2], settled[len(settled) * 9 // 10]
        spread = upper / median if median > 0 else USUAL_SPREAD
        self._set(min(CAP, median, recent), spread)

    def take_back(self, count: int) -> None:
        """The last frames were a voice's beginning."""
        if count:
            del self._quiet[-count:]
        for _ in range(min(count, len(self._long))):
            self._long.pop()

    def recent(self) -> list[float]:
        """The newest frames of noise, up to 5 s of it."""
        return list(self._long)

    def restart(self, frames: Sequence[float]) -> None:
        """These frames are steady noise, and the floor from now on."""
        self._quiet = list(frames[-FLOOR_FRAMES:])
        self._long = deque(frames, maxlen=TOP_FRAMES)
        self._age = 0
        self._set(sum(frames) / len(frames), USUAL_SPREAD)

    def _set(self, floor: float, spread: float) -> None:
        self.high = max(HIGH_LEAST, floor * HIGH_OVER_FLOOR)
        self.low = max(LOW_LEAST, floor * max(LOW_OVER_FLOOR, min(spread**SPREADS, LOW_MOST_OVER_FLOOR)))


def is_steady_noise(frames: Sequence[float]) -> bool:
    """Whether the last 300 ms are what the last 1.5 s fall to again and again: noise, and no voice.

    A fluent voice may be as even over 100 ms, but never in its quietest frames.
    """
    size = len(frames)
    if size < STEADY_FRAMES:
        return False
    blocks = (sum(frames[end - STEADY_BLOCK : end]) for end in range(size, size - STEADY_FRAMES, -STEADY_BLOCK))
    newest = list(islice(blocks, STEADY_BLOCKS))
    mean = sum(newest) / STEADY_BLOCKS
    if mean > CAP * STEADY_BLOCK or max(newest) > STEADY_RANGE * min(newest):
        return False  # as most of a voice; the others are not even added up
    if min(*newest, *blocks) * LOWEST_RANGE < mean:
        return False
    last = sorted(frames[size - STEADY_FRAMES :])
    return last[STEADY_FRAMES // 50] * QUIETEST_RANGE * STEADY_BLOCK >= mean
