"""A text as its sentences."""

from __future__ import annotations

import re

_ABBREVIATION = re.compile(
    r"\b(?:mr|mrs|ms|dr|prof|st|nr|approx|e\.g|i\.e|etc|bzw|z\.b|ca|a\.m|p\.m|[a-z])\.$", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[^\W_a-z])|(?<=[.!?])\s+(?=[^\W\d_]+\b)")


def sentences(text: str) -> list[str]:
    """Splits a text into sentences; `a.m.`, `Dr.` and `3.50` do not end one."""
    parts: list[str] = []
    for piece in _SENTENCE_END.split(text):
        if not piece or not piece.strip():
            continue
        if parts and _ABBREVIATION.search(parts[-1]):
            parts[-1] += f" {piece.strip()}"
        else:
            parts.append(piece.strip())
    return parts
