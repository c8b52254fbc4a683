"""What an agent answers to the caller's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stack.tools.plan import PlannedCall

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        text: What it says; empty if it does not answer.
        parts: The pieces in which it is spoken: the first can play while the next is synthesised.
        call: The tool call that it plans, or None. Unless that lacks an argument, the text comes from its result.
    """

    text: str
    parts: Sequence[str]
    call: PlannedCall | None = None

    @classmethod
    def in_sentences(cls, text: str) -> Answer:
        """An answer that is spoken sentence by sentence."""
        return cls(text, [piece for piece in _SENTENCE_END.split(text.strip()) if piece])

    @classmethod
    def in_one(cls, text: str) -> Answer:
        """An answer that is spoken as a whole."""
        return cls(text, [text])


NO_ANSWER = Answer("", [])
