"""Recognises written forms (times, prices, dates, numbers) in a text, with all ways to say each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import product

from harness.measure.words.clock import decimal_said, half_said, is_time, price_said, time_said
from harness.measure.words.languages import CURRENCIES, language_of
from harness.measure.words.numbers_said import cardinal, digits_said, joined, ordinal, whole_names
from harness.measure.words.slots import Arc, Slot, Way, of_arcs, of_ways
from harness.measure.words.spelling import plain_words

_SIGN = r"r\$|[$€£¥₹₽]"
_AMOUNT = r"\d+(?:[.,]\d{3})*(?:[.,]\d{1,2})?(?![.,]?\d)"
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"
)
_MONTH_NAMES = {name[:3]: name for name in _MONTHS.split("|")[:12]}
_SCALES = "hundred|thousand|million|billion|trillion"
PHONE_LENGTH = 7


def form_at(text: str, at: int, code: str) -> tuple[Slot, int] | None:
    """The written form that begins at position `at` of a folded text, and its end; None if there is none."""
    for pattern, said in _forms(code):
        match = pattern.match(text, at)
        slot = said(match) if match else None
        if match and slot is not None:
            return slot, match.end()
    return None


@cache
def _forms(code: str) -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], Slot | None]]]:
    """The patterns, longest forms first, each with the function that lists the ways to say a match."""
    language = language_of(code)
    names = "|".join(sorted((re.escape(name) for name in CURRENCIES if name[0].isalpha()), key=len, reverse=True))
    forms: list[tuple[str, Callable[[str, re.Match[str]], Slot | None]]] = []
    if code == "en":
        forms += [
            (rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTHS})(?![\w'])", _date),
            (rf"(?P<month>{_MONTHS})\.? (?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:]|[.,]\d)", _date),
            (r"(?P<number>(?:\d\d)?\d0)'?s(?!\w)", _decade),
            (rf"(?P<sign>{_SIGN}) ?(?P<amount>{_AMOUNT}) (?P<scale>{_SCALES})(?!\w)", _scaled),
        ]
    forms += [
        (rf"(?P<sign>{_SIGN}) ?(?P<amount>{_AMOUNT})", _price),
        (rf"(?P<amount>{_AMOUNT}) ?(?P<sign>{_SIGN}|(?:usd|eur|gbp)(?!\w))", _price),
        (rf"(?P<amount>\d+[.,]\d\d) (?P<sign>(?:{names})(?!\w))", _price),
        (r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?![:\d])" + _hour_words(code), _time),
    ]
    if language.hour_words:
        forms.append((rf"(?P<hour>\d{{1,2}}) ?(?:{language.hour_words}) ?(?P<minute>\d\d)(?!\d)分?", _time))
        if code in ("de", "nl"):
            forms.append((rf"(?P<hour>\d{{1,2}})\.(?P<minute>\d\d)(?!\d) ?(?:{language.hour_words})(?!\w)", _time))
    if language.ordinal:
        forms.append((rf"(?P<number>\d{{1,4}})(?:{language.ordinal})(?!\w)", _ordinal))
    forms += [
        (r"(?:(?P<whole>\d+) )?(?P<over>\d)[/\u2044](?P<under>\d)(?![\d/])", _fraction),
        (r"\+?\(?\d[\d ().-]{5,}\d", _telephone),
        (r"(?P<number>\d{1,3}(?:(?P<mark>[.,' ])\d{3})(?:(?P=mark)\d{3})*)(?!\d)", _grouped),
        (r"(?P<whole>\d{1,9})(?P<mark>[.,])(?P<fraction>\d+)(?![.,]?\d)", _decimal),
        (r"(?P<number>\d+)", _digits),
    ]
    return [(re.compile(pattern), partial(said, code)) for pattern, said in forms]


def _hour_words(code: str) -> str:
    words = language_of(code).hour_words
    return rf"(?: ?(?:{words})(?!\w))?" if words else ""


def _digits(code: str, match: re.Match[str]) -> Slot:
    slot = of_arcs(digits_said(code, match["number"])[0])
    return replace(slot, names=whole_names(code, match["number"]))


def _time(code: str, match: re.Match[str]) -> Slot | None:
    hour, minute = int(match["hour"]), int(match["minute"])
    return of_ways(time_said(code, hour, minute)) if is_time(hour, minute) else None


def _ordinal(code: str, match: re.Match[str]) -> Slot | None:
    ways = ordinal(code, int(match["number"]))
    if not ways:
        return None
    # A full stop after a number may end the sentence.
    return of_ways([*ways, *cardinal(code, int(match["number"]))] if match[0].endswith(".") else ways)


def _decimal(code: str, match: re.Match[str]) -> Slot:
    ways = decimal_said(code, int(match["whole"]), match["fraction"])
    if match["mark"] == "." and len(match["fraction"]) == 2 and is_time(int(match["whole"]), int(match["fraction"])):
        ways += time_said(code, int(match["whole"]), int(match["fraction"]))
    return of_ways(ways)


def _grouped(code: str, match: re.Match[str]) -> Slot | None:
    """`1,000`; None if a single mark is the language's decimal point, because it may be a decimal."""
    mark, number = match["mark"], match["number"]
    whole, *groups = number.split(mark)
    is_point = mark == ("," if language_of(code).comma_is_point else ".")
    if whole.startswith("0") or (is_point and len(groups) == 1):
        return None
    arcs, end = digits_said(code, number.replace(mark, ""))
    if mark == " ":  # two numbers, or one
        at = end
        pieces: list[Arc] = []
        for piece in (whole, *groups):
            of_piece, length = digits_said(code, piece)
            pieces += [(at + start, at + to, way) for start, to, way in of_piece]
            at += length
        arcs = [(start, at if to == end else to, way) for start, to, way in arcs]
        arcs += [(0 if start == end else start, to, way) for start, to, way in pieces]
        return of_arcs(arcs)
    return replace(of_arcs(arcs), names=whole_names(code, number.replace(mark, "")))


def _telephone(code: str, match: re.Match[str]) -> Slot | None:
    """Groups of digits that form one long number, however they are grouped."""
    pieces = re.findall(r"\d+", match[0])
    figures = "".join(pieces)
    apart = any(len(piece) > 4 for piece in pieces) and len(pieces) > 1
    if len(figures) < PHONE_LENGTH or len(pieces) < 2 or apart or re.search(r"\.\d\d$", match[0]):
        return None
    arcs, _ = digits_said(code, figures)
    place = 0
    for piece in pieces:
        if piece[0] != "0":
            to = place + len(piece)
            arcs += [(3 * place, 3 * to, way) for way in cardinal(code, int(piece))]
        place += len(piece)
    plus = [plain_words("plus", code)] if match[0][0] == "+" else []
    return of_arcs([(start + 1, to + 1, way) for start, to, way in arcs] + [(0, 1, way) for way in [(), *plus]])


def _price(code: str, match: re.Match[str]) -> Slot | None:
    whole, fraction = _amount(match["amount"])
    currency = CURRENCIES.get(match["sign"])
    if currency is None or len(whole) > 12:
        return None
    if fraction:
        return of_ways(price_said(code, currency, int(whole), fraction))
    arcs, end = digits_said(code, whole)
    money = language_of(code).money.get(currency)
    units = [plain_words(unit, code) for unit in money.units] if money else [()]
    return of_arcs([*arcs, *((end, end + 1, unit) for unit in units)])


def _amount(text: str) -> tuple[str, str]:
    """The whole units and the decimals: the digits after the last mark, if there are one or two."""
    whole, mark, fraction = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", text).groups()  # type: ignore[union-attr]
    return re.sub(r"\D", "", whole), fraction if mark else ""


def _scaled(code: str, match: re.Match[str]) -> Slot | None:
    """`$2.5 million`."""
    whole, fraction = _amount(match["amount"])
    currency = CURRENCIES.get(match["sign"])
    if currency is None or len(whole) > 12:
        return None
    amounts = decimal_said(code, int(whole), fraction) if fraction else cardinal(code, int(whole))
    money = language_of(code).money.get(currency)
    units: list[Way] = [(unit,) for unit in money.units] if money else [()]
    return of_ways(joined(chosen) for chosen in product(amounts, [(match["scale"],)], units))


def _fraction(code: str, match: re.Match[str]) -> Slot | None:
    over, under = int(match["over"]), int(match["under"])
    if (over, under) == (1, 2) and match["whole"]:
        return of_ways(half_said(code, int(match["whole"]))) if language_of(code).halves else None
    parts = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 8: "eighth"}
    if code != "en" or under not in parts or over >= under:
        return None
    name = parts[under] if over == 1 else {"half": "halves"}.get(parts[under], parts[under] + "s")
    ways: list[Way] = [(*way, name) for way in cardinal(code, over)]
    ways += [("a", name), (name,)] if over == 1 else []
    if under == 4:
        ways += [(*way[:-1], "fourth" + ("s" if over > 1 else "")) for way in ways]
    if match["whole"]:
        ways = [joined(chosen) for chosen in product(cardinal(code, int(match["whole"])), [("and",)], ways)]
    return of_ways(ways)


def _decade(code: str, match: re.Match[str]) -> Slot:
    """`1990s`."""
    arcs, end = digits_said(code, match["number"])
    return of_arcs((start, to, (*way[:-1], _plural(way[-1])) if to == end else way) for start, to, way in arcs)


def _plural(word: str) -> str:
    return word[:-1] + "ies" if word.endswith("y") else word + "s"


def _date(code: str, match: re.Match[str]) -> Slot | None:
    """`May 9`, `9th of May`: all are said interchangeably."""
    day, month = int(match["day"]), _MONTH_NAMES[match["month"][:3]]
    if not 1 <= day <= 31:
        return None
    ways: list[Way] = []
    for name in ordinal(code, day):
        ways += [(month, *name), (month, "the", *name), (*name, "of", month), ("the", *name, "of", month)]
        ways += [(*name, month), ("the", *name, month)]
    ways += [way for name in cardinal(code, day) for way in ((month, *name), (*name, month))]
    return of_ways(ways)
