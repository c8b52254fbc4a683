"""Answers from the facts of a system prompt: the sentences that fit a question, or none.

A fact's score has three parts: how many of the question's words it contains (rare ones count more), how similar the two
are in meaning, and whether it contains the kind of answer asked for (a time, a price, a place, a number). Nothing here
is specific to a prompt; it cannot calculate, infer or negate.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass

from harness.stack.speech import phrases
from harness.stack.speech.facts import Fact, Facts, facts_of
from harness.stack.speech.questions import Question, holds, is_form, questions_in
from harness.stack.speech.words import content_stems, fact_stems, is_light, likeness

Rank = Callable[[str, list[str]], Awaitable[list[float]]]

# Weights and limits were tuned on the prompts and questions under tests/stack/speech. Two held-out prompts (a library,
# a car rental; 44 questions) got 39 right answers; of the 5 others, 4 were "I don't know" and 1 was wrong.
WORDS_WEIGHT = 0.6
MEANING_WEIGHT = 0.3
KIND_WEIGHT = 0.25
HEADING_SHARE = 0.7  # weight of a word found in the heading, against 1 in the sentence
KNOWN_WORDS = 0.5  # weighted share of the question's words; with fewer the fact is about something else
LESS_WORDS, LESS_MEANING = 0.4, 0.45  # or fewer of them if the meaning is similar too
LIGHT_SHARE = 0.3  # weight of a word that says little about the topic
ALSO_SHARE = 0.93  # a second fact is spoken if its score is this share of the best or more
MOST_FACTS = 2
MOST_FACTS_BROAD = 6


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a fact answers a question."""

    at: int
    words: float
    meaning: float
    kind: float

    @property
    def score(self) -> float:
        return WORDS_WEIGHT * self.words + MEANING_WEIGHT * max(0.0, self.meaning) + KIND_WEIGHT * self.kind

    @property
    def known(self) -> bool:
        return self.words >= KNOWN_WORDS or (self.words >= LESS_WORDS and self.meaning >= LESS_MEANING)


async def answer(prompt: str, question: str, rank: Rank, *, language: str = "en") -> str | None:
    """The agent's answer to `question`; None if the prompt does not hold one.

    Args:
        prompt: The system prompt: facts and instructions, plain text or Markdown.
        question: What the caller said or typed; a transcript will do.
        rank: Returns the similarity of a question to each of a list of sentences, such as `Speech.rank`.
        language: Language of the phrases for small talk, and for what is no question.
    """
    if not any(character.isalnum() for character in question):
        return phrases.not_heard(language)
    small = phrases.small_talk(question, language)
    if small is not None:
        return small
    told = facts_of(prompt)
    found: list[int] = []
    questions = questions_in(question)
    if not any(asked.kinds or asked.broad or asked.of_identity or content_stems(asked.text) for asked in questions):
        return phrases.not_heard(language)
    for asked in questions:
        if asked.of_identity and told.identity:
            return told.identity
        found += [at for at in await _answers(asked, told, rank) if at not in found]
    if not found:
        return None
    return " ".join(told.facts[at].text for at in _with_what_they_lean_on(found, told.facts))


async def _answers(question: Question, told: Facts, rank: Rank) -> list[int]:
    """The facts that answer one question, in the order in which they are spoken; empty if nothing fits."""
    facts = told.facts
    if not facts:
        return []
    # Meaning works for English only: the embeddings know little of other languages, and score them low
    meanings = await rank(question.text, [fact.text for fact in facts])
    fits = _fits(question, told, meanings)
    best = max(fits, key=lambda fit: fit.score)
    if question.broad:
        return _all_about(question, facts, best)
    if not best.known:
        return []
    # A second fact is added only for its words: by kind alone, "Where are you?" would get every place
    also = [
        fit
        for fit in fits
        if fit == best or (fit.words > KNOWN_WORDS and fit.score >= ALSO_SHARE * best.score and fit.kind >= best.kind)
    ]
    chosen = sorted(also, key=lambda fit: -fit.score)[:MOST_FACTS]
    return sorted(fit.at for fit in chosen)


def _fits(question: Question, told: Facts, meanings: Sequence[float]) -> list[_Fit]:
    facts = told.facts
    asked = content_stems(question.text)
    itself = fact_stems(told.identity)  # to the library, "library" in "Where is the library?" carries no information
    held = [fact_stems(fact.text) for fact in facts]
    headings = [fact_stems(fact.heading) for fact in facts]
    light = {word for word in asked if word in itself or is_light(word) or is_form(word, question.kinds)}
    weights = _weights(asked, held, light)
    total = sum(weights.values())
    fits = []
    for at, fact in enumerate(facts):
        kind = min((holds(kind, fact.text) for kind in question.kinds), default=0.0)
        got = sum(weight * _found(word, held[at], headings[at]) for word, weight in weights.items())
        words = got / total if total else 0.0
        if len(light) == len(asked):  # "Where are you?" has only words of its form
            words = max(words, KNOWN_WORDS) if kind else words * LIGHT_SHARE if question.kinds else words
        fits.append(_Fit(at, words, meanings[at], kind))
    return fits


def _weights(asked: Sequence[str], held: Sequence[frozenset[str]], light: Set[str]) -> dict[str, float]:
    """The weight of each word of a question: the fewer facts contain it, the more it distinguishes them."""
    count = Counter(word for word in asked for stems in held if word in stems)
    return {
        word: math.log(1 + len(held) / (0.5 + count[word])) * (LIGHT_SHARE if word in light else 1.0) for word in asked
    }


def _found(word: str, stems: frozenset[str], heading: frozenset[str]) -> float:
    in_text = max((likeness(word, stem) for stem in stems), default=0.0)
    in_heading = max((likeness(word, stem) for stem in heading), default=0.0)
    return max(in_text, HEADING_SHARE * in_heading)


def _all_about(question: Question, facts: Sequence[Fact], best: _Fit) -> list[int]:
    """For "tell me everything about …": the section whose heading matches, else that of the best fact."""
    topic = content_stems(question.text)
    if not topic:
        return list(range(min(len(facts), MOST_FACTS_BROAD)))
    sections = {fact.section: fact.heading for fact in facts}

    def heading_fit(section: int) -> float:
        stems = content_stems(sections[section])
        hits = sum(max((likeness(word, stem) for stem in stems), default=0.0) for word in topic)
        return hits / len(topic) - 0.01 * len(stems)

    section = max(sections, key=heading_fit)
    if heading_fit(section) < KNOWN_WORDS:
        if not best.known:
            return []
        section = facts[best.at].section
    inside = [at for at, fact in enumerate(facts) if fact.section == section]
    if len(sections) == 1:  # one long text without headings: start at the best fact
        inside = [at for at in inside if at >= best.at]
    return inside[:MOST_FACTS_BROAD]


def _with_what_they_lean_on(found: Sequence[int], facts: Sequence[Fact]) -> list[int]:
    """Inserts before each fact the one that its "it" or "their" refers to."""
    whole: list[int] = []
    for at in found:
        if facts[at].leans_back and at - 1 not in whole:
            whole.append(at - 1)
        if at not in whole:
            whole.append(at)
    return whole
