"""Makes untrusted text safe to display: invisible characters and bidirectional controls become visible."""

from __future__ import annotations

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Embeddings, overrides and isolates: each could reverse the report's own text after it.
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
    """Replaces everything in `text` that XML 1.0 or UTF-8 forbids, that is invisible, or that overrides the direction.

    A control character becomes its control picture (U+2400…), a lone surrogate U+FFFD, a direction override its code
    point. CRLF becomes LF; tabs are kept.
    """
    return text.replace("\r\n", "\n").translate(_SHOWN_AS)


def one_line(text: str) -> str:
    """Same as `printable`, with whitespace collapsed to single spaces: for names and headings."""
    return " ".join(printable(text).split())


def clipped(text: str, limit: int) -> str:
    """`text`, or its first `limit` characters and how many more there are."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} characters more)"
