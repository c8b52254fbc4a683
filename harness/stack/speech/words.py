"""Words as the search for an answer sees them: stems without endings, numbers as digits, day ranges expanded.

The lists here are about language (endings, function words, synonyms that people use on the telephone), never about the
content of a prompt.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_NUMBER_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
"""
_NUMBERS = dict(zip(_NUMBER_WORDS.split(), map(str, [*range(20), *range(20, 100, 10)]), strict=True))
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# English, French, German, Spanish, Italian.
_STOP_WORDS = """
    a an the and or but so if of to in on at for from by with as is are am was were be been being do does did done
    have has had having can could will would shall should may might must i you he she it we they me us him her them
    my your our their its this that these those there here what which who whom whose when where why how much many
    any some all also just only very really please sorry okay ok yes no not don't dont hi hello hey well um uh er
    long far often time times somewhere anywhere someone excuse wondering wonder wanted want like know tell let get
    got give need make take thing things more about anything something everything everyone wait actually quick
    question ask asking think maybe possible able up out i'm i'd i've it's what's where's how's that's there's
    you're let's one then too now still go going use le la les un une des du de d l et ou est sont a au aux en dans
    sur pour avec par ce cette ces que qui quoi quel quelle quels quelles vous votre vos nous notre nos je tu il
    elle on ils elles avez avons ai as y est-ce qu s c n où ne pas peut peux pouvez puis êtes es suis être avoir der
    die das den dem des ein eine einen einem einer eines und oder ist sind im am zu zum zur mit von vom für auf bei
    wir sie ich du er es ihr ihre ihnen uns unser unsere wie was wo wann wer welche welcher haben hat habe kann
    können man gibt auch nicht bitte viel vielen mein meine meinen meiner mich mir dank danke el los las unos unas
    del al y o son está están qué cuál cuándo dónde cómo hay tienen tiene puedo puede con para por su sus mi se lo
    gli della dello dei delle che come dove quando quanto avete c'è ci sono posso può
"""
_STOP = frozenset(_STOP_WORDS.split())
# Words that callers and prompts use for the same thing; such a match counts less than the word itself.
_ALIKE = (
    "open opening hours close closed until shut",
    "cost price fee charge rate expensive cheap tariff pay",
    "address street road avenue square located location find directions reach",
    "park parking car garage drive",
    "wheelchair accessible accessibility step-free ramp lift elevator disabled steps",
    "toilet restroom bathroom washroom loo",
    "child children kid baby family young",
    "pet dog animal cat",
    "wifi wi-fi internet wireless online",
    "pay payment card cash credit debit contactless",
    "book booking reserve reservation appointment schedule",
    "cancel cancellation reschedule",
    "phone telephone call number",
    "email mail e-mail",
    "bus tram train metro underground subway station stop transport",
    "photo photograph photography picture camera",
    "bag backpack luggage rucksack suitcase",
    "discount concession reduced cheaper student senior",
    "ticket admission entry entrance",
    "tour guide guided",
    "food eat meal lunch dinner snack restaurant",
    "drink beverage",
    "vegan vegetarian plant-based",
    "gluten coeliac celiac",
    "alcohol wine beer",
    "dessert cake pastry",
    "doctor dentist physician",
    "emergency urgent urgently",
    "pain hurt ache toothache",
    "new register registration join",
    "outside outdoor outdoors terrace garden patio",
    "old age history founded began since built",
    "own owner run manager",
    "deliver delivery ship shipping",
    "return refund exchange",
    "warranty guarantee",
    "room bedroom accommodation",
    "holiday christmas easter vacation",
    "lose lost loss",
    "keep kept",
    "steal stolen stole theft",
    "leave left departure depart",
    "break broke broken breakdown",
)


# Words that say little about a question's topic, next to its other words.
_LIGHT_WORDS = """
    half past quarter borrow bring allow allowed permitted come go goes visit stay used sell serve offer provide
    accept accepted find show start work happen sort kind type place people day today tonight tomorrow near close
    somebody apporter venir trouve trouver acceptez mitbringen kommen finden bekommen traer encontrar portare
    trovare
"""


def words(text: str) -> list[str]:
    """The words of a text in lower case, numbers as digits (`nine` is `9`)."""
    normal = unicodedata.normalize("NFKC", text).replace("\u2019", "'").lower()
    split = re.sub(
        r"(?<=[a-zà-ÿ])'(?=[a-zà-ÿ]{3})|-(?=(?:t-)?(?:vous|nous|tu|ils?|elles?|on|je|moi|ce)\b)", " ", normal
    )
    return [_NUMBERS.get(word, word) for word in _WORD.findall(split)]


def spelt_words(text: str) -> list[str]:
    """The words of a text as spelt, with their capitals."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).replace("\u2019", "'"))


def is_stop_word(word: str) -> bool:
    """Whether a word, in any capitalisation, is a stop word."""
    return word.lower() in _STOP


def content_stems(text: str) -> list[str]:
    """The stems of the content words, each once, in order."""
    return list(dict.fromkeys(stem(word) for word in words(text) if word not in _STOP))


def is_light(word: str) -> bool:
    """Whether a stem says little about a question's topic, as numbers do ("a table for four")."""
    return word.isdigit() or word in _light_stems()


def fact_stems(text: str) -> frozenset[str]:
    """All stems of a fact, including the days that `Monday to Friday`, `weekdays` or `daily` stand for."""
    listed = words(text)
    return frozenset(stem(word) for word in listed) | frozenset(stem(day) for day in _days(listed))


@cache
def stem(word: str) -> str:
    """A word without its English ending; a hyphenated word is left whole."""
    if len(word) <= 3 or not word.isascii():
        return word
    word = word.removesuffix("'s").replace("-", "")
    for ending, kept in (("ies", "i"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + kept
    for ending in ("ingly", "edly", "ing", "ed", "ly", "es", "s"):
        root = word[: -len(ending)]
        if (
            word.endswith(ending)
            and len(root) >= 3
            and not word.endswith(("ss", "us", "is"))
            and re.search("[aeiouy]", root)
        ):
            return _undoubled(root)
    return _undoubled(word)


@cache
def likeness(one: str, other: str) -> float:
    """Similarity of two stems: 1 for the same, 0.75 for synonyms, 0.7 for a common root, else 0."""
    if one == other:
        return 1.0
    if _groups().get(one, frozenset()) & _groups().get(other, frozenset()):
        return 0.75
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    return 0.7 if shared >= 5 and shared >= 0.6 * max(len(one), len(other)) else 0.0


def alike(word: str) -> frozenset[str]:
    """The stems of the words that callers use for the same thing as that stem."""
    groups = _groups().get(word, frozenset())
    return frozenset(other for other, numbers in _groups().items() if numbers & groups) if groups else frozenset()


def _undoubled(root: str) -> str:
    """Normalises a root: `stopp` to `stop`; `reserve` and `reserv` are one, `city` and `citi` too."""
    if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "aeiouls":
        root = root[:-1]
    if len(root) > 3 and root.endswith("e"):
        root = root[:-1]
    return root[:-1] + "i" if len(root) > 3 and root.endswith("y") else root


@cache
def _light_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in _LIGHT_WORDS.split())


@cache
def _groups() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, group in enumerate(_ALIKE):
        for word in group.split():
            found.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


def _days(listed: list[str]) -> set[str]:
    """The days that a list of words implies without naming each."""
    named = [DAYS.index(day) if (day := word.removesuffix("s")) in DAYS else None for word in listed]
    found: set[str] = set()
    for at, first in enumerate(named):
        if first is None or at + 2 >= len(named) or listed[at + 1] not in ("to", "until", "till", "through", "thru"):
            continue
        last = named[at + 2]
        if last is not None:
            found |= {DAYS[(first + step) % 7] for step in range((last - first) % 7 + 1)}
    if {"weekday", "weekdays"} & set(listed):
        found |= set(DAYS[:5])
    if {"weekend", "weekends"} & set(listed):
        found |= set(DAYS[5:])
    if "daily" in listed or re.search(r"\bevery day\b|\bseven days\b|\b7 days\b", " ".join(listed)):
        found |= set(DAYS)
    if (found | {word.removesuffix("s") for word in listed}) & set(DAYS[5:]):
        found.add("weekend")
    if set(DAYS[:5]) <= found:
        found.add("weekday")
    return found
