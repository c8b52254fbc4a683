"""Numbers, days and times of day in what was said, as spoken or as typed, each with its place in the text. English.

"table twenty-four for two, tomorrow at half past seven"
numbers: 24, 2; days: tomorrow's date; times: 19:30
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Generic, TypeVar

MOST_VALUE = 1e15  # above it a number is no exact one
_UNIT_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS = """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
    sixteenth seventeenth eighteenth nineteenth twentieth
"""
_MONTH_WORDS = "january february march april may june july august september october november december"
_DAY_WORDS = "monday tuesday wednesday thursday friday saturday sunday"
_UNITS = {word: value for value, word in enumerate(_UNIT_WORDS.split())}
_TENS = dict(zip(_TEN_WORDS.split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINALS = {word: value for value, word in enumerate(_ORDINAL_WORDS.split(), start=1)} | {"thirtieth": 30}
_MONTHS = _MONTH_WORDS.split()
_DAYS = _DAY_WORDS.split()
_SMALL = "|".join([*_UNITS, *_TENS])
_DIGITS = r"\d(?: \d){2,}(?! ?\d)|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SPELT = (
    rf"(?:{_SMALL}|a hundred|a thousand|a dozen|half a dozen)(?:[- ](?:and[- ])?(?:{_SMALL}|hundred|thousand|million))*"
)
_NUMBER = re.compile(
    rf"(?<![\w.:])(?P<minus>minus |negative |[-\u2212])?(?:(?P<digits>{_DIGITS})(?![\w]|[.,:]\d)|(?P<spelt>{_SPELT})\b)"
    rf"(?P<point> point (?P<after>(?:(?:{_SMALL}|\d)(?: |\b))+))?(?P<half> and a half\b)?",
    re.IGNORECASE,
)
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|{'|'.join(month[:3] for month in _MONTHS)})\.?"
_ORDINAL = "|".join([*_ORDINALS, *(f"{ten}[- ](?:{'|'.join(list(_ORDINALS)[:9])})" for ten in ("twenty", "thirty"))])
_MONTH_DAY = rf"(?P<day>\d{{1,2}}(?:st|nd|rd|th)?|{_ORDINAL})"
_YEAR = r"(?:,? (?P<year>20\d\d))?"
_PART = "(?: (?:morning|afternoon|evening|night))?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<iso>20\d\d-\d\d-\d\d)\b",
        rf"\b(?:the )?{_MONTH_DAY} (?:of )?{_MONTH}\b{_YEAR}",
        rf"\b{_MONTH} (?:the )?{_MONTH_DAY}\b{_YEAR}",
        r"\b(?P<after>the day after tomorrow)\b",
        r"\b(?P<tomorrow>tomorrow)\b(?: (?:morning|afternoon|evening|night|lunchtime))?",
        r"\b(?P<today>today|tonight|this (?:morning|afternoon|evening)|right now)\b",
        rf"\bin (?P<count>a|\d+|{_SMALL}) (?P<unit>days?|weeks?)\b",
        rf"\b(?:on |this |coming |(?P<next>next ))*(?P<weekday>{'|'.join(_DAYS)})s?\b{_PART}",
        r"\b(?P<week>next week)\b",
        r"\b(?P<weekend>(?:on |at )?(?:the|this) weekend)\b",
        rf"\bon the {_MONTH_DAY}\b(?! (?:floor|row|page|shelf|left|right))",
    )
)
_HOUR = rf"(?:\d{{1,2}}|{'|'.join(list(_UNITS)[1:13])})"
_HALF = r"a ?\.?m\.?|p ?\.?m\.?"
_PAST = r"half|quarter|five|ten|twenty|\d{1,2}"
_MINUTE = "fifteen|thirty|forty[- ]five|15|30|45"
_UNIT = "euros?|dollars?|pounds?|degrees?|percent|%|people|persons?"
_TIMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:at )?(?P<hour>\d{{1,2}})(?::|h|\.(?=\d\d ?[ap]\.?m))(?P<minute>[0-5]\d)(?: ?(?P<half>{_HALF}))?(?!\w)",
        rf"\b(?:at )?(?P<past>{_PAST})(?: minutes)? (?P<side>past|to) (?P<hour>{_HOUR})\b(?: (?P<half>{_HALF})(?!\w))?",
        rf"\b(?:at )?(?P<hour>{_HOUR}) ?(?P<half>{_HALF})(?!\w)",
        rf"\b(?:at )?(?P<hour>{_HOUR}) o'? ?clock\b",
        rf"\b(?:at )?(?P<hour>{_HOUR}) (?P<minute>{_MINUTE})\b(?=[,.?!]|$| (?:in|on|to|this|for|please))",
        rf"\b(?:at|from|by|around|about) (?P<hour>{_HOUR})\b(?![.,]?\d)(?! (?:{_UNIT}))",
        r"\b(?:at )?(?P<noon>noon|midday|midnight)\b",
        rf"\b(?P<hour>{_HOUR})(?= (?:in the (?:morning|afternoon|evening)|at night|tonight)\b)",
    )
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spoken(Generic[T]):
    """A value and its place in the text: `text[start:end]`."""

    value: T
    start: int
    end: int
    words: str

    @property
    def span(self) -> tuple[int, int]:
        """Its place in the text."""
        return self.start, self.end


def numbers_in(text: str) -> list[Spoken[float]]:
    """The numbers up to `MOST_VALUE`, in order; `minus`, `point` and `and a half` count, ordinals do not."""
    found = []
    for match in _NUMBER.finditer(text):
        value = float(re.sub("[, ]", "", match["digits"])) if match["digits"] else float(_value(match["spelt"]))
        if match["point"]:
            digits = "".join(str(_UNITS.get(word.lower(), word)) for word in match["after"].split())
            value += float(f"0.{digits}") if digits.isdigit() else 0.0
        if match["half"]:
            value += 0.5
        if value > MOST_VALUE:
            continue
        end = match.start() + len(match[0].rstrip())
        found.append(Spoken(-value if match["minus"] else value, match.start(), end, match[0].strip()))
    return found


def days_in(text: str, now: datetime) -> list[Spoken[date]]:
    """The days, in order, as dates; a day without a year is the next such day from `now` on."""
    found: list[Spoken[date]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            day = _day(match.groupdict(), now.date())
            if day is not None:
                found.append(Spoken(day, match.start(), match.end(), match[0].strip()))
    return sorted(found, key=lambda one: one.start)


def times_in(text: str) -> list[Spoken[time]]:
    """The times of day, in order. An hour from 1 to 7 without am or pm is in the afternoon or evening."""
    found: list[Spoken[time]] = []
    for pattern in _TIMES:
        for match in pattern.finditer(text):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            at = _time(match.groupdict(), text)
            if at is not None:
                found.append(Spoken(at, match.start(), match.end(), match[0].strip()))
    return sorted(found, key=lambda one: one.start)


def _value(spelt: str) -> int:
    """The value of a number in words, without `point`."""
    text = spelt.lower()
    if text.endswith("a dozen"):
        return 6 if text.startswith("half") else 12
    whole, group, last = 0, 0, 0
    for word in re.split(r"[- ]+", text):
        if word in ("a", "and"):
            group = group or (1 if word == "a" else 0)
        elif word in _SCALES:
            if _SCALES[word] == 100:
                group = (group or 1) * 100
            else:
                whole, group = whole + (group or 1) * _SCALES[word], 0
        else:
            value = _UNITS.get(word, _TENS.get(word, 0))
            # "four five six" is said digit by digit, as in an order's number
            group = group * 10 + value if last and value < 10 and last < 10 else group + value
            last = value
            continue
        last = 0
    return whole + group


def _day(told: dict[str, str | None], today: date) -> date | None:
    try:
        if iso := told.get("iso"):
            return date.fromisoformat(iso)
        if told.get("day"):
            return _in_month(told, today)
    except ValueError:
        return None
    if told.get("after"):
        return today + timedelta(days=2)
    if told.get("tomorrow"):
        return today + timedelta(days=1)
    if count := told.get("count"):
        number = 1 if count == "a" else int(count) if count.isdigit() else _value(count)
        per = 7 if (told.get("unit") or "").startswith("week") else 1
        return today + timedelta(days=min(number, 1000) * per)
    if weekday := told.get("weekday"):
        ahead = (_DAYS.index(weekday.lower()) - today.weekday()) % 7
        return today + timedelta(days=7 if told.get("next") and ahead == 0 else ahead)
    if told.get("week"):
        return today + timedelta(days=7)
    if told.get("weekend"):
        return today + timedelta(days=(5 - today.weekday()) % 7)
    return today if told.get("today") else None


def _in_month(told: dict[str, str | None], today: date) -> date:
    """The day of a month; raises ValueError where that month has no such day."""
    number = _ordinal(told["day"] or "")
    name = told.get("month")
    year = int(told.get("year") or today.year)
    if name is None:
        later = today.month + 1 if number < today.day else today.month
        return date(today.year + (later > 12), (later - 1) % 12 + 1, number)
    month = next(at for at, one in enumerate(_MONTHS, start=1) if one.startswith(name.lower()))
    day = date(year, month, number)
    return day.replace(year=year + 1) if day < today and not told.get("year") else day


def _ordinal(word: str) -> int:
    digits = re.match(r"\d+", word)
    if digits:
        return int(digits[0])
    parts = re.split(r"[- ]", word.lower())
    return sum(_TENS.get(part, 0) + _ORDINALS.get(part, 0) for part in parts)


def _time(told: dict[str, str | None], text: str) -> time | None:
    if noon := told.get("noon"):
        return time(0) if noon.lower() == "midnight" else time(12)
    hour, minute = _value_of(told["hour"]), _value_of(told.get("minute"))
    if past := told.get("past"):
        shift = {"half": 30, "quarter": 15}.get(past.lower()) or _value_of(past)
        hour, minute = (hour, shift) if (told.get("side") or "").lower() == "past" else ((hour - 1) % 24, 60 - shift)
    hour = _of_the_day(hour, told.get("half"), text)
    return time(hour, minute) if 0 <= hour < 24 and 0 <= minute < 60 else None


def _of_the_day(hour: int, half: str | None, text: str) -> int:
    """The hour from 0 to 23 that is meant by one that was said."""
    if half:
        late = half.lower().startswith("p")
        return hour % 12 + 12 * late if hour <= 12 else hour
    if not 1 <= hour <= 12:
        return hour
    said = text.lower()
    if "morning" in said:
        return hour % 12 if hour == 12 else hour
    late = re.search(r"tonight|evening|afternoon|dinner|at night", said) is not None
    return hour % 12 + 12 if late or hour <= 7 or hour == 12 else hour


def _value_of(word: str | None) -> int:
    if not word:
        return 0
    return int(word) if word.isdigit() else _value(word)
