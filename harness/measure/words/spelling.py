"""Spelling normalisation and word segmentation."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from harness.measure.words.slots import Way
from harness.text.as_read import as_read

_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u201b\u02bc\u2032`\u00b4\u05f3"), "'")
# Vowel points, cantillation marks and the tatweel are optional in writing. Hamza and madda are letters.
_OPTIONAL = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u05f4"
    "\u0610-\u061a\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08ff]"
)
_CEDILLAS = str.maketrans("\u015f\u0163", "\u0219\u021b")  # Romanian uses commas below, which older fonts lack
_HALVES = re.compile("(?<=\\d)[\u00bc-\u00be\u2150-\u215e]")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "THAI", "LAO", "KHMER", "MYANMAR")


def code_of(language: str) -> str:
    """The primary language code: `en` for `en-GB`."""
    code = re.split("[-_]", language.strip().lower(), maxsplit=1)[0]
    return {"iw": "he", "cmn": "zh", "no": "nb", "nn": "nb"}.get(code, code)


def folded(text: str, code: str) -> str:
    """The text as a reader sees it, case-folded, with ASCII digits and plain apostrophes.

    In English accents are dropped (`cafe`); in other languages they are part of the letter.
    """
    text = _HALVES.sub(" \\g<0>", as_read(text.translate(_APOSTROPHES)))
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    if code in ("tr", "az"):
        text = text.replace("I", "\u0131").replace("\u0130", "i")
    text = _OPTIONAL.sub("", unicodedata.normalize("NFC", text.casefold()))
    if code == "ro":
        text = text.translate(_CEDILLAS)
    text = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
    return _without_accents(text) if code == "en" and not text.isascii() else as_read(text)


def _without_accents(text: str) -> str:
    from whisper_normalizer.basic import ADDITIONAL_DIACRITICS

    kept: list[str] = []
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.category(char) != "Mn" or not (kept and kept[-1][-1:].isascii()):
            kept.append(ADDITIONAL_DIACRITICS.get(char, char))
    return as_read("".join(kept))


def is_letter(char: str) -> bool:
    """Whether the character is part of a word: a letter, or a vowel sign or other mark that belongs to one."""
    return char.isalpha() or unicodedata.category(char)[0] == "M" or (char.isalnum() and not char.isdigit())


@cache
def is_unspaced(char: str) -> bool:
    """Whether the character's script has no spaces between words, so that each character counts as a word."""
    return unicodedata.name(char, "").startswith(_UNSPACED)


@cache
def plain_words(text: str, code: str) -> Way:
    """The words of a text that has no digits, such as a number's name."""
    return tuple(split_words(folded(text, code).replace("'", "")))


def split_words(text: str) -> list[str]:
    """Splits a text into words of letters and digits; in scripts without spaces, into characters with their marks."""
    words: list[str] = []
    fresh = True
    for char in text:
        if not (is_letter(char) or char.isdigit()):
            fresh = True
            continue
        alone = is_unspaced(char)
        if not fresh and unicodedata.category(char) in ("Mn", "Mc") and words:
            words[-1] += char
        elif fresh or alone or is_unspaced(words[-1][0]):
            words.append(char)
        else:
            words[-1] += char
        fresh = False
    return words
