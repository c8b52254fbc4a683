"""Percentiles of right-censored data: for a turn that was cut while waiting, only a lower bound is known.

Leaving these turns out would hide the slowest ones, which are the likeliest to be cut. The survival function is the
product-limit estimate (Kaplan & Meier, J. Am. Stat. Assoc. 53, 1958); without censored values this is the nearest rank.

`scipy.stats.ecdf` computes the same estimate, and a test compares the two. It is not used here because importing
`scipy.stats` takes 1.5 s and 50 MB, just when a run was interrupted and somebody waits for it to end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.metrics.percentiles import LEAST_SAMPLES, percentile

Floats = NDArray[np.float64]
_ROUNDING = 1e-9


def survival_percentile(values: Sequence[float], censored: Sequence[float], share: float) -> float | None:
    """The percentile of measured and censored values; None if it lies beyond all measured values.

    Args:
        values: The measured values.
        censored: The lower bounds of the others. A measured value that equals one of them counts as the smaller.
        share: In per cent.
    """
    if not censored:
        return percentile(values, share) if values else None
    times, left = _estimate(values, censored)
    reached = np.flatnonzero(1.0 - left >= share / 100 - _ROUNDING)
    return float(times[reached[0]]) if reached.size else None


def shown_percentile(values: Sequence[float], share: int, censored: Sequence[float] = ()) -> float | None:
    """Same as `survival_percentile`, rounded; None also if there are too few samples (`LEAST_SAMPLES`)."""
    if len(values) + len(censored) < LEAST_SAMPLES[share]:
        return None
    value = survival_percentile(values, censored, share)
    return None if value is None else round(value, 3)


def survival_mean(values: Sequence[float], censored: Sequence[float]) -> float:
    """The restricted mean: the mean survival time up to the largest measured or censored value."""
    if not censored:
        return sum(values) / len(values)
    times, left = _estimate(values, censored)
    edges = np.concatenate([[0.0], times, [max([*values, *censored])]])
    return float(np.sum(np.concatenate([[1.0], left]) * np.diff(edges)))


def _estimate(values: Sequence[float], censored: Sequence[float]) -> tuple[Floats, Floats]:
    """The distinct measured values, and the share of the population that exceeds each."""
    times, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    everyone = np.sort(np.asarray([*values, *censored], np.float64))
    at_risk = everyone.size - np.searchsorted(everyone, times, side="left")
    return times, np.cumprod(1.0 - counts / at_risk, dtype=np.float64)
