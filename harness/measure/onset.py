"""When a voice sets in and ends, to the millisecond, in audio that comes a block at a time.

An energy detector with hysteresis on a noise floor that it learns. Fixed thresholds and telephone VADs fire falsely
from noise of -50 dBFS on. The same code runs live and over a recording, so both give
the same numbers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.measure.level import power_dbfs

SAMPLE_RATE = 48_000
FRAME_MS = 10
FRAME = SAMPLE_RATE * FRAME_MS // 1000
FINE = SAMPLE_RATE // 1000  # 1 ms: how finely an onset is placed

LEARN_FRAMES = 30  # 300 ms of floor before the detector arms
FLOOR_FRAMES = 200  # the floor is learnt anew over 2 s of unvoiced audio
FLOOR_PERCENTILE = 50
FLOOR_CAP_DBFS = -48.0  # louder than this is a voice that was there first, not a floor
HIGH_OVER_FLOOR_DB, HIGH_LEAST_DBFS = 9.0, -55.0
LOW_OVER_FLOOR_DB, LOW_LEAST_DBFS = 4.0, -58.0
HIGH_OF, WINDOW = 5, 8  # 5 of 8 frames high: 50 ms of voice in 80; a click has less
BACK_FRAMES = 30  # an onset is dated back by 300 ms at most
HANG_FRAMES = 20  # 200 ms below the low threshold end a voice: longer than a stop consonant


@dataclass(frozen=True, slots=True)
class VoiceEdge:
    """A voice's onset or end: `position` is the sample it happened at, `found_at` the sample by which it was known."""

    edge: Literal["onset", "end"]
    position: int
    found_at: int
    level_dbfs: float


class OnsetDetector:
    """Finds onsets and ends in a stream of (frames,) int16 mono at 48 kHz; positions count from the stream's start."""

    def __init__(self) -> None:
        self.voiced = False
        self.position = 0
        self._rest = np.zeros(0, np.int16)
        self._levels: deque[float] = deque(maxlen=BACK_FRAMES + WINDOW)
        self._frames: deque[NDArray[np.int16]] = deque(maxlen=BACK_FRAMES + WINDOW)
        self._quiet: deque[float] = deque(maxlen=FLOOR_FRAMES)
        self._learnt = 0
        self._below = 0
        self._loudest = -96.0
        self._last_end_frame = -1
        self._frame_index = 0
        self._floor = HIGH_LEAST_DBFS - HIGH_OVER_FLOOR_DB
        self._floor_age = 0

    @property
    def high_dbfs(self) -> float:
        """Frames above it speak for a voice."""
        return max(HIGH_LEAST_DBFS, self._floor + HIGH_OVER_FLOOR_DB)

    @property
    def low_dbfs(self) -> float:
        """Frames above it belong to a voice that is there."""
        return max(LOW_LEAST_DBFS, self._floor + LOW_OVER_FLOOR_DB)

    def feed(self, samples: NDArray[np.int16]) -> list[VoiceEdge]:
        """The edges that became known by these samples, in order."""
        if self._rest.size:
            samples = np.concatenate([self._rest, samples])
        count = samples.size // FRAME
        self._rest = samples[count * FRAME :].copy()
        if not count:
            return []
        frames = samples[: count * FRAME].reshape(count, FRAME)
        powers = np.mean(np.square(frames.astype(np.float64)), axis=1)
        edges = []
        for frame, power in zip(frames, powers, strict=True):
            edge = self._step(frame, power_dbfs(float(power)))
            if edge is not None:
                edges.append(edge)
        return edges

    def _step(self, frame: NDArray[np.int16], level: float) -> VoiceEdge | None:
        self._levels.append(level)
        self._frames.append(frame)
        self._frame_index += 1
        self.position = self._frame_index * FRAME
        if self.voiced:
            return self._step_voiced(level)
        self._learn(level)
        if self._learnt < LEARN_FRAMES:
            return None
        recent = list(self._levels)
        high = self.high_dbfs
        newest = len(recent) - WINDOW
        # A voice that set in while the floor was learnt is found once it is, in the frames kept.
        oldest = 0 if self._learnt == LEARN_FRAMES else newest
        for first in range(oldest, newest + 1):
            if sum(value > high for value in recent[first : first + WINDOW]) >= HIGH_OF:
                return self._begin(recent, first)
        return None

    def _learn(self, level: float) -> None:
        self._learnt += 1
        self._quiet.append(level)
        self._floor_age += 1
        if self._learnt <= LEARN_FRAMES or self._floor_age >= 10:
            self._floor_age = 0
            # The frames of the last window may be a voice's beginning: they teach nothing yet.
            settled = list(self._quiet)[:-WINDOW] if len(self._quiet) > LEARN_FRAMES + WINDOW else list(self._quiet)
            percentile = FLOOR_PERCENTILE if len(settled) > LEARN_FRAMES else 20
            self._floor = min(FLOOR_CAP_DBFS, float(np.percentile(settled, percentile)))

    def _begin(self, recent: list[float], first: int) -> VoiceEdge:
        high, low = self.high_dbfs, self.low_dbfs
        at = next(index for index in range(first, len(recent)) if recent[index] > high)
        oldest_index = self._frame_index - len(recent)
        while at > 0 and recent[at - 1] > low and oldest_index + at - 1 > self._last_end_frame:
            at -= 1
        position = (oldest_index + at) * FRAME + self._refine(at, low)
        self.voiced = True
        self._below = 0
        self._loudest = max(recent[at:])
        # A voice's own frames are no floor.
        for _ in range(min(len(self._quiet), len(recent) - at)):
            self._quiet.pop()
        return VoiceEdge("onset", position, self.position, round(self._loudest, 1))

    def _refine(self, at: int, low: float) -> int:
        """Samples from the frame's start to the first millisecond above the low threshold."""
        return self._fine_edges(self._frames[at], low)[0]

    @staticmethod
    def _fine_edges(frame: NDArray[np.int16], low: float) -> tuple[int, int]:
        powers = np.mean(np.square(frame.astype(np.float64).reshape(FRAME_MS, FINE)), axis=1)
        above = [index for index, power in enumerate(powers) if power_dbfs(float(power)) > low]
        return (above[0] * FINE, (above[-1] + 1) * FINE) if above else (0, FRAME)

    def _step_voiced(self, level: float) -> VoiceEdge | None:
        self._loudest = max(self._loudest, level)
        self._below = 0 if level > self.low_dbfs else self._below + 1
        if self._below < HANG_FRAMES:
            return None
        last = len(self._frames) - HANG_FRAMES - 1
        last_frame = self._frame_index - HANG_FRAMES - 1
        fine = self._fine_edges(self._frames[last], self.low_dbfs)[1] if last >= 0 else FRAME
        self.voiced = False
        self._last_end_frame = last_frame
        loudest, self._loudest = self._loudest, -96.0
        return VoiceEdge("end", last_frame * FRAME + fine, self.position, round(loudest, 1))
