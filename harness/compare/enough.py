"""How many calls on each side would be enough to decide a question.

By what is estimated now: so many that the difference would be significant, if it is large enough to matter, or else
that the interval would lie inside the smallest effect; each with a probability of 90 %.

An estimate of few calls is itself uncertain, and may lie at the smallest effect by accident, where no number would be
enough. So the answer is never more than what decides most questions whatever was seen so far: the number at which a
difference of the smallest size that matters would be significant. Then no difference at all is shown as *same*, and
one of one and a half times the smallest is found, nearly always. Only if so many calls were made and did not decide,
the estimate alone answers; `None` means that the difference cannot be told from the smallest one that matters.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

POWER = 0.90
MOST = 100_000


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Two-sided levels of error.

    Attributes:
        found: The level at which a difference has to be significant.
        same: The level of the interval, as a probability of error.
    """

    found: float
    same: float


def enough_calls(
    *, effect: float, smallest: float, variance: float, levels: Levels, calls: int, least: int, is_rate: bool
) -> int | None:
    """Returns the number of calls a side that would be enough; None if no number up to 100,000 would.

    Args:
        effect: The effect as it is estimated now.
        smallest: The smallest effect that matters.
        variance: The variance of the effect of one call a side.
        levels: The levels of error.
        calls: The number of calls on the side that has fewer.
        least: The smallest number that is ever enough.
        is_rate: Whether it is a share of cases; then no case at all needs calls, too.
    """
    found, inside = _reach(levels.found), _reach(levels.same)
    size, room = abs(effect), smallest - abs(effect)
    if room <= 0:
        needed = variance * (found / size) ** 2
    else:
        needed = variance * (inside / room) ** 2
        if is_rate and room < 1:  # Clopper and Pearson's limit of no case
            needed = max(needed, math.log(levels.same / 2) / math.log1p(-room))
    planned = variance * (found / smallest) ** 2
    if calls < planned:
        needed = min(needed, planned)
    needed = max(least, needed)
    return math.ceil(needed) if needed <= MOST else None


@functools.cache
def _reach(level: float) -> float:
    """How many standard errors a difference must measure to be found at a two-sided level with the wanted power."""
    from scipy.special import ndtri

    return float(ndtri(POWER) - ndtri(level / 2))
