"""Several looks at growing data, with an error rate that holds over all of them.

Who looks at 20, 40 and 80 calls and stops at the first difference gets three chances of a false alarm. So each look
may only spend a part of the level: by Lan and DeMets (Biometrika 70, 1983), with the spending function that resembles
O'Brien and Fleming's boundaries (Biometrics 35, 1979), which leaves nearly all of it to the last looks.

Each look is judged at the level that it newly spends. Lan and DeMets win back a little by the correlation between the
looks at one statistic; here many metrics are tested at once by permutations, and how their looks go together is not
known. The sum of the levels bounds the error whatever it is. That costs little if the numbers of calls are doubled
from look to look: the last one has 0.044 of 0.05.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.record.comparison import Look

FIRST_LOOK = 10


def level_at(look: Look, total: float) -> float:
    """The part of the level `total` that this look spends: after the last one there is none to save it for."""
    so_far = [spent(calls / look.planned[-1], total) for calls in (0, *look.planned)]
    return so_far[-1 if look.is_last else look.number] - so_far[look.number - 1]


def spent(share: float, total: float) -> float:
    """How much of the level `total` is spent when a share of the planned calls is made (0 to 1)."""
    from scipy.special import ndtr, ndtri

    if share <= 0:
        return 0.0
    return float(2 * ndtr(ndtri(total / 2) / share**0.5))


def planned_looks(most: int, first: int = FIRST_LOOK) -> tuple[int, ...]:
    """Numbers of calls a side at which to look: `first`, doubled up to three quarters of `most`, and `most`."""
    looks: Sequence[int] = [first * 2**power for power in range(64) if first * 2**power <= 0.75 * most]
    return (*looks, most)
