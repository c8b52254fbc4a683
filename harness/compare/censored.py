"""Values for censored samples: of a turn that was cut while waiting, only a lower bound is known.

Leaving them out would hide the slowest turns, and taking the bound for the value would understate them. Each is given
the mean of what lies beyond it, by the product-limit estimate: its mass is "redistributed to the right" (Efron, The
two sample problem with censored data, Proc. 5th Berkeley Symposium 4, 1967). The mean of all values is then the
restricted mean of Kaplan and Meier, up to the largest value seen.

The estimate is made from both sides together. So it favours neither, and calls can still be exchanged between the
sides (`permutation.py`); if one side has many more cut turns than the other, the difference is understated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def with_expected(values: Floats, censored: Bools) -> Floats:
    """Returns the values with each censored one replaced by the expected value beyond it.

    Args:
        values: Values of one turn, of the calls of both sides; NaN where there is none.
        censored: Which of them are lower bounds.
    """
    if not censored.any():
        return values
    from scipy import stats

    measured, bounds = values[~censored & ~np.isnan(values)], values[censored]
    data = stats.CensoredData(uncensored=measured, right=bounds)
    survival = stats.ecdf(data).sf
    times = np.append(survival.quantiles, np.inf)
    left = np.append(1.0, survival.probabilities)
    longest = float(np.nanmax(values))
    replaced = values.copy()
    for place in np.flatnonzero(censored):
        bound = float(values[place])
        # The area under the survival function from the bound to the largest value, over its height at the bound.
        edges = np.clip(np.append(bound, times), bound, longest)
        height = left[np.searchsorted(survival.quantiles, bound, side="right")]
        replaced[place] = bound + (float(np.sum(left * np.diff(edges))) / height if height > 0 else 0.0)
    return replaced
