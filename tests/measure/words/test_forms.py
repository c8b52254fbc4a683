"""Times, prices, numbers and short forms: one form on both sides, and still wrong where they are another."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from harness.measure.wer import WordErrors, word_error_rate
from harness.measure.words.numbers_said import cardinal, digits_said
from harness.measure.words.slots import Arc, Way

# Of each language: ways to say it, and ways to write it.
FORMS: dict[str, list[tuple[list[str], list[str]]]] = {
    "en": [
        (["nine thirty", "half past nine"], ["9:30", "9.30", "09:30", "21:30"]),
        (["nine thirty"], ["930"]),
        (["nine oh five", "five past nine", "nine o five"], ["9:05"]),
        (["nine o'clock", "nine o\u2019clock"], ["9:00", "9 o'clock"]),
        (["nine thirty a m", "nine thirty AM"], ["9:30 a.m.", "9:30am", "9:30 AM", "9.30 A.M."]),
        (["a quarter to ten", "quarter to ten", "nine forty five"], ["9:45"]),
        (["nine thirty pm"], ["21:30", "9:30 p.m."]),
        (["noon", "twelve o'clock"], ["12:00"]),
        (["three fifty"], ["$3.50", "3.50", "3:50", "350"]),
        (["three dollars fifty", "three dollars and fifty cents"], ["$3.50", "3.50 dollars", "3.50 USD"]),
        (["twenty euros"], ["\u20ac20", "20 euros", "20 \u20ac", "20 EUR"]),
        (["fifty cents"], ["$0.50", "50 cents"]),
        (["three dollars"], ["$3.00", "$3"]),
        (["two point five dollars", "two and a half dollars"], ["$2.5"]),
        (["May forty five"], ["May 45"]),
        (["write to info at bluecafe"], ["write to info@bluecafe"]),
        (["four five three nine one four eight eight zero three four three six four six seven"], ["4539148803436467"]),
        (["two and a half million dollars", "two point five million dollars"], ["$2.5 million"]),
        # A currency that English has no words for: its amount counts, its unit does not.
        (["two and a half million", "two point five million"], ["R$2.5 million"]),
        (
            [
                "five five five one two three four",
                "triple five one two three four",
                "five fifty five twelve thirty four",
            ],
            ["555-1234", "555 1234", "5551234", "555.1234"],
        ),
        (
            ["oh seven seven double oh nine hundred", "zero seven seven zero zero nine zero zero"],
            ["07700900", "0770 0900"],
        ),
        (["eight hundred five five five one two one two"], ["800-555-1212", "(800) 555-1212"]),
        (["double seven", "seven seven", "seventy seven"], ["77"]),
        (["nineteen oh five", "one nine zero five"], ["1905"]),
        (["twenty twenty four", "two thousand and twenty four", "two thousand twenty-four"], ["2024"]),
        (["the nineteen nineties"], ["the 1990s"]),
        (["ninth of May", "May the ninth", "the ninth of May", "May ninth", "May nine"], ["9 May", "May 9", "May 9th"]),
        (["ninth of May"], ["9th of May"]),
        (["the twenty first", "the twenty-first"], ["the 21st"]),
        (["one thousand two hundred", "twelve hundred", "a thousand two hundred"], ["1,200", "1200"]),
        (["two and a half"], ["2.5", "2\u00bd", "2 1/2"]),
        (["two point five"], ["2.5"]),
        (["three quarters", "three-quarters"], ["3/4", "\u00be"]),
        (["five to six"], ["5-6", "5\u20136", "5 to 6"]),
        (["twenty percent", "twenty per cent"], ["20%", "20 %"]),
        (["twenty one", "twenty-one"], ["21"]),
        (["do not"], ["don't", "don\u2019t", "dont"]),
        (["what is it", "what has it"], ["what's it", "what\u2019s it", "whats it"]),
        (["he would go", "he had go"], ["he'd go", "he\u2019d go"]),
        (["okay"], ["OK", "O.K.", "ok", "o k"]),
        (["e mail", "email"], ["e-mail", "e\u2011mail"]),
        (["caf\u00e9 colour"], ["cafe color", "cafe\u0301 colour"]),
        (["salt and pepper"], ["salt & pepper"]),
        (["table b twelve"], ["table B12", "table b 12"]),
        (["number five"], ["#5", "number 5"]),
        (["three to one"], ["3:1", "3-1"]),
        (["ten am to six pm"], ["10am-6pm", "10 AM \u2013 6 PM"]),
        (["version two point zero point one"], ["version 2.0.1"]),
        (["doctor smith"], ["Dr. Smith"]),
        (["nine one one", "nine eleven"], ["911"]),
        (["one thousand two hundred thirty-four dollars and fifty-six cents"], ["$1,234.56"]),
        (["open daily"], ["open (daily)", "open [noise] daily", "open (laughs) daily"]),
    ],
    "de": [
        (
            ["halb zehn", "neun Uhr drei\u00dfig", "neun drei\u00dfig"],
            ["9:30 Uhr", "9:30", "9.30 Uhr", "9 Uhr 30", "21:30"],
        ),
        (["viertel nach neun", "neun Uhr f\u00fcnfzehn", "viertel zehn"], ["9:15", "9:15 Uhr"]),
        (["f\u00fcnf vor zehn"], ["9:55"]),
        (["einundzwanzig"], ["21"]),
        (["drei Euro f\u00fcnfzig", "drei Euro und f\u00fcnfzig Cent"], ["3,50 \u20ac", "3,50 Euro"]),
        (["zweieinhalb", "zwei Komma f\u00fcnf"], ["2,5"]),
        (["am neunten Mai"], ["am 9. Mai"]),
        (["Nummer neun."], ["Nummer 9."]),
        (["eintausendzweihundert"], ["1.200", "1200"]),
        (["neunzehnhundertneunundneunzig"], ["1999"]),
        (["zwanzig Prozent"], ["20 %", "20%"]),
        (["Stra\u00dfe"], ["Strasse"]),
        (["null eins sieben zwo", "null eins sieben zwei"], ["0172", "0 172"]),
        (["geht's"], ["geht\u2019s", "gehts"]),
    ],
    "fr": [
        (["neuf heures et demie", "neuf heures trente"], ["9h30", "9 h 30", "9:30"]),
        (["dix heures moins le quart"], ["9h45"]),
        (["midi et demi"], ["12h30"]),
        (["vingt-et-un", "vingt et un"], ["21"]),
        (["trois euros cinquante"], ["3,50 \u20ac", "3,50 euros", "3 euros 50"]),
        (["z\u00e9ro six douze trente-quatre cinquante-six soixante-dix-huit"], ["06 12 34 56 78", "0612345678"]),
        (["le premier mai"], ["le 1er mai"]),
        (["l'heure"], ["l\u2019heure"]),
        (["vingt pour cent"], ["20 %"]),
        (["dix mille"], ["10 000", "10\u202f000", "10000"]),
    ],
    "es": [
        (["las nueve y media", "las nueve y treinta"], ["las 9:30"]),
        (["las diez menos cuarto"], ["las 9:45"]),
        (["tres euros con cincuenta"], ["3,50 \u20ac", "3,50 euros"]),
        (["veintiuna personas"], ["21 personas"]),
        (["veinte por ciento"], ["20 %"]),
        (["primera planta"], ["1\u00aa planta"]),
    ],
    "it": [(["le nove e mezza"], ["le 9:30"]), (["tre euro e cinquanta"], ["3,50 \u20ac"]), (["ventuno"], ["21"])],
    "pt": [
        (["nove e meia"], ["9:30", "9h30"]),
        (["vinte e um"], ["21"]),
        (["dezesseis", "dezasseis"], ["16"]),
        (["tr\u00eas reais e cinquenta"], ["R$ 3,50"]),
    ],
    "nl": [(["half tien"], ["9:30", "9.30 uur"]), (["eenentwintig"], ["21"]), (["twee\u00ebnhalf"], ["2,5"])],
    "sv": [(["halv tio"], ["9:30"]), (["tjugo procent"], ["20 %"])],
    "pl": [(["dwadzie\u015bcia jeden"], ["21"])],
    "ru": [
        (["\u0434\u0435\u0432\u044f\u0442\u044c \u0442\u0440\u0438\u0434\u0446\u0430\u0442\u044c"], ["9:30"]),
        (["\u0434\u0432\u0430\u0434\u0446\u0430\u0442\u0438 \u043e\u0434\u043d\u043e\u0433\u043e"], ["21"]),
    ],
    "fi": [(["kolmesataaviisi", "kolmesataa viisi", "kolme sataa viisi"], ["305"])],
    "cs": [(["\u010dty\u0159ista osmdes\u00e1t", "\u010dty\u0159i sta osmdes\u00e1t"], ["480"])],
    "ro": [(["treizeci \u0219i trei", "treizeci \u015fi trei"], ["33"])],
    "tr": [(["yirmi bir", "yirmibir"], ["21"]), (["I\u015eIK"], ["\u0131\u015f\u0131k"])],
    "hi": [(["इक्कीस"], ["21", "२१"]), (["नौ"], ["9:00"])],
    "ar": [(["مَتَى"], ["متى", "متـى"]), (["واحد وعشرون"], ["٢١", "21"])],
    "he": [(["שָׁלוֹם"], ["שלום"])],
    "zh": [
        (["九点半", "九点三十分", "九点三十"], ["9:30"]),
        (["九点半"], ["9点半", "九 点 半", "9点30分"]),
        (["二十一"], ["21"]),
        (["一二三四", "幺二三四"], ["1234"]),
    ],
    "ja": [(["九時半", "九時三十分"], ["9:30"]), (["九時半"], ["9時半"]), (["二十一"], ["21", "\uff12\uff11"])],
    "th": [(["เปิดกี่โมง"], ["เปิด กี่ โมง", "เปิด\u200bกี่โมง"])],
}


def errors(said: str, heard: str, language: str = "en") -> WordErrors:
    found = word_error_rate(said, heard, language=language)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("language", "spoken", "written"),
    [
        (language, spoken, written)
        for language, rows in FORMS.items()
        for ways, forms in rows
        for spoken in ways
        for written in forms
    ],
)
def test_what_is_said_is_what_is_written(language: str, spoken: str, written: str) -> None:
    for around in ("{}", "x {} y"):
        said, heard = around.format(spoken), around.format(written)
        assert errors(said, heard, language).rate == 0, errors(said, heard, language)
        if "(" not in written and "[" not in written:  # remarks are the recogniser's
            assert errors(heard, said, language).rate == 0, errors(heard, said, language)


@pytest.mark.parametrize(
    ("language", "said", "heard", "wrong", "of"),
    [
        ("en", "nine thirty", "9:40", 1, 2),
        ("en", "nine thirty", "9:13", 1, 2),
        ("en", "nine thirty", "10:30", 1, 2),
        ("en", "half past nine", "8:30", 1, 3),
        ("en", "nine thirteen", "9:30", 1, 2),
        ("en", "twenty one", "201", 2, 2),
        ("en", "thirty five", "305", 2, 2),
        ("en", "one hundred five", "1005", 1, 3),
        ("en", "nine thirty five", "9305", 2, 3),
        ("en", "one point five", "15", 1, 3),
        ("en", "three point one four", "314", 1, 4),
        ("en", "five five five one two three four", "555-1235", 1, 7),
        ("en", "five five five one two three four", "555-123", 1, 7),
        ("en", "five five", "5", 1, 2),
        ("en", "five dollars", "5", 1, 2),
        ("en", "five dollars", "\u20ac5", 1, 2),
        ("en", "three dollars fifty", "$3.15", 1, 3),
        ("en", "ninth of May", "5th of May", 1, 3),
        ("en", "ninth of May", "9th of March", 1, 3),
        ("en", "twenty first", "22nd", 1, 2),
        ("en", "twenty percent", "20", 1, 2),
        ("en", "we're open", "were open", 2, 3),
        ("en", "we'll go", "well go", 2, 3),
        ("en", "he'll go", "hell go", 2, 3),
        ("en", "we can open", "we can't open", 1, 3),
        ("en", "I do", "I don't", 1, 2),
        ("en", "nine a m", "9 pm", 1, 2),
        ("en", "are you open", "are you (not) shut", 1, 3),
        ("de", "halb zehn", "10:30", 1, 2),
        ("de", "einundzwanzig", "12", 1, 1),
        ("de", "drei Euro f\u00fcnfzig", "3,15 \u20ac", 1, 3),
        ("fr", "vingt-et-un", "22", 2, 3),
        ("fi", "kolmesataaviisi", "306", 1, 1),
        ("de", "f\u00fcnfzehn Euro", "5,10 \u20ac", 2, 2),
        ("de", "f\u00fcnfzehn", "510", 1, 1),
        ("de", "um achtzehn", "8:10", 2, 2),
        ("sv", "femtio", "510", 1, 1),
        ("en", "twenty five dollars", "$20.05", 1, 3),
        ("en", "twenty five", "20:05", 1, 2),
        ("pl", "piec", "5", 1, 1),
        ("tr", "\u00f6n", "10", 1, 1),
        ("tr", "yirmibir", "22", 2, 1),
        ("hi", "दुकान कब खुलती है", "दुकान कब खुलता है", 1, 4),
        ("hi", "की", "का", 1, 1),
        ("ta", "கடை", "கடி", 1, 1),
        ("zh", "你们星期天几点开门", "你们星期二几点开门", 1, 9),
        ("zh", "三十五", "315", 1, 3),
        ("ja", "何時に開きますか", "何時に閉きますか", 1, 8),
        (
            "ar",
            "\u0645\u062a\u0649 \u062a\u0641\u062a\u062d\u0648\u0646",
            "\u0645\u062a\u0649 \u062a\u0641\u0647\u0645\u0648\u0646",
            1,
            2,
        ),
        ("vi", "m\u00e1", "m\u00e0", 1, 1),
    ],
)
def test_another_number_or_word_is_an_error(language: str, said: str, heard: str, wrong: int, of: int) -> None:
    assert errors(said, heard, language).rate == pytest.approx(wrong / of, abs=1e-4), errors(said, heard, language)


def test_long_texts_with_nothing_in_common_are_compared_by_their_shortest_ways() -> None:
    said = " ".join(f"we open at 9:{minute}" for minute in range(10, 60))
    heard = " ".join(f"cheap tea costs $3.{cents}" for cents in range(60, 100))
    found = errors(said, heard)
    assert found.rate > 0.9
    assert "we open at nine ten" in found.reference
    assert "cheap tea costs three sixty" in found.hypothesis


@pytest.mark.parametrize("language", ["en", "fr", "ru", "tr", "zh"])
def test_no_number_is_ever_said_as_another(language: str) -> None:
    names = {way: number for number in range(1000) for way in cardinal(language, number)}
    for number in [*range(100, 1000, 7), *range(1000, 10_000, 193)]:
        for way in ways_through(*digits_said(language, str(number))):
            assert names.get(way, number) == number, way


def ways_through(arcs: list[Arc], end: int) -> Iterator[Way]:
    """All ways to say a number in digits."""
    begun: list[tuple[int, Way]] = [(0, ())]
    while begun:
        node, way = begun.pop()
        if node == end:
            yield way
        begun += [(to, way + more) for start, to, more in arcs if start == node]


@pytest.mark.parametrize("language", ["en", "de", "fr", "zh", "ar", "xx"])
def test_whatever_a_service_writes_is_compared(language: str) -> None:
    random = Random(language)
    parts = [
        "9",
        "30",
        "0",
        "00",
        ":",
        ".",
        ",",
        "-",
        " ",
        " ",
        "$",
        "€",
        "%",
        "/",
        "(",
        ")",
        "[",
        "]",
        "'",
        "s",
        "am",
        "p.m.",
    ]
    parts += [
        "1,000",
        "½",
        "th",
        "May",
        "#",
        "+",
        "&",
        "uhr",
        "h",
        "点",
        "三",
        "mm",
        "-hmm",
        "\u064e",
        "\u200d",
        "e\u0301",
        "\ud83d",
    ]
    for _ in range(120):
        said, heard = ("".join(random.choices(parts, k=random.randrange(1, 14))) for _ in range(2))
        same = word_error_rate(said, said, language=language)
        assert same is None or same.rate == 0 or "[" in said, said
        other = word_error_rate(said, heard, language=language)
        assert (other is None) == (same is None)
