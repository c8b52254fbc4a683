"""Where in a few frames a voice sets in, to the millisecond. Turned round in time, the same tells where it ends.

The place is where the sum of what lies over and under a threshold, taken from there on, is largest: the estimate of a
change point that goes with a cumulative sum test (E. S. Page, Biometrika 41, 1954).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.hearing.level import FULL_SCALE

FINE = 48  # samples of 1 ms
FRAME_MS = 10
FRAME = FRAME_MS * FINE
MEAN_FINES = 5  # what is slower than 5 ms is taken off: an offset, most of a hum
MOST_OVER = 4.0  # how much one loud millisecond counts, in thresholds
NOISE_SHARE = 0.9  # of the noise before that a voice has to be above


def fine_powers(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """The mean square of each millisecond, full scale 1, about the mean of the 5 ms up to its end.

    What comes later has no part in it: the mean of a loud voice does not reach back into the silence before.
    """
    rows = samples.astype(np.float64).reshape(-1, FINE)
    squares, sums = np.vecdot(rows, rows), rows.sum(axis=1)
    total = np.concatenate([np.zeros(MEAN_FINES), np.cumsum(sums)])
    count = np.minimum(np.arange(1, sums.size + 1), MEAN_FINES)
    mean = (total[MEAN_FINES:] - total[:-MEAN_FINES]) / (count * FINE)
    powers: NDArray[np.float64] = (squares - 2 * mean * sums + FINE * mean * mean) / (FINE * FULL_SCALE**2)
    return powers


def sets_in(samples: NDArray[np.int16], before_ms: int, low: float) -> int | None:
    """How many milliseconds after the first `before_ms` a voice sets in; None where nothing is above the threshold.

    Args:
        samples: (frames,) int16 mono at 48 kHz: noise, then where the voice may set in, up to where it is there.
        before_ms: How much noise.
        low: The threshold, a power; where the noise flickers above it, the noise's own highest tenth.
    """
    powers = fine_powers(samples)
    if before_ms:
        low = max(low, _of_share(sorted(powers[:before_ms].tolist()), NOISE_SHARE))
    score = np.minimum(powers[before_ms:], MOST_OVER * low) - low
    from_there_on = np.cumsum(score[::-1])[::-1]
    best = int(np.argmax(from_there_on))
    return best if from_there_on[best] > 0 else None


def _of_share(ordered: list[float], share: float) -> float:
    """The quantile, between neighbours in a line; numpy's own takes ten times as long for as few."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
