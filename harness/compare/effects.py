"""Parses the smallest effects that matter, as people write them: `10%`, `50ms`, `5pp`, `3dB`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from harness.errors import UsageError
from harness.parsing.durations import DurationError, duration_s
from harness.record.comparison import SmallestEffect

OPTION = "--smallest-effect"


def read_smallest(texts: Sequence[str]) -> SmallestEffect:
    """Returns the smallest effects; what is not given has its default.

    Each text may hold several, separated by commas: `10%` is a share of the baseline's mean, `50ms` a difference of
    times, `5pp` a difference of rates in percentage points, `3dB` one of levels.

    Raises:
        UsageError: A text is none of them, one is given twice, or it is out of range.
    """
    given: dict[str, float] = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, value = _read(part)
        if name in given:
            raise UsageError(f"{OPTION} gives two values of one kind; the second is {part}", hint="remove one")
        given[name] = value
    try:
        return SmallestEffect.model_validate(given)
    except ValidationError as problem:
        error = problem.errors()[0]
        raise UsageError(f"{OPTION}: {error['msg'].lower()} (got {error['input']:g})") from None


def _read(text: str) -> tuple[str, float]:
    try:
        for ending, name, scale in (("pp", "rate", 0.01), ("dB", "db", 1.0), ("%", "share", 0.01)):
            if text.endswith(ending):
                return name, float(text.removesuffix(ending)) * scale
        return "ms", duration_s(text) * 1000
    except (ValueError, DurationError):
        what = f"{OPTION} must be a percentage, a time, percentage points or decibels (got {text!r})"
        raise UsageError(what, hint="write for example 10%, 50ms, 5pp or 3dB") from None
