"""The words of an agent's trade, taken from its prompt: what its recogniser should rather hear than words unheard of.

Recognisers of deployed agents are given such lists as well ("keyword boosting", "phrase hints"). The list is of the
agent alone: nothing of what a caller will say is known to it.
"""

from __future__ import annotations

from functools import lru_cache

from harness.stack.speech.facts import facts_of
from harness.stack.speech.words import is_stop_word, spelt_words

MOST_WORDS = 120
"""Of a long prompt the first ones: the more words count as likely, the less it says that one was heard."""
_PROMPTS_KEPT = 32


@lru_cache(maxsize=_PROMPTS_KEPT)
def vocabulary(prompt: str) -> tuple[str, ...]:
    """The words of a prompt's facts and their headings that carry meaning, as they are spelt, each once, in order."""
    found: dict[str, str] = {}
    for fact in facts_of(prompt).facts:
        for word in spelt_words(f"{fact.heading} {fact.text}"):
            if not (word.isdigit() or is_stop_word(word)):
                found.setdefault(word.lower(), word)
    return tuple(found.values())[:MOST_WORDS]
