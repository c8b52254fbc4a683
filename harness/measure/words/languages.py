"""The words that each language uses between and around numbers: decimal point, money, time of day.

In a template `{h}` is the hour, `{n}` the next hour, `{m}` the minutes and `{r}` the minutes left in the hour. Hours
are on the 24-hour and the 12-hour clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Money:
    """The names of a currency's unit and of its hundredth."""

    units: tuple[str, ...]
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Language:
    """The words that a language uses for signs and numbers."""

    point: tuple[str, ...] = ()
    percent: tuple[str, ...] = ()
    and_: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    money: dict[str, Money] = field(default_factory=dict)
    money_and: tuple[str, ...] = ("",)
    halves: tuple[str, ...] = ()
    at_minute: dict[int, tuple[str, ...]] = field(default_factory=dict)
    any_minute: tuple[str, ...] = ("{h} {m}",)
    first_half: tuple[str, ...] = ()
    second_half: tuple[str, ...] = ()
    hour_words: str = ""
    zeros: tuple[str, ...] = ()
    twice: dict[int, tuple[str, ...]] = field(default_factory=dict)
    comma_is_point: bool = True
    ordinal: str = ""
    in_pairs: bool = True


_ROMANCE_ORDINAL = r"\.?(?:o|a)s?"

LANGUAGES: dict[str, Language] = {
    "en": Language(
        point=("point", "dot"),
        percent=("percent",),
        and_=("and",),
        until=("to", "dash", "through"),
        money={
            "dollar": Money(("dollars", "dollar"), ("cents", "cent")),
            "euro": Money(("euros", "euro"), ("cents", "cent")),
            "pound": Money(("pounds", "pound"), ("pence", "p")),
            "yen": Money(("yen",)),
            "rupee": Money(("rupees", "rupee")),
        },
        money_and=("", "and"),
        halves=("{i} and a half",),
        at_minute={
            0: ("{h}", "{h} o'clock", "{h} hundred", "{h} hundred hours"),
            15: ("quarter past {h}", "a quarter past {h}", "quarter after {h}", "a quarter after {h}"),
            30: ("half past {h}", "half {h}"),
            45: ("quarter to {n}", "a quarter to {n}", "quarter of {n}", "a quarter of {n}"),
        },
        first_half=("{m} past {h}", "{m} minutes past {h}", "{m} after {h}"),
        second_half=("{r} to {n}", "{r} minutes to {n}", "{r} till {n}"),
        zeros=("oh", "o", "nought"),
        twice={2: ("double",), 3: ("triple", "treble")},
        comma_is_point=False,
        ordinal=r"(?:st|nd|rd|th)",
    ),
    "de": Language(
        point=("komma", "punkt"),
        percent=("prozent",),
        and_=("und",),
        until=("bis",),
        money={
            "euro": Money(("euro", "euros"), ("cent", "cents")),
            "dollar": Money(("dollar",), ("cent", "cents")),
            "pound": Money(("pfund",), ("pence",)),
        },
        money_and=("", "und"),
        halves=("{i}einhalb", "{i} einhalb"),
        at_minute={
            0: ("{h} uhr", "{h}"),
            15: ("viertel nach {h}", "viertel {n}"),
            30: ("halb {n}",),
            45: ("dreiviertel {n}", "drei viertel {n}", "viertel vor {n}"),
        },
        any_minute=("{h} uhr {m}", "{h} {m}"),
        first_half=("{m} nach {h}", "{m} minuten nach {h}"),
        second_half=("{r} vor {n}", "{r} minuten vor {n}"),
        hour_words="uhr",
        ordinal=r"\.(?=\s+[^\W\d])",
    ),
    "fr": Language(
        point=("virgule", "point"),
        percent=("pour cent", "pourcent"),
        and_=("et",),
        until=("a", "à"),
        money={
            "euro": Money(("euros", "euro"), ("centimes", "centime", "cents")),
            "dollar": Money(("dollars", "dollar"), ("cents", "cent")),
            "pound": Money(("livres", "livre"), ("pence",)),
        },
        money_and=("", "et"),
        halves=("{i} et demi", "{i} et demie"),
        at_minute={
            0: ("{h} heures", "{h} heure", "{h}"),
            15: ("{h} heures et quart", "{h} heure et quart"),
            30: ("{h} heures et demie", "{h} heure et demie", "{h} heures et demi"),
            45: ("{n} heures moins le quart", "{n} heure moins le quart"),
        },
        any_minute=("{h} heures {m}", "{h} heure {m}", "{h} {m}"),
        second_half=("{n} heures moins {r}", "{n} heure moins {r}"),
        hour_words="heures?|h",
        ordinal=r"(?:ers?|res?|ères?|e|èmes?|emes?|nde?s?)",
    ),
    "es": Language(
        point=("coma", "punto", "con"),
        percent=("por ciento",),
        and_=("y",),
        until=("a",),
        money={
            "euro": Money(("euros", "euro"), ("céntimos", "céntimo", "centavos")),
            "dollar": Money(("dólares", "dólar"), ("centavos", "centavo")),
            "pound": Money(("libras", "libra"), ("peniques",)),
        },
        money_and=("", "con", "y"),
        halves=("{i} y medio", "{i} y media"),
        at_minute={
            0: ("{h}", "{h} en punto", "{h} horas"),
            15: ("{h} y cuarto",),
            30: ("{h} y media",),
            45: ("{n} menos cuarto",),
        },
        any_minute=("{h} y {m}", "{h} {m}"),
        second_half=("{n} menos {r}",),
        hour_words="horas?|h",
        ordinal=_ROMANCE_ORDINAL,
    ),
    "it": Language(
        point=("virgola", "punto"),
        percent=("per cento", "percento"),
        and_=("e",),
        until=("a",),
        money={
            "euro": Money(("euro",), ("centesimi", "centesimo")),
            "dollar": Money(("dollari", "dollaro"), ("centesimi", "centesimo")),
            "pound": Money(("sterline", "sterlina"), ("pence",)),
        },
        money_and=("", "e"),
        halves=("{i} e mezzo", "{i} e mezza"),
        at_minute={
            0: ("{h}", "{h} in punto"),
            15: ("{h} e un quarto", "{h} e quarto"),
            30: ("{h} e mezza", "{h} e mezzo"),
            45: ("{h} e tre quarti", "{n} meno un quarto"),
        },
        any_minute=("{h} e {m}", "{h} {m}"),
        second_half=("{n} meno {r}",),
        ordinal=_ROMANCE_ORDINAL,
    ),
    "pt": Language(
        point=("vírgula", "ponto"),
        percent=("por cento",),
        and_=("e",),
        until=("a",),
        money={
            "euro": Money(("euros", "euro"), ("cêntimos", "cêntimo")),
            "dollar": Money(("dólares", "dólar"), ("centavos", "centavo")),
            "real": Money(("reais", "real"), ("centavos", "centavo")),
        },
        money_and=("", "e"),
        halves=("{i} e meio", "{i} e meia"),
        at_minute={
            0: ("{h} horas", "{h} hora", "{h}"),
            15: ("{h} e um quarto", "{h} e quinze"),
            30: ("{h} e meia",),
            45: ("um quarto para as {n}",),
        },
        any_minute=("{h} e {m}", "{h} horas e {m}", "{h} {m}"),
        hour_words="horas?|h",
        ordinal=_ROMANCE_ORDINAL,
    ),
    "nl": Language(
        point=("komma", "punt"),
        percent=("procent",),
        and_=("en",),
        until=("tot",),
        money={"euro": Money(("euro", "euros"), ("cent", "centen")), "dollar": Money(("dollar",), ("cent",))},
        money_and=("", "en"),
        halves=("{i}enhalf", "{i}ënhalf", "{i} en een half"),
        at_minute={
            0: ("{h} uur", "{h}"),
            15: ("kwart over {h}",),
            30: ("half {n}",),
            45: ("kwart voor {n}",),
        },
        any_minute=("{h} uur {m}", "{h} {m}"),
        first_half=("{m} over {h}",),
        second_half=("{r} voor {n}",),
        hour_words="uur",
        ordinal=r"(?:e|de|ste)",
    ),
    "sv": Language(
        point=("komma", "punkt"),
        percent=("procent",),
        and_=("och",),
        money={"crown": Money(("kronor", "krona"), ("öre",)), "euro": Money(("euro",), ("cent",))},
        money_and=("", "och"),
        at_minute={15: ("kvart över {h}",), 30: ("halv {n}",), 45: ("kvart i {n}",), 0: ("{h}",)},
        any_minute=("{h} {m}", "{h} och {m}"),
        first_half=("{m} över {h}",),
        second_half=("{r} i {n}",),
        ordinal=r":?[ae]",
    ),
    "ru": Language(
        percent=("процентов", "процента", "процент"),
        and_=("и",),
        money={"ruble": Money(("рублей", "рубля", "рубль"), ("копеек", "копейки", "копейка"))},
        at_minute={0: ("{h}", "{h} часов", "{h} часа", "{h} час")},
        any_minute=("{h} {m}", "{h} часов {m} минут", "{h} часа {m} минут"),
        ordinal=r"-?(?:го|й|я|е|му|ю|м|х|ый|ой|ая|ое|ые)(?!\w)",
    ),
    "zh": Language(
        point=("点", "點"),
        money={"yuan": Money(("元", "块", "塊")), "dollar": Money(("美元", "块", "塊"))},
        at_minute={
            0: ("{h}点", "{h}點", "{h}点整", "{h}點整", "{h}点钟", "{h}點鐘"),
            15: ("{h}点一刻", "{h}點一刻"),
            30: ("{h}点半", "{h}點半"),
            45: ("{h}点三刻", "{h}點三刻"),
        },
        any_minute=("{h}点{m}", "{h}點{m}", "{h}点{m}分", "{h}點{m}分", "{h}时{m}分", "{h}時{m}分"),
        hour_words="[点點时時]",
        comma_is_point=False,
        in_pairs=False,
    ),
    "ja": Language(
        point=("点", "てん"),
        money={"yen": Money(("円",)), "dollar": Money(("ドル",))},
        at_minute={0: ("{h}時", "{h}時ちょうど"), 30: ("{h}時半",)},
        any_minute=("{h}時{m}分", "{h}時{m}"),
        hour_words="時",
        comma_is_point=False,
        in_pairs=False,
    ),
}

# How a currency is written in a text, in lower case.
CURRENCIES = {
    "$": "dollar", "usd": "dollar", "dollars": "dollar", "dollar": "dollar", "dólares": "dollar", "dollari": "dollar",
    "€": "euro", "eur": "euro", "euros": "euro", "euro": "euro", "£": "pound", "gbp": "pound", "pounds": "pound",
    "pound": "pound", "¥": "yen", "yen": "yen", "円": "yen", "元": "yuan", "₹": "rupee", "rupees": "rupee",
    "r$": "real", "reais": "real", "₽": "ruble", "руб": "ruble", "рублей": "ruble", "kr": "crown", "kronor": "crown",
}  # fmt: skip

# Other languages that read long numbers in pairs (`nineteen oh five`); the rest reads digit by digit, or as a whole.
_IN_PAIRS = {"da", "nb", "ca", "ro", "uk", "el", "fi", "hu", "tr", "pl", "cs"}


def language_of(code: str) -> Language:
    """The words of a language; for an unknown code, one with only numbers."""
    return LANGUAGES.get(code) or Language(in_pairs=code in _IN_PAIRS)
