"""What an agent answers to the caller's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stack.tools.plan import PlannedCall

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Where in the agent's documents an answer is from.

    Attributes:
        document: The document's name.
        place: The place in it, such as `page 3`.
        score: How well the passage fits the question.
    """

    document: str
    place: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        text: What it says; empty if it does not answer.
        parts: The pieces in which it is spoken: the first can play while the next is synthesised.
        knowledge: The passage of a document that it is from, if it is from one.
        call: The tool call that it plans, or None. Unless that lacks an argument, the text comes from its result.
    """

    text: str
    parts: Sequence[str]
    knowledge: Knowledge | None = None
    call: PlannedCall | None = None

    @classmethod
    def in_sentences(cls, text: str, *, knowledge: Knowledge | None = None) -> Answer:
        """An answer that is spoken sentence by sentence."""
        return cls(text, [piece for piece in _SENTENCE_END.split(text.strip()) if piece], knowledge)

    @classmethod
    def in_one(cls, text: str) -> Answer:
        """An answer that is spoken as a whole."""
        return cls(text, [text])


NO_ANSWER = Answer("", [])
