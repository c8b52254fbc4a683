"""Which properties of a tool hold a day or a time, and how it is written."""

from __future__ import annotations

import re
from enum import Enum

from harness.stack.tools.listed import Property, word_set

_EDGES = word_set("start end from to until till at on begin due arrival departure check in out after before")


class When(Enum):
    """How a property holds a day or a time."""

    DATE = "date"  # 2026-05-04
    TIME = "time"  # 19:30
    MOMENT = "moment"  # 2026-05-04T19:30:00
    WORDS = "words"  # as it was said


def when_of(one: Property) -> When | None:
    """How a property holds a day or a time; None if it holds something else."""
    if one.kind != "string":
        return None
    by_form = {"date": When.DATE, "time": When.TIME, "date-time": When.MOMENT}.get(one.form)
    if by_form is not None or one.form:
        return by_form
    title, told = set(one.title.split()), one.description.lower()
    if title & {"datetime", "timestamp"} or title >= {"date", "time"} or re.search(r"\bdate and time\b", told):
        return When.MOMENT
    if "date" in title or "yyyy" in told:
        return When.MOMENT if re.search(r"\bt?hh:mm", told) else When.DATE
    if title & {"time", "hour"} or "hh:mm" in told:
        return When.TIME
    if title & {"when", "day"}:
        return When.WORDS
    if title <= _EDGES and (found := re.search(r"\b(date|day|time)\b", told)):
        return When.TIME if found[1] == "time" else When.DATE
    return None
