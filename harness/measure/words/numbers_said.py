"""The spoken forms of numbers: as a whole, in groups, digit by digit; number names are from Unicode's CLDR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import chain, product
from typing import TYPE_CHECKING

from harness.measure.words.languages import language_of
from harness.measure.words.slots import Arc, Way
from harness.measure.words.spelling import plain_words

if TYPE_CHECKING:
    from unicode_rbnf import RbnfEngine

LONGEST = 15  # digits; a longer number is only read digit by digit
_ORDINAL, _YEAR = "ordinal", "year"
# Regional or generational variants that the CLDR rules lack, as replacements within the rules' names.
_ALSO: dict[str, tuple[tuple[str, str], ...]] = {
    "nl": (("een", "\u00e9\u00e9n"),),
    "nb": (("sju", "syv"), ("tjue", "tyve"), ("tretti", "tredve")),
    "pt": (("dezesseis", "dezasseis"), ("dezessete", "dezassete"), ("dezenove", "dezanove"), ("quatorze", "catorze")),
    "ro": (("mii", "de mii"),),
    "vi": (("không trăm", "lẻ"), ("không trăm", "linh"), ("linh", "lẻ"), ("nghìn", "ngàn"), ("mươi tư", "mươi bốn")),
}
_RULES = {"nb": "no", "yue": "yue", "fil": "fil"}


@cache
def _engine(code: str) -> RbnfEngine | None:
    from unicode_rbnf import RbnfEngine

    try:
        return RbnfEngine.for_language(_RULES.get(code, code))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _named(code: str, number: int, kind: str) -> tuple[Way, ...]:
    """The number's names of a kind, in all genders and cases; empty if the language has no rules."""
    from unicode_rbnf.engine import RbnfError

    engine = _engine(code)
    if engine is None:
        return ()
    names: dict[Way, None] = {}
    for name, rules in engine.rulesets.items():
        of_kind = _ORDINAL if _ORDINAL in name else _YEAR if _YEAR in name else ""
        if rules.is_private or not name.startswith("spellout") or of_kind != kind:
            continue
        try:
            text = "".join(engine.iter_format_number(number, ruleset_name=name))
        except (RbnfError, ValueError, KeyError, IndexError, RecursionError):
            continue
        names[plain_words(text.replace("\u00ad", ""), code)] = None
    for old, new in _ALSO.get(code, ()):
        names |= dict.fromkeys(tuple(" ".join(way).replace(old, new).split()) for way in list(names))
    return tuple(way for way in names if way)


@lru_cache(maxsize=4096)
def cardinal(code: str, number: int) -> tuple[Way, ...]:
    """`two hundred five`, `two hundred and five`; the digits themselves if the language is unknown."""
    names = _named(code, number, "")
    if code == "en":
        names += tuple(("a", *way[1:]) for way in names if way[0] == "one" and len(way) > 1)
    return names or ((str(number),),)


@lru_cache(maxsize=4096)
def whole_names(code: str, figures: str) -> frozenset[str]:
    """The names of a whole number without spaces; empty if it is read digit by digit."""
    if len(figures) > LONGEST or (figures[0] == "0" and len(figures) > 1):
        return frozenset()
    number = int(figures)
    names = cardinal(code, number) + (_named(code, number, _YEAR) if len(figures) == 4 else ())
    return frozenset("".join(way) for way in names)


def ordinal(code: str, number: int) -> tuple[Way, ...]:
    """`twenty first`; empty if unknown."""
    names = _named(code, number, _ORDINAL)
    if code == "de":  # the rules give a name ending in "e", but not its other inflections
        names += tuple((*way[:-1], way[-1] + end) for way in names if way[-1].endswith("e") for end in "nrms")
    return names


def digit(code: str, figure: str) -> tuple[Way, ...]:
    """The ways to say a single digit."""
    others = {("de", "2"): ("zwo",), ("zh", "1"): ("幺",), ("zh", "2"): ("两",), ("zh", "0"): ("\u3007", "零")}
    zeros = language_of(code).zeros if figure == "0" else ()
    return (*cardinal(code, int(figure)), *((word,) for word in (*zeros, *others.get((code, figure), ()))))


def each_digit(code: str, figures: str) -> list[Way]:
    """The ways to say digits one by one; for more than three digits, only each one's most common name."""
    names = 4 if len(figures) <= 3 else 1
    return [joined(ways) for ways in product(*(digit(code, figure)[:names] for figure in figures))]


def joined(ways: Iterable[Way]) -> Way:
    """Concatenates ways."""
    return tuple(chain.from_iterable(ways))


def digits_said(code: str, figures: str) -> tuple[list[Arc], int]:
    """The ways to say a number in digits, as arcs from node 0 to the returned end: as a whole, in groups, by digits.

    A round group (`thirty`) is not followed by a smaller one (`five`), which would name another number. A node is a
    position in the number combined with how many zeros the group before it ended with.
    """
    length = len(figures)
    end = 3 * length
    if length > LONGEST:
        return [
            (3 * place, 3 * (place + 1), way) for place, figure in enumerate(figures) for way in digit(code, figure)
        ], end
    arcs: list[Arc] = []
    reached = {0}
    for place in range(length):
        for zeros in range(3):
            node = 3 * place + zeros
            if node not in reached:
                continue
            for size, trailing, way in _groups(code, figures, place):
                if size > zeros or figures[place] == "0":
                    to = end if place + size == length else 3 * (place + size) + trailing
                    reached.add(to)
                    arcs.append((node, to, way))
    return arcs, end


def _groups(code: str, figures: str, place: int) -> Iterator[tuple[int, int, Way]]:
    """Yields the groups that may begin at a position: number of digits, trailing zeros, and a way to say it."""
    length = len(figures)
    language = language_of(code)
    if place == 0 and (figures[0] != "0" or length == 1):
        number = int(figures)
        yield from ((length, 0, way) for way in cardinal(code, number))
        if length == 4 and language.in_pairs:
            yield from ((length, 0, way) for way in _named(code, number, _YEAR))
    figure = figures[place]
    if length > 1 or figure == "0":
        yield from ((1, 0, way) for way in digit(code, figure))
    for times, words in language.twice.items():
        if figures[place : place + times] == figure * times:
            yield from ((times, 0, (word, *way)) for word in words for way in digit(code, figure))
    if figure == "0" or not language.in_pairs:
        return
    for size in (2, 3):
        group = figures[place : place + size]
        # `five`, `one hundred` would become `five hundred` in languages that omit the one.
        if len(group) < size or length <= size or (size == 3 and figure == "1" and place > 0):
            continue
        if code == "fr" and size == 2 and place > 0 and figures[place - 1] == "4" and figure == "2":
            continue  # quatre, vingt
        trailing = size - len(group.rstrip("0"))
        if code == "fr" and group in ("60", "80"):
            trailing = 2  # soixante, dix
        yield from ((size, trailing, way) for way in cardinal(code, int(group)))
    if code == "en" and figures[place + 1 : place + 4] != "000" and figures[place + 2 : place + 4] == "00":
        yield from ((4, 2, (*way, "hundred")) for way in cardinal(code, int(figures[place : place + 2])))
