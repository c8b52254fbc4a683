"""The quality of a stretch of voice as received: level, clipping and dropouts.

The meter is fed all audio and told a voice's position at its end, so that the block size does not affect the numbers.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.hearing.level import FULL_SCALE, peak, power_dbfs

SAMPLE_RATE = 48_000
FINE = SAMPLE_RATE // 1000  # 1 ms
FRAME = 10 * FINE
KEPT_FRAMES = 64  # longer than an onset is backdated

# The active speech level of ITU-T P.56, over 10 ms frames instead of its envelope: the mean over the frames at most
# 15.9 dB (the margin) below that mean.
MARGIN = 10**-1.59
ROUNDS = 20

CLIPPED = round(0.99 * FULL_SCALE)  # a codec moves clipped peaks: about a quarter of them survives Opus
CLIPPED_RUN = 3  # samples: an unclipped peak is shorter
LOUD = 2 * CLIPPED**2  # a clipped run has two samples in one millisecond, so a block without this energy has no run

# A voice decays over tens of milliseconds; one that drops from near its active level to far below it in 6 ms was cut.
# After Opus, which smears the edge, this finds four of five gaps of 20 to 60 ms and none in 29 clean recordings of a
# neural voice. A robotic voice itself breaks off between words.
DROP_FROM_DB, DROP_TO_DB = -8.0, -30.0  # relative to the active level
DROP_WITHIN_MS, DROP_LEAST_MS = 6, 15
SET_IN_MS, SET_IN_GAP_MS = 250, 20  # a consonant before the first vowel is shorter, and has no such gap
SET_IN_SHARE = 10**-4.0


@dataclass(frozen=True, slots=True)
class VoiceQuality:
    """The quality of one stretch: its active level over `active_ms`, its clipped share of samples, its dropouts."""

    level_dbfs: float
    active_ms: int
    clipped: float
    dropouts: int
    dropout_ms: int


class VoiceMeter:
    """Measures voices in a stream of (frames,) int16 mono at 48 kHz; positions count from the stream's start."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.int16)
        self._powers = array("d")  # of each millisecond
        self._clipped = array("i")  # clipped samples in each frame
        self._first = 0  # index of the first frame in the arrays
        self._since: int | None = None

    def feed(self, samples: NDArray[np.int16]) -> None:
        """Adds the next samples."""
        if self._rest.size:
            samples = np.concatenate([self._rest, samples])
        count = samples.size // FRAME
        if self._rest.size or count * FRAME < samples.size:
            self._rest = samples[count * FRAME :].copy()
        if not count:
            return
        whole = samples[: count * FRAME]
        fine = whole.reshape(-1, FINE).astype(np.float64)
        squares = np.vecdot(fine, fine)
        self._powers.frombytes((squares / FINE).tobytes())
        if squares.max() >= LOUD and peak(whole) >= CLIPPED:
            self._clipped.extend(_clipped(frame) for frame in whole.reshape(count, FRAME))
        else:
            self._clipped.frombytes(bytes(count * self._clipped.itemsize))
        if self._since is None:
            self._forget(self._first + len(self._clipped) - KEPT_FRAMES)

    def skip(self, count: int) -> None:
        """Same as `feed` with `count` zeros."""
        if self._rest.size or count % FRAME:
            self.feed(np.zeros(count, np.int16))
            return
        frames = count // FRAME
        self._powers.frombytes(bytes(frames * FRAME // FINE * self._powers.itemsize))
        self._clipped.frombytes(bytes(frames * self._clipped.itemsize))
        if self._since is None:
            self._forget(self._first + len(self._clipped) - KEPT_FRAMES)

    def begin(self, position: int) -> None:
        """Marks the start of a voice at `position`; everything is kept from now until `end`."""
        self._since = position

    def set_in_before(self, position: int) -> int:
        """The start of the sound that leads into a voice's first pitch at `position`: after the last gap of 20 ms."""
        at_ms = position // FINE - self._first * 10
        first_ms = max(0, (self._since or 0) // FINE - self._first * 10, at_ms - SET_IN_MS)
        powers = np.frombuffer(self._powers, np.float64)[first_ms : at_ms + 40].copy()
        loud = powers > powers.max() * SET_IN_SHARE
        before = at_ms - first_ms
        while before > 0 and loud[max(0, before - SET_IN_GAP_MS) : before].any():
            before -= 1
        return (first_ms + before + self._first * 10) * FINE

    def end(self, position: int) -> VoiceQuality:
        """Ends the current voice at `position`; returns its quality."""
        start_ms = max(0, (self._since or 0) // FINE - self._first * 10)
        end_ms = max(start_ms + 1, -(-position // FINE) - self._first * 10)
        powers = np.frombuffer(self._powers, np.float64)[start_ms:end_ms].copy()
        clipped = sum(self._clipped[start_ms // 10 : -(-end_ms // 10)])
        self._since = None
        self._forget(self._first + len(self._clipped) - KEPT_FRAMES)
        level_dbfs, active_ms = active_level(powers)
        gaps = dropouts_ms(powers, level_dbfs)
        return VoiceQuality(
            level_dbfs=round(level_dbfs, 1),
            active_ms=active_ms,
            clipped=round(clipped / (FINE * max(1, powers.size)), 6),
            dropouts=len(gaps),
            dropout_ms=sum(gaps),
        )

    def _forget(self, before: int) -> None:
        count = before - self._first
        if count > 0:
            del self._powers[: 10 * count]
            del self._clipped[:count]
            self._first = before


def active_level(powers: NDArray[np.float64]) -> tuple[float, int]:
    """The active level in dBFS, from the power of each millisecond, and how many milliseconds were active."""
    whole = powers[: powers.size // 10 * 10]
    frames = whole.reshape(-1, 10).mean(axis=1) if whole.size else powers
    active = frames
    for _ in range(ROUNDS):
        if not active.size:
            return power_dbfs(0), 0
        kept = frames[frames >= active.mean() * MARGIN]
        if kept.size == active.size:
            break
        active = kept
    return power_dbfs(float(active.mean())), 10 * int(active.size)


def dropouts_ms(powers: NDArray[np.float64], level_dbfs: float) -> list[int]:
    """The length of each dropout in a voice of active level `level_dbfs`, from the power of each millisecond."""
    silent = powers <= FULL_SCALE**2 * 10 ** ((level_dbfs + DROP_TO_DB) / 10)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]]).astype(np.int8)))
    loud = FULL_SCALE**2 * 10 ** ((level_dbfs + DROP_FROM_DB) / 10)
    return [
        int(stop - start)
        for start, stop in edges.reshape(-1, 2)
        if stop - start >= DROP_LEAST_MS
        and start > 0
        and stop < powers.size
        and powers[max(0, start - DROP_WITHIN_MS) : start].max() >= loud
    ]


def _clipped(frame: NDArray[np.int16]) -> int:
    """How many samples are in clipped runs."""
    full = (frame >= CLIPPED) | (frame <= -CLIPPED)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= CLIPPED_RUN].sum())
