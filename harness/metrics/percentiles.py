"""Nearest-rank percentiles: the smallest value that is at least as large as the given share of all values.

The result is always a measured value, and never an underestimate: of fewer than 20 values the 95th percentile is the
largest. (Hyndman & Fan 1996, definition 1; numpy's `inverted_cdf`.)

numpy multiplies by the share without rounding, and takes one rank too many if the product is whole: of 1,000 values its
p(99.9) is the largest. So the rank is counted here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

_ROUNDING = 1e-9
# The number of samples from which a percentile is shown: at least one of them can be expected to lie beyond it.
LEAST_SAMPLES: Mapping[float, int] = {50: 1, 90: 10, 95: 20, 99: 100}


def least_samples(share: float) -> int:
    """The number of samples from which a percentile is shown; `share` is in per cent."""
    return LEAST_SAMPLES.get(share) or math.ceil(100 / (100 - share) - _ROUNDING) if share < 100 else 1


def percentile(values: Sequence[float], share: float) -> float:
    """The percentile of one or more values; `share` is in per cent."""
    return percentiles(values, [share])[0]


def percentiles(values: Sequence[float], shares: Sequence[float]) -> list[float]:
    """Several percentiles of one or more values, which are sorted once; `shares` are in per cent."""
    ordered = np.sort(np.asarray(values, np.float64))
    ranks = [max(1, math.ceil(ordered.size * share / 100 - _ROUNDING)) for share in shares]
    return [float(ordered[rank - 1]) for rank in ranks]


def is_largest(count: int, share: float) -> bool:
    """Whether the percentile of `count` > 1 values is the largest of them; `share` is in per cent."""
    return count > 1 and math.ceil(count * share / 100 - _ROUNDING) == count
