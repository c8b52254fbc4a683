"""Durations as people write them: `500ms`, `2s`, `1m30s`, `1h`."""

from __future__ import annotations

import re

_SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
UNITS = tuple(_SECONDS_PER_UNIT)
_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_PART = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>[a-zA-Z]+)")
_DURATION = re.compile(rf"(?:{_NUMBER}\s*[a-zA-Z]+)+")


class DurationError(ValueError):
    """A text is no duration.

    Attributes:
        what: What is wrong with it.
        advice: What to write instead; empty if `what` says it.
    """

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(f"{what}; {advice}" if advice else what)
        self.what = what
        self.advice = advice


class NoUnitError(DurationError):
    """A duration was given as a number without a unit."""

    def __init__(self, text: str | float, number: str) -> None:
        forms = [form for form in (f"{number}s", f"{number}ms") if float(number)]
        super().__init__(f"{text!r} has no unit", f"write {' or '.join(forms) or 'for example 500ms, 2s or 1m30s'}")


class UnknownUnitError(DurationError):
    """A duration in an unknown unit."""

    def __init__(self, text: str | float, unit: str) -> None:
        super().__init__(f"{text!r} has an unknown unit {unit!r}; use one of {', '.join(UNITS)}")
        self.unit = unit


def duration_s(text: str | float) -> float:
    """Parses a duration to seconds. Several parts must go from the largest unit to the smallest, each used once.

    Raises:
        DurationError: It is not a duration, or has no unit.
    """
    written = str(text).strip()
    if re.fullmatch(_NUMBER, written):
        raise NoUnitError(text, written)
    if _DURATION.fullmatch(written) is None:
        raise DurationError(f"{text!r} is not a valid duration", "write for example 500ms, 2s or 1m30s")
    parts = [(float(part["number"]), part["unit"]) for part in _PART.finditer(written)]
    unknown = next((unit for _, unit in parts if unit not in _SECONDS_PER_UNIT), None)
    if unknown is not None:
        raise UnknownUnitError(text, unknown)
    sizes = [_SECONDS_PER_UNIT[unit] for _, unit in parts]
    if sizes != sorted(set(sizes), reverse=True):
        what = f"{text!r} is not a valid duration: write its units from the largest to the smallest, as in 1m30s"
        raise DurationError(what)
    return round(sum(number * size for (number, _), size in zip(parts, sizes, strict=True)), 6)
