"""Statistics of pass rates: how sure it is that an agent passes, by how many of its calls passed.

`scipy.stats` has these intervals, but to import it takes two seconds and 75 MB; a test compares the two. The quantiles
are of `scipy.special`, imported where they are needed only, because most runs need no interval.
"""

from __future__ import annotations

import math
from functools import cache

SHOWN_CONFIDENCE = 0.95  # of the intervals that reports show


def wilson_interval(passed: int, decided: int) -> tuple[float, float]:
    """Returns the two-sided 95 % interval of a pass rate (Wilson, J. Am. Stat. Assoc. 22, 1927).

    Its coverage is right on average for any number of calls (Brown, Cai & DasGupta, Stat. Sci. 16, 2001).

    Args:
        passed: How many calls passed.
        decided: How many calls there were; at least 1.
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + SHOWN_CONFIDENCE) / 2))
    middle = passed + z**2 / 2
    half = z * math.sqrt(passed * (decided - passed) / decided + z**2 / 4)
    low, high = (middle - half) / (decided + z**2), (middle + half) / (decided + z**2)
    # Exact at the ends, where rounding would leave it a little beside them.
    return (0.0 if passed == 0 else low), (1.0 if passed == decided else high)


def lower_bound(passed: int, decided: int, confidence: float) -> float:
    """Returns the one-sided lower confidence bound of a pass rate; 0 if there are no calls.

    It is the exact one (Clopper & Pearson, Biometrika 26, 1934), which is wrong no more often than it says. Wilson's is
    too high near a rate of 1: its 95 % bound of 25 passes in 25 calls is 90.2 %, but an agent that passes 90 % of its
    calls does that with a probability of 7 %.
    """
    from scipy.special import betaincinv

    return float(betaincinv(passed, decided - passed + 1, 1 - confidence)) if passed else 0.0


@cache
def least_calls(rate: float, confidence: float) -> int:
    """Returns the least number of calls that show a pass rate with that confidence if all of them pass."""
    enough = 1
    while lower_bound(enough, enough, confidence) < rate:
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if lower_bound(middle, middle, confidence) < rate:
            too_few = middle
        else:
            enough = middle
    return enough
