"""The vocabulary of an agent's trade, taken from its prompt, for which its recogniser is biased.

Recognisers in production are given such lists too ("keyword boosting", "phrase hints"). The list comes from the agent
only: it knows nothing of what a caller will say.
"""

from __future__ import annotations

from functools import lru_cache

from harness.stack.speech.facts import facts_of
from harness.stack.speech.words import is_stop_word, spelt_words

MOST_WORDS = 120  # of a long prompt, the first ones: the more words are boosted, the less a boost means
_PROMPTS_KEPT = 32


@lru_cache(maxsize=_PROMPTS_KEPT)
def vocabulary(prompt: str) -> tuple[str, ...]:
    """The content words of a prompt's facts and headings, as spelt there, each once, in order."""
    found: dict[str, str] = {}
    for fact in facts_of(prompt).facts:
        for word in spelt_words(f"{fact.heading} {fact.text}"):
            if not (word.isdigit() or is_stop_word(word)):
                found.setdefault(word.lower(), word)
    return tuple(found.values())[:MOST_WORDS]
