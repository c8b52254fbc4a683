"""Texts of others made fit to be shown: what a person cannot see, or what turns the writing around, is made visible."""

from __future__ import annotations

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Embeddings, overrides and isolates: each could turn around the words of the report that follow.
_BIDI_CONTROLS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SHOWN_AS: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT),
    **dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT),
    **{code: f"⟨U+{code:04X}⟩" for code in _BIDI_CONTROLS},
    0xFFFE: _REPLACEMENT,
    0xFFFF: _REPLACEMENT,
}


def printable(text: str) -> str:
    """`text` with nothing in it that XML 1.0 or UTF-8 forbids, that is not seen, or that overrides the direction.

    A control character becomes its picture (U+2400…), a lone surrogate U+FFFD, an override its number. Line ends
    become a line feed; tabs stay.
    """
    return text.replace("\r\n", "\n").translate(_SHOWN_AS)


def one_line(text: str) -> str:
    """`printable` with all white space told as single spaces: for names and headings."""
    return " ".join(printable(text).split())


def clipped(text: str, limit: int) -> str:
    """`text`, or its first `limit` characters and a word on how many are left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} characters more)"
