"""The one grammar of limits: `<2s`, `<=0.3`, `p(95)<1500ms`, `rate<0.01`; `2s` alone means `<2s`.

A limit is `[aggregate] [operator] number [unit]`. Times are compared in milliseconds; a number without a unit is taken
as it is (a ratio, a level, or the metric's own milliseconds). Only a level's number may be negative.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Aggregate = Literal["avg", "min", "med", "max", "count", "rate"]
AGGREGATES: tuple[str, ...] = ("avg", "min", "med", "max", "count", "rate", "p(N)")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_MS_PER_UNIT = {"ms": 1.0, "s": 1000.0, "m": 60_000.0, "min": 60_000.0, "h": 3_600_000.0}
_LIMIT = re.compile(
    r"\s*(?P<aggregate>[a-z]+(?:\(\s*\d+(?:\.\d+)?\s*\))?)?\s*(?P<operator><=|>=|==|!=|<|>)?"
    r"\s*(?P<number>-?(?:\d+(?:\.\d+)?|\.\d+))\s*(?P<unit>[a-zA-Z%]*)\s*"
)
_PERCENTILE = re.compile(r"p\(\s*(\d+(?:\.\d+)?)\s*\)")


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound: `value` is in milliseconds where `is_time`, else a plain number; `percentile` is 0 to 100."""

    text: str
    op: str
    value: float
    is_time: bool
    aggregate: str | None = None
    percentile: float | None = None

    def holds(self, measured: float) -> bool:
        """Whether `measured` (milliseconds where the limit is a time) is within the bound."""
        return _OPERATORS[self.op](measured, self.value)

    def __str__(self) -> str:
        return self.text


def parse_limit(text: str | float) -> Limit:
    """A limit of a single value (an expectation's).

    Raises:
        ValueError: It does not follow the grammar, or has an aggregate.
    """
    limit = _parse(text)
    if limit.aggregate is not None:
        raise ValueError(f"{text!r} has an aggregate; a single value is judged here: write {limit.op}{limit.value:g}")
    if limit.value < 0:
        raise ValueError(f"{text!r} is negative; write one like <2s or <=0.3")
    return limit


def parse_time_limit(text: str | float) -> Limit:
    """A limit of a single time; the unit is needed.

    Raises:
        ValueError: As `parse_limit`, or the unit is missing.
    """
    limit = parse_limit(text)
    if not limit.is_time:
        raise ValueError(f"{text!r} has no unit; write {limit.op}{limit.value:g}s or {limit.op}{limit.value:g}ms")
    return limit


def parse_threshold(text: str | float) -> Limit:
    """A limit over many values; the aggregate is needed.

    Raises:
        ValueError: It does not follow the grammar, or has no known aggregate.
    """
    limit = _parse(text)
    if limit.aggregate is None:
        raise ValueError(f"{text!r} says not of what: write p(95){limit.text}, max{limit.text} or rate{limit.text}")
    return limit


def _parse(text: str | float) -> Limit:
    if isinstance(text, bool):
        raise ValueError(f"{text!r} is no limit; write one like <2s or <=0.3")  # noqa: TRY004 - pydantic reads ValueError
    match = _LIMIT.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r} is no limit; write one like <2s, <=0.3 or p(95)<1500ms")
    unit = match["unit"]
    if unit and unit not in _MS_PER_UNIT:
        raise ValueError(f"{text!r} has an unknown unit {unit!r}; known are {', '.join(_MS_PER_UNIT)}")
    aggregate, percentile = match["aggregate"], None
    if aggregate:
        found = _PERCENTILE.fullmatch(aggregate)
        if found:
            percentile = float(found[1])
            if not 0 < percentile <= 100:
                raise ValueError(f"{text!r}: a percentile lies between 0 and 100")
            aggregate = f"p({percentile:g})"
        elif aggregate not in AGGREGATES:
            raise ValueError(f"{text!r} has an unknown aggregate {aggregate!r}; known are {', '.join(AGGREGATES)}")
    op = match["operator"] or "<"
    if unit and match["number"].startswith("-"):
        raise ValueError(f"{text!r} is a negative time; write one like <2s")
    value = float(match["number"]) * (_MS_PER_UNIT[unit] if unit else 1.0)
    shown = f"{aggregate or ''}{op}{match['number']}{unit}"
    return Limit(shown, op, value, is_time=bool(unit), aggregate=aggregate or None, percentile=percentile)
