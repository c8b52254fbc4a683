"""Normalises a text to what a reader sees: invisible characters and look-alikes make no difference."""

from __future__ import annotations

import unicodedata

_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-")
# Invisible, but not format characters: the combining grapheme joiner, Hangul fillers, and variation selectors.
_UNSEEN = frozenset(map(chr, [0x034F, 0x115F, 0x1160, 0x3164, *range(0xFE00, 0xFE10)]))


def as_read(text: str) -> str:
    """The text in NFC, with plain hyphens, single spaces, and no invisible characters.

    Dashes from U+2010 to U+2015 and the minus sign become `-`; soft hyphens and zero-width characters are removed; line
    breaks become spaces.
    """
    if not text.isascii():
        seen = "".join(char for char in text if char not in _UNSEEN and unicodedata.category(char) != "Cf")
        text = unicodedata.normalize("NFC", seen).translate(_DASHES)
    return " ".join(text.split())


def letters_of(text: str) -> str:
    """Only the letters, vowel signs and digits, case-folded: what different spellings of the same words share."""
    folded = unicodedata.normalize("NFKC", as_read(text)).casefold()
    return "".join(char for char in folded if char.isalnum() or unicodedata.category(char)[0] == "M")
