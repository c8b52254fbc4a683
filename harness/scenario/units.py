"""Durations as people write them: `500ms`, `2s`, `5m`, `1h`."""

from __future__ import annotations

import re

_SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>[a-zA-Z]*)\s*")


def duration_s(text: str | float) -> float:
    """The duration in seconds.

    Raises:
        ValueError: It is no duration, or has no unit.
    """
    match = _DURATION.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r} is no duration; write it like 500ms, 2s or 5m")
    number, unit = match["number"], match["unit"]
    if not unit:
        raise ValueError(f"{text!r} has no unit; write {number}s or {number}ms")
    if unit not in _SECONDS_PER_UNIT:
        raise ValueError(f"{text!r} has an unknown unit {unit!r}; known are {', '.join(_SECONDS_PER_UNIT)}")
    return round(float(number) * _SECONDS_PER_UNIT[unit], 6)
