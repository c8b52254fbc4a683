"""What an agent answers to the caller's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        text: What it says; empty if it does not answer.
        parts: The pieces in which it is spoken: the first can play while the next is synthesised.
    """

    text: str
    parts: Sequence[str]

    @classmethod
    def in_sentences(cls, text: str) -> Answer:
        """An answer that is spoken sentence by sentence."""
        return cls(text, [piece for piece in _SENTENCE_END.split(text.strip()) if piece])

    @classmethod
    def in_one(cls, text: str) -> Answer:
        """An answer that is spoken as a whole."""
        return cls(text, [text])


NO_ANSWER = Answer("", [])
