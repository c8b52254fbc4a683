"""What a perfect recogniser is charged where it writes figures: numbers, years and prices in 25 languages, and pairs.

The words come from `num2words`, which shares nothing with the rules that the harness has them from; some of its names
are wrong or old themselves ("trescientos treinta y uno mil"). Figures go to `reports/bench/latest.json` under "words".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import jiwer
import num2words
import pytest
from latest import record
from rich.console import Console
from rich.table import Table

from harness.measure.wer import word_error_rate

# fmt: off
LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs",
    "ru", "uk", "tr", "ar", "he", "hu", "ro", "ja", "ko", "th", "vi", "id",
)
# fmt: on
NUMBERS, OTHERS, MOST_DIGITS = 300, 60, 6
SEED = 5
PAIRS = Path(__file__).parents[1] / "files" / "wer_pairs.json"
PLAIN = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)
"""What many a script does before it counts."""


def numbers(random: Random) -> Iterator[int]:
    for _ in range(NUMBERS):
        yield random.randrange(10 ** random.randint(1, MOST_DIGITS))


def said_as(kind: str, value: float, language: str) -> str | None:
    """Its words; None where the package has none."""
    more = {"currency": "EUR"} if kind == "currency" else {}
    try:
        return str(num2words.num2words(value, lang=language, to=kind, **more))
    except (NotImplementedError, KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None


def share_right(kind: str, values: list[float], written: Callable[[float], str], language: str) -> tuple[int, int]:
    """How many are no error, of how many."""
    told = [(said_as(kind, value, language), value) for value in values]
    known = [(said, value) for said, value in told if said]
    return sum(rate(said, written(value), language) == 0 for said, value in known), len(known)


def rate(said: str, heard: str, language: str) -> float | None:
    found = word_error_rate(said, heard, language=language)
    return None if found is None else found.rate


def test_forms_of_numbers() -> None:
    table = Table(title="No error of a perfect recogniser that writes figures, of so many")
    for column in ("language", "numbers", "years", "prices", "other numbers taken for right"):
        table.add_column(column, justify="right")
    rows = {}
    for language in LANGUAGES:
        random = Random(SEED)
        whole: list[float] = [*numbers(random)]
        years: list[float] = [random.randrange(1900, 2030) for _ in range(OTHERS)]
        prices = [random.randrange(1, 20_000) / 100 for _ in range(OTHERS)]
        price = "{:.2f} \u20ac" if language in ("en", "he") else "{:.2f}\u00a0\u20ac"
        point = "." if language in ("en", "he", "ja", "ko", "th") else ","

        def written_price(value: float, form: str = price, point: str = point) -> str:
            return form.format(value).replace(".", point)

        wrong = [
            (said, number + random.choice((1, 10, 100)))
            for number in map(int, whole)
            if (said := said_as("cardinal", number, language))
        ]
        row = {
            "numbers": share_right("cardinal", whole, "{:.0f}".format, language),
            "years": share_right("year", years, "{:.0f}".format, language),
            "prices": share_right("currency", prices, written_price, language),
            "wrong_as_right": sum(rate(said, str(other), language) == 0 for said, other in wrong),
        }
        rows[language] = row
        shown = ["{} of {}".format(*row[name]) if row[name][1] else "" for name in ("numbers", "years", "prices")]
        table.add_row(language, *shown, str(row["wrong_as_right"]))
    Console(width=110).print(table)
    record("words", {"numbers": rows})
    assert all(row["wrong_as_right"] == 0 for row in rows.values())


def test_pairs() -> None:
    table = Table(title="WER of pairs: what was said, how it was written")
    for column in ("language", "said", "heard", "plain jiwer", "harness", "right"):
        table.add_column(column)
    rows = []
    for pair in json.loads(PAIRS.read_text(encoding="utf-8")):
        said, heard, language = pair["said"], pair["heard"], pair["language"]
        plain = jiwer.wer(said, heard, reference_transform=PLAIN, hypothesis_transform=PLAIN)
        rows.append({"language": language, "plain": round(plain, 4), "harness": rate(said, heard, language)})
        table.add_row(language, said, heard, f"{plain:.2f}", f"{rows[-1]['harness']:.2f}", f"{pair['rate']:.2f}")
        assert rows[-1]["harness"] == pytest.approx(pair["rate"])
    Console(width=130).print(table)
    record("words", {"pairs": rows})
