"""The noise floor, learnt from unvoiced frames, and the detection thresholds derived from it.

Powers are mean squares of 10 ms frames, full scale 1.

Sources: thresholds that follow the floor and its spread are common in energy detectors (ETSI ES 201 108 and ITU-T
G.729 Annex B have them). Minimum statistics (R. Martin, IEEE Trans. Speech and Audio Processing 9(5), 2001) contributes
the observation that speech drops to the floor within a second or two, and noise never does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

TOP_FRAMES = 500  # the noise's highest levels are rare: it takes 5 s to know them
LEARN_FRAMES = 30  # 300 ms of noise arm the detector
FLOOR_FRAMES = 200  # the floor is re-estimated over the last 2 s of unvoiced audio
RELEARN_FRAMES = 10
UNSETTLED_FRAMES = 8  # the newest frames may be the start of a voice, so they are not used yet


def power_of(dbfs: float) -> float:
    """Converts a level in dB (or dBFS) to a power ratio."""
    return float(10 ** (dbfs / 10))


FIRST_CAP = power_of(-48.0)  # anything louder at the start of the stream is a voice already in progress
CAP = power_of(-30.0)  # no line is noisier; a steady louder sound is a tone that someone plays
HIGH_OVER_FLOOR, HIGH_LEAST = power_of(9.0), power_of(-55.0)
LOW_OVER_FLOOR, LOW_LEAST = power_of(1.5), power_of(-62.0)
LOW_MOST_OVER_FLOOR = power_of(7.0)
SPREADS = 3.0  # with Gaussian levels, 3 times the distance from median to 90th percentile is 3.8 sigma
USUAL_SPREAD = power_of(0.5)

STEADY_BLOCK = 10  # frames
STEADY_BLOCKS, STEADY_RANGE = 3, power_of(3.0)  # 300 ms that vary by at most 3 dB ...
LOWEST_BLOCKS, LOWEST_RANGE = 15, power_of(2.0)  # ... and nothing 2 dB lower in 1.5 s: speech never does that
QUIETEST_RANGE = power_of(
    11.5
)  # from the quietest 2 % of frames to the newest: up to 10.2 dB in street noise, at least 12.8 dB in speech
STEADY_FRAMES = STEADY_BLOCK * LOWEST_BLOCKS


class NoiseFloor:
    """Learns the noise floor from unvoiced frames. A voice starts above power `high` and continues above `low`."""

    def __init__(self) -> None:
        self.learnt = 0
        self._quiet: list[float] = []
        self._long: deque[float] = deque(maxlen=TOP_FRAMES)
        self._age = 0
        self.high = HIGH_LEAST
        self.low = LOW_LEAST

    @classmethod
    def known(cls, frames: Sequence[float]) -> NoiseFloor:
        """A floor for noise that is known in advance: the powers of at least `LEARN_FRAMES` of its frames."""
        floor = cls()
        floor.learnt = len(frames)
        floor._quiet = list(frames[-FLOOR_FRAMES:])
        floor._settle(sorted(frames), max(frames))
        return floor

    @property
    def armed(self) -> bool:
        """Whether enough noise has been heard to detect a voice."""
        return self.learnt >= LEARN_FRAMES

    def learn(self, power: float) -> None:
        """Adds the power of the next unvoiced frame."""
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
        recent = max(settled[-LEARN_FRAMES:])  # follows a falling floor after 300 ms
        settled.sort()
        self._settle(settled, recent)

    def _settle(self, settled: Sequence[float], recent: float) -> None:
        """Sets the floor from sorted frame powers of noise."""
        median, upper = settled[len(settled) // 2], settled[len(settled) * 9 // 10]
        spread = upper / median if median > 0 else USUAL_SPREAD
        self._set(min(CAP, median, recent), spread)

    def take_back(self, count: int) -> None:
        """Removes the last `count` frames, which were the start of a voice."""
        if count:
            del self._quiet[-count:]
        for _ in range(min(count, len(self._long))):
            self._long.pop()

    def recent(self) -> list[float]:
        """The powers of the newest noise frames, up to 5 s."""
        return list(self._long)

    def restart(self, frames: Sequence[float]) -> None:
        """Replaces the floor by these frames of steady noise."""
        self._quiet = list(frames[-FLOOR_FRAMES:])
        self._long = deque(frames, maxlen=TOP_FRAMES)
        self._age = 0
        self._set(sum(frames) / len(frames), USUAL_SPREAD)

    def _set(self, floor: float, spread: float) -> None:
        self.high = max(HIGH_LEAST, floor * HIGH_OVER_FLOOR)
        self.low = max(LOW_LEAST, floor * max(LOW_OVER_FLOOR, min(spread**SPREADS, LOW_MOST_OVER_FLOOR)))


def is_steady_noise(frames: Sequence[float]) -> bool:
    """Whether the last 300 ms are at the level to which the last 1.5 s return repeatedly, so noise and not voice.

    A fluent voice may be this steady over 100 ms, but not at the level of its quietest frames.
    """
    size = len(frames)
    if size < STEADY_FRAMES:
        return False
    blocks = (sum(frames[end - STEADY_BLOCK : end]) for end in range(size, size - STEADY_FRAMES, -STEADY_BLOCK))
    newest = list(islice(blocks, STEADY_BLOCKS))
    mean = sum(newest) / STEADY_BLOCKS
    if mean > CAP * STEADY_BLOCK or max(newest) > STEADY_RANGE * min(newest):
        return False  # the common case within a voice; the remaining (lazy) blocks are never summed
    if min(*newest, *blocks) * LOWEST_RANGE < mean:
        return False
    last = sorted(frames[size - STEADY_FRAMES :])
    return last[STEADY_FRAMES // 50] * QUIETEST_RANGE * STEADY_BLOCK >= mean
