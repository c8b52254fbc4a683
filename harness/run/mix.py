"""Chooses the scenario of the next call when several are mixed by weight: `a.yaml=70 b.yaml=30`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import UsageError


def parse_weight(text: str) -> tuple[str, float | None]:
    """Parses `SCENARIO=WEIGHT` into path and weight; the weight is None if none is given.

    Raises:
        UsageError: The weight is not a number above zero.
    """
    path, equals, weight = text.rpartition("=")
    if not equals:
        return text, None
    try:
        number = float(weight.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise UsageError(
            f"{weight!r} is not a valid weight", where=text, hint="write SCENARIO=NUMBER, such as a.yaml=70"
        )
    return path, number


def mix_of(weights: Sequence[float | None]) -> Mix:
    """Returns the mix of scenarios with these weights. Either all have a weight, adding up to 100, or none has.

    Raises:
        UsageError: Only some have a weight, or the weights do not add up to 100.
    """
    given = [weight for weight in weights if weight is not None]
    if given and len(given) < len(weights):
        raise UsageError(
            "some scenarios have a weight and others do not",
            where="SCENARIO=WEIGHT",
            hint="give every scenario a weight, or none of them",
        )
    if given and not math.isclose(sum(given), 100):
        raise UsageError(
            f"the weights must add up to 100 (got {sum(given):g})",
            where="SCENARIO=WEIGHT",
            hint="write percentages, such as a.yaml=70 b.yaml=30",
        )
    return Mix(tuple(map(float, given or [1.0] * len(weights))))


@dataclass(frozen=True, slots=True)
class Mix:
    """Scenarios by weight, in a deterministic order that spreads them evenly."""

    weights: tuple[float, ...]

    def pick(self, index: int) -> int:
        """Returns the scenario of the call with this index (from 0): the one furthest behind its share."""
        total = sum(self.weights)
        counts = [0] * len(self.weights)
        chosen = 0
        # With whole weights the order is periodic. Computing one period each time is cheap: a load has few scenarios.
        for place in range(index % self._period + 1):
            behind = [weight * (place + 1) / total - count for weight, count in zip(self.weights, counts, strict=True)]
            chosen = max(range(len(behind)), key=lambda which: (behind[which], -which))
            counts[chosen] += 1
        return chosen

    @property
    def _period(self) -> int:
        if all(weight.is_integer() for weight in self.weights):
            whole = [int(weight) for weight in self.weights]
            return sum(whole) // math.gcd(*whole)
        return 1000
