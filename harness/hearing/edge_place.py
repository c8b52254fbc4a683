"""Locates a voice's onset within a few frames, to the millisecond. On time-reversed samples it locates the end.

The onset is the position from which the cumulative sum of power minus threshold is largest: the change point estimate
that belongs to the CUSUM test (E. S. Page, Biometrika 41, 1954).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.hearing.level import FULL_SCALE

FINE = 48  # samples in 1 ms
FRAME_MS = 10
FRAME = FRAME_MS * FINE
MEAN_FINES = 5  # removes what changes more slowly than 5 ms: DC offset, most of a mains hum
MOST_OVER = 4.0  # cap on the power of one loud millisecond, in multiples of the threshold
NOISE_SHARE = 0.9  # quantile of the preceding noise that a voice must exceed


def fine_powers(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """The power of each millisecond (full scale 1) around the mean of the 5 ms that end with it.

    The mean uses no later samples, so that a loud voice does not affect the silence before it.
    """
    rows = samples.astype(np.float64).reshape(-1, FINE)
    squares, sums = np.vecdot(rows, rows), rows.sum(axis=1)
    total = np.concatenate([np.zeros(MEAN_FINES), np.cumsum(sums)])
    count = np.minimum(np.arange(1, sums.size + 1), MEAN_FINES)
    mean = (total[MEAN_FINES:] - total[:-MEAN_FINES]) / (count * FINE)
    powers: NDArray[np.float64] = (squares - 2 * mean * sums + FINE * mean * mean) / (FINE * FULL_SCALE**2)
    return powers


def sets_in(samples: NDArray[np.int16], before_ms: int, low: float) -> int | None:
    """The voice's onset in milliseconds after the first `before_ms`; None if nothing exceeds the threshold.

    Args:
        samples: (frames,) int16 mono at 48 kHz: noise, then the range that may hold the onset, up to certain voice.
        before_ms: The length of the noise.
        low: The threshold, as a power. Raised to the noise's 90th percentile where that is higher.
    """
    powers = fine_powers(samples)
    if before_ms:
        low = max(low, _of_share(sorted(powers[:before_ms].tolist()), NOISE_SHARE))
    score = np.minimum(powers[before_ms:], MOST_OVER * low) - low
    from_there_on = np.cumsum(score[::-1])[::-1]
    best = int(np.argmax(from_there_on))
    return best if from_there_on[best] > 0 else None


def _of_share(ordered: list[float], share: float) -> float:
    """The linearly interpolated quantile; numpy's takes ten times as long for this few values."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
