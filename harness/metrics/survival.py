"""Percentiles where of some values it is only known what they exceed: turns that were cut while a reply was awaited.

To leave them out would hide the slowest turns, for those are the likeliest to be cut. By the product-limit estimate of
how many are not yet over (Kaplan & Meier, J. Am. Stat. Assoc. 53, 1958); without cut ones it is the nearest rank.

`scipy.stats.ecdf` estimates the same, and a test holds the two together. It is not used here, for the import of
`scipy.stats` takes 1.5 s and 50 MB, just when a run was interrupted and somebody waits for its end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.metrics.percentiles import LEAST_SAMPLES, percentile

Floats = NDArray[np.float64]
_ROUNDING = 1e-9


def survival_percentile(values: Sequence[float], censored: Sequence[float], share: float) -> float | None:
    """The percentile of values and of others that are larger than `censored`; None where it lies beyond all values.

    Args:
        values: What was measured.
        censored: What was waited for so long and in vain; of two equal ones the measured one came first.
        share: Of 100.
    """
    if not censored:
        return percentile(values, share) if values else None
    times, left = _estimate(values, censored)
    reached = np.flatnonzero(1.0 - left >= share / 100 - _ROUNDING)
    return float(times[reached[0]]) if reached.size else None


def shown_percentile(values: Sequence[float], share: int, censored: Sequence[float] = ()) -> float | None:
    """As `survival_percentile`, rounded; None also where there are too few to carry it (`LEAST_SAMPLES`)."""
    if len(values) + len(censored) < LEAST_SAMPLES[share]:
        return None
    value = survival_percentile(values, censored, share)
    return None if value is None else round(value, 3)


def survival_mean(values: Sequence[float], censored: Sequence[float]) -> float:
    """The mean as far as it is known: that of each up to the longest that any was waited for."""
    if not censored:
        return sum(values) / len(values)
    times, left = _estimate(values, censored)
    edges = np.concatenate([[0.0], times, [max([*values, *censored])]])
    return float(np.sum(np.concatenate([[1.0], left]) * np.diff(edges)))


def _estimate(values: Sequence[float], censored: Sequence[float]) -> tuple[Floats, Floats]:
    """The times at which any were over, and the share that was not yet over after each."""
    times, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    everyone = np.sort(np.asarray([*values, *censored], np.float64))
    at_risk = everyone.size - np.searchsorted(everyone, times, side="left")
    return times, np.cumprod(1.0 - counts / at_risk, dtype=np.float64)
