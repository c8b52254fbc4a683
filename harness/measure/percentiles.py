"""Percentiles by linear interpolation between the closest ranks (Hyndman & Fan 1996, definition 7; numpy's default)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# A percentile is shown from so many samples on that at least one of them can be expected to lie beyond it.
LEAST_SAMPLES = {50: 1, 90: 10, 95: 20, 99: 100}


def percentile(values: Sequence[float], share: float) -> float:
    """The percentile of one or more values."""
    return float(np.percentile(np.asarray(values, np.float64), share))


def shown_percentile(values: Sequence[float], share: int) -> float | None:
    """As `percentile`, or None where the values are too few to carry it."""
    return round(percentile(values, share), 3) if len(values) >= LEAST_SAMPLES[share] else None
