"""The spoken forms of times of day, prices and fractions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from harness.measure.words.languages import language_of
from harness.measure.words.numbers_said import cardinal, digit, each_digit, joined
from harness.measure.words.slots import Way
from harness.measure.words.spelling import plain_words

_CLOSE = ("{h} {m}", "{h} e {m}")  # the hour and the minutes may merge into one number
_PLACE = re.compile(r"(\{\w\})")


def is_time(hour: int, minute: int) -> bool:
    """Whether this is a valid time of day; 24 is accepted as an hour."""
    return hour <= 24 and minute < 60


def time_said(code: str, hour: int, minute: int) -> list[Way]:
    """All ways to say a time: `nine thirty`, `half past nine`."""
    language = language_of(code)
    on_dial = (hour - 1) % 12 + 1
    hours = _names(code, dict.fromkeys((hour, on_dial)))
    values = {
        "{h}": hours,
        "{n}": _names(code, dict.fromkeys(((hour + 1) % 24, on_dial % 12 + 1))),
        "{m}": _minutes(code, minute),
        "{r}": _names(code, [60 - minute]),
    }
    templates = list(language.any_minute if minute else ())
    templates += language.at_minute.get(minute, ())
    if minute:
        templates += language.first_half if minute <= 30 else language.second_half
    elif not templates:
        templates = ["{h}"]
    close = [template for template in templates if template in _CLOSE]
    ways = _filled(code, [template for template in templates if template not in _CLOSE], values)
    ways += _filled(code, close, values | {"{m}": _minutes(code, minute, after=hour)})
    if code == "en":
        if hour > 12:
            dial = {**values, "{h}": cardinal(code, on_dial), "{m}": _minutes(code, minute, after=on_dial)}
            ways += [(*way, "pm") for way in _filled(code, templates, dial)]
        if minute == 0 and hour in (0, 12, 24):
            ways.append(("noon",) if hour == 12 else ("midnight",))
    if code == "fr" and hour in (0, 12):
        noon = "midi" if hour == 12 else "minuit"
        quarters: dict[int, list[Way]] = {0: [()], 15: [("et", "quart")], 30: [("et", "demi"), ("et", "demie")]}
        ways += [(noon, *rest) for rest in quarters.get(minute, list(values["{m}"]))]
    return ways


def _names(code: str, numbers: Iterable[int]) -> tuple[Way, ...]:
    return tuple(way for number in numbers for way in cardinal(code, number))


def _minutes(code: str, minute: int, *, after: int = 1) -> tuple[Way, ...]:
    """The ways to say the minutes directly after the number `after`: "twenty five" does not mean 20:05."""
    names = () if minute < 10 and after and after % 10 == 0 else cardinal(code, minute)
    if minute < 10:
        names += tuple((*zero, *way) for zero in digit(code, "0") for way in cardinal(code, minute))
    return names


def _filled(code: str, templates: Iterable[str], values: Mapping[str, Sequence[Way]]) -> list[Way]:
    """Fills each template with all values of its placeholders."""
    ways: list[Way] = []
    for template in templates:
        # A suffix that forms one word with the number, as in `zweieinhalb`.
        together = re.fullmatch(r"\{i\}([^\W\d]+)", template)
        if together:
            ways += [(*way[:-1], way[-1] + together[1]) for way in values["{i}"]]
            continue
        parts = [part for part in _PLACE.split(template) if part]
        ways += [
            joined(chosen)
            for chosen in product(*(values[part] if part in values else [plain_words(part, code)] for part in parts))
        ]
    return ways


def decimal_said(code: str, whole: int, fraction: str) -> list[Way]:
    """`three point five`, `three and a half`; two decimals also as in prices (`three fifty`)."""
    language = language_of(code)
    wholes = cardinal(code, whole)
    fractions = each_digit(code, fraction)
    if len(fraction) > 1 and fraction[0] != "0":
        fractions += cardinal(code, int(fraction))
    points = [plain_words(point, code) for point in language.point] or [()]
    ways = [joined(parts) for parts in product(wholes, points, fractions)]
    if whole == 0:
        ways += [joined(parts) for parts in product(points, fractions)]
    if len(fraction) == 2:
        ways += [joined(parts) for parts in product(wholes, _minutes(code, int(fraction), after=whole))]
    if fraction.rstrip("0") == "5" and whole:
        ways += half_said(code, whole)
    return ways


def half_said(code: str, whole: int) -> list[Way]:
    """`two and a half`."""
    halves = language_of(code).halves
    return _filled(code, halves, {"{i}": cardinal(code, whole)})


def price_said(code: str, currency: str, whole: int, fraction: str) -> list[Way]:
    """`three euros fifty`, `three fifty`, `fifty cents`."""
    language = language_of(code)
    money = language.money.get(currency)
    amounts = cardinal(code, whole)
    plain = decimal_said(code, whole, fraction) if fraction else list(amounts)
    if money is None:
        return plain
    units = [plain_words(unit, code) for unit in money.units]
    parts = [plain_words(part, code) for part in money.parts]
    minor = int(fraction) if len(fraction) == 2 else None
    if not fraction or minor == 0:
        return [joined(ways) for ways in product(amounts, units)]
    ways = [joined(chosen) for chosen in product(plain, units)]
    if minor is None:
        return ways
    ands = [plain_words(word, code) for word in language.money_and]
    ways += plain
    ways += [joined(chosen) for chosen in product(amounts, units, ands, _minutes(code, minor), [(), *parts])]
    if whole == 0:
        ways += [joined(chosen) for chosen in product(cardinal(code, minor), parts)]
    return ways
