"""Percentiles by nearest rank: the least value that is not exceeded by so large a share of them.

It is a value that was measured, and never lies below one that it stands for: of fewer than 20 values the 95th
percentile is the largest. (Hyndman & Fan 1996, definition 1; numpy's `inverted_cdf`.)

numpy multiplies by the share without rounding, and takes one rank too many where a product is whole: of 1,000 values
its p(99.9) is the largest. So the rank is counted here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_ROUNDING = 1e-9
# A percentile is shown from so many samples on that at least one of them can be expected to lie beyond it.
LEAST_SAMPLES = {50: 1, 90: 10, 95: 20, 99: 100}


def percentile(values: Sequence[float], share: float) -> float:
    """The percentile of one or more values."""
    ordered = np.sort(np.asarray(values, np.float64))
    return float(ordered[max(1, math.ceil(ordered.size * share / 100 - _ROUNDING)) - 1])


def is_largest(count: int, share: float) -> bool:
    """Whether that percentile of so many values is the largest of them."""
    return count > 1 and math.ceil(count * share / 100 - _ROUNDING) == count
