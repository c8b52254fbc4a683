"""The grammar of limits: `<2s`, `<=0.3`, `p(95)<1m30s`, `rate<1%`; `2s` alone means `<2s`.

A limit is `[aggregate] [operator] amount`. An amount is a time with its unit, a percentage, or a plain number (a ratio,
a count or a level). Times are compared in milliseconds. Only a level may be negative.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.parsing.durations import UnknownUnitError, duration_s
from harness.parsing.offers import NotTakenError

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
_LIMIT = re.compile(
    r"\s*(?P<aggregate>[a-z]+(?:\(\s*\d+(?:\.\d+)?\s*\))?)?\s*(?P<operator><=|>=|==|!=|<|>)?"
    r"\s*(?P<amount>-?\s*[\d.][^<>=!]*?)\s*"
)
_PERCENTILE = re.compile(r"p\(\s*(\d+(?:\.\d+)?)\s*\)")
_LOOSE_PERCENTILE = re.compile(r"^\s*[pP]\(?(\d+(?:\.\d+)?)\)?")
_AMOUNT = re.compile(r"(?P<number>-?(?:\d+(?:\.\d+)?|\.\d+))\s*(?P<percent>%?)")
WER_OF_1 = "1 means as many wrong words as were said"
TIMES = ("<2s", "<=1500ms")
RATIOS = ("<=0.3", "<=30%")
_ALSO_CALLED = {"mean": "avg", "average": "avg", "median": "med", "maximum": "max", "minimum": "min"}


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on a value or on an aggregate of values.

    Attributes:
        text: The limit without whitespace, with the default operator filled in.
        op: One of <, <=, >, >=, == and !=.
        value: In milliseconds if `is_time`, a ratio if `is_share`, otherwise a plain number.
        is_time: Whether it was written with a unit of time.
        is_share: Whether it was written as a percentage.
        aggregate: The aggregate of many values; None for a single value.
        percentile: 0 to 100 if the aggregate is a percentile, otherwise None.
        amount: The value as written.
        written: The complete limit as written.
    """

    text: str
    op: str
    value: float
    is_time: bool
    aggregate: str | None = None
    percentile: float | None = None
    is_share: bool = False
    amount: str = ""
    written: str = field(default="", compare=False)

    def holds(self, measured: float) -> bool:
        """Whether `measured` is within the bound; in milliseconds if the limit is a time."""
        return _OPERATORS[self.op](measured, self.value)

    def __str__(self) -> str:
        return self.text


def parse_time_limit(text: str | float) -> Limit:
    """Parses a limit on a single time; the unit is required.

    Raises:
        ValueError: It does not follow the grammar, has an aggregate, or no unit.
    """
    return _offering(_single_time, text, TIMES)


def parse_word_error_limit(text: str | float) -> Limit:
    """Parses a limit on a single word error rate.

    Raises:
        ValueError: It does not follow the grammar, has an aggregate, is a time, or is above 1.
    """
    return _offering(_single_ratio, text, RATIOS)


def parse_threshold(text: str | float) -> Limit:
    """Parses a limit on many values; the aggregate is required. `check_threshold` checks that it fits its metric.

    Raises:
        NotTakenError: It does not follow the grammar, or has no known aggregate.
    """
    limit = _parse(text)
    if limit.aggregate is None:
        of = ("p(95)", "max", "rate", "count")
        raise NotTakenError(f"{text!r} has no aggregate", *(f"{aggregate}{limit.text}" for aggregate in of))
    return limit


def _offering(read: Callable[[str | float], Limit], text: str | float, examples: Sequence[str]) -> Limit:
    try:
        return read(text)
    except NotTakenError as problem:
        raise problem.offering(read, examples) from None


def _single(text: str | float) -> Limit:
    limit = _parse(text)
    plain = f"{limit.op}{limit.amount}"
    if limit.aggregate is not None:
        what = f"{text!r} has an aggregate, which a limit on a single value cannot have"
        raise NotTakenError(what, plain, *(f"{plain}{unit}" for unit in ("s", "ms")))
    if limit.value < 0:
        raise NotTakenError(f"{text!r} must not be negative")
    if limit.value == 0 and limit.op in ("<", ">="):
        why = "no value is below 0" if limit.op == "<" else "every value is 0 or more"
        raise NotTakenError(f"{text!r} has no effect as a limit: {why}")
    return limit


def _single_time(text: str | float) -> Limit:
    limit = _single(text)
    if limit.is_share:
        raise NotTakenError(f"{text!r} is a percentage, but must be a time")
    if not limit.is_time:
        raise NotTakenError(f"{text!r} has no unit", *(f"{limit.op}{limit.amount}{unit}" for unit in ("s", "ms")))
    return limit


def _single_ratio(text: str | float) -> Limit:
    limit = _single(text)
    if limit.is_time:
        raise NotTakenError(f"{limit} is a time, but must be a ratio")
    if limit.value > 1:
        what = f"{limit} is not a valid limit on a word error rate: {WER_OF_1}"
        raise NotTakenError(what, f"{limit.op}{limit.amount}%", asks=True)
    return limit


def _parse(text: str | float) -> Limit:
    if isinstance(text, bool):
        raise NotTakenError(f"{text!r} is not a valid limit")
    match = _LIMIT.fullmatch(str(text))
    if match is None:
        raise NotTakenError(f"{text!r} is not a valid limit", _LOOSE_PERCENTILE.sub(r"p(\1)", str(text)))
    aggregate, percentile = match["aggregate"], None
    if aggregate:
        found = _PERCENTILE.fullmatch(aggregate)
        if found:
            percentile = float(found[1])
            if not 0 < percentile <= 100:
                raise NotTakenError(f"{text!r}: a percentile must be above 0 and at most 100")
            aggregate = f"p({percentile:g})"
        elif aggregate not in AGGREGATES:
            what = f"{text!r} has an unknown aggregate {aggregate!r}; the aggregates are {', '.join(AGGREGATES)}"
            also = _ALSO_CALLED.get(aggregate, aggregate)
            raise NotTakenError(what, str(text).replace(aggregate, also, 1))
    op, amount = match["operator"] or "<", "".join(match["amount"].split())
    value, is_time, is_share = _value(text, match["amount"])
    return Limit(
        f"{aggregate or ''}{op}{amount}",
        op,
        value,
        is_time=is_time,
        aggregate=aggregate or None,
        percentile=percentile,
        is_share=is_share,
        amount=amount,
        written=str(text),
    )


def _value(text: str | float, amount: str) -> tuple[float, bool, bool]:
    """The bound's value, whether it is a time (then in milliseconds), and whether it is a percentage (then a ratio)."""
    match = _AMOUNT.fullmatch(amount)
    if match is not None:
        number, is_share = float(match["number"]), bool(match["percent"])
        return (round(number / 100, 12) if is_share else number), False, is_share
    if amount.startswith("-"):
        raise NotTakenError(f"{text!r} must not be a negative time")
    try:
        value_ms = round(1000 * duration_s(amount), 6)
    except UnknownUnitError as problem:
        raise NotTakenError(str(UnknownUnitError(text, problem.unit))) from None
    except ValueError:
        raise NotTakenError(f"{text!r} is not a valid limit") from None
    if not math.isfinite(value_ms):
        raise NotTakenError("the time is too large: nothing can exceed it")
    return value_ms, True, False
