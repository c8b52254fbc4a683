"""The index of documents: which passage answers a question, or none.

Passages are found by their words (BM25, `bm25s`) and their meaning (`wordllama`). The sentences of the best passages
are then scored much as in `speech/brain.py`, but in the context of their passage and headings: the share of the
question's words that they hold (rare ones count more), their similarity in meaning, and whether they hold the kind of
answer that is asked for.

The weights and limits were tuned on 49 questions about four documents (tests/stack/knowledge). 45 of them are answered
right, 2 with "I don't know", 2 wrong; 15 of the 16 that no document answers are recognised. Of 27 held-out questions
about two other documents, 22 are answered right, 3 with "I don't know", 2 wrong; 8 of the 9 without an answer are
recognised.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.stack.knowledge.passages import Document, Found, Passage
from harness.stack.speech.facts import Fact, facts_of
from harness.stack.speech.questions import Question, holds, is_form, questions_in
from harness.stack.speech.words import alike, content_stems, fact_stems, is_light, likeness, stem, words

Floats = NDArray[np.float32]

LOOKED_AT = 8  # passages whose sentences are scored
BM25_WEIGHT, MEANING_OF_PASSAGE = 0.6, 0.4  # the ranking of passages
WORDS_WEIGHT, MEANING_WEIGHT, KIND_WEIGHT, PASSAGE_WEIGHT = 0.6, 0.3, 0.2, 0.1  # the score of a sentence
# Weight of a word in the headings, in the sentence that "it" refers to, or elsewhere in the passage
HEADING_SHARE, LEANT_ON_SHARE, CONTEXT_SHARE = 0.8, 0.9, 0.5
LIGHT_SHARE = 0.3  # weight of a word that says little about the topic
# With less, the documents are about something else: the share of the question's words and the score; or a smaller
# share if the meaning is similar too
KNOWN_WORDS, KNOWN_SCORE = 0.5, 0.6
LESS_WORDS, LESS_MEANING = 0.4, 0.35
ALSO_SHARE = 0.92  # a second sentence is spoken if its score is this share of the best or more
ROOT_CHARS = 5  # words that are alike by their root share at least these, see `likeness`
ASKED_CHARS = 1000  # what is said after these is left out, which bounds the time of a search
KEPT_DOCUMENTS = 64


class Embedder(Protocol):
    """Such as `speech/meaning.py`."""

    def vectors(self, texts: list[str]) -> Floats:
        """A vector of length 1 for each text, zeros for one without words: `(texts, dimensions)`."""
        ...


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a passage, with the stems that it and its headings hold."""

    fact: Fact
    stems: frozenset[str]
    heading: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Held:
    """A passage of a document, ready to be searched; `title` has the stems of the document's title."""

    document: str
    title: frozenset[str]
    passage: Passage
    tokens: list[str]
    sentences: tuple[_Sentence, ...]
    all_stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A document, ready to be searched: its passages, and a vector for each of their sentences in order."""

    held: tuple[_Held, ...]
    vectors: Floats


@dataclass(frozen=True, slots=True)
class _Query:
    """A question, the weights of its words, and for each word the stems in the documents that are like it."""

    asked: Question
    weights: dict[str, float]
    like: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a sentence, `at` in the passage `held`, answers a question."""

    held: int
    at: int
    words: float
    meaning: float
    kind: float
    score: float

    @property
    def known(self) -> bool:
        if self.words >= KNOWN_WORDS and self.score >= KNOWN_SCORE:
            return True
        return self.words >= LESS_WORDS and self.meaning >= LESS_MEANING


class Preparer:
    """Prepares documents, each content once.

    Args:
        embedder: The embeddings of the sentences.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._of = lru_cache(KEPT_DOCUMENTS)(self._prepare)

    def prepared(self, document: Document) -> _Prepared:
        """The document, ready to be searched."""
        return self._of(_Keyed(document))

    def _prepare(self, keyed: _Keyed) -> _Prepared:
        document = keyed.document
        title = fact_stems(_title(document))
        held = tuple(_held(document.name, title, passage) for passage in document.passages)
        texts = [sentence.fact.text for passage in held for sentence in passage.sentences]
        return _Prepared(held, self.embedder.vectors(texts))


class _Keyed:
    """A document, equal to another of the same name and content."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._key = (document.name, document.sha256, len(document.passages))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


class Index:
    """The passages of some documents; create it with `of`."""

    def __init__(self, prepared: Sequence[_Prepared], embedder: Embedder) -> None:
        from bm25s import BM25

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it logs each index
        self._embedder = embedder
        self._held = [held for one in prepared for held in one.held]
        self._vectors = np.concatenate([one.vectors for one in prepared])
        self._starts = np.cumsum([0, *(len(held.sentences) for held in self._held)])
        self._count = Counter(word for held in self._held for sentence in held.sentences for word in sentence.stems)
        self._bm25: Any = BM25(method="lucene", backend="numpy")
        self._bm25.index([held.tokens or ["-"] for held in self._held], show_progress=False)
        self._roots: dict[str, list[str]] = {}
        for word in frozenset[str]().union(*(held.all_stems for held in self._held)):
            self._roots.setdefault(word[:ROOT_CHARS], []).append(word)

    @classmethod
    def of(cls, documents: Iterable[Document], preparer: Preparer) -> Index:
        """The index of these documents; documents that the preparer knows cost little."""
        return cls([preparer.prepared(document) for document in documents], preparer.embedder)

    def search(self, said: str) -> Found | None:
        """The passage that answers what a caller said, and the sentences of it that do; None if there is none.

        If several questions were asked, the answer has the sentences for each; the passage is the best one.
        """
        found = [fits for asked in questions_in(said[:ASKED_CHARS]) if (fits := self._answers(asked))]
        if not found:
            return None
        best = max((fits[0] for fits in found), key=lambda fit: fit.score)
        held = self._held[best.held]
        spoken = list(dict.fromkeys(text for fits in found for text in self._spoken(fits)))
        return Found(held.document, held.passage.place, round(best.score, 3), held.passage.text, " ".join(spoken))

    def _answers(self, asked: Question) -> list[_Fit]:
        """The sentences that answer a question, the best first; empty if none does."""
        weights = self._weights(asked)
        if not weights or asked.of_identity:  # who the agent is, only its prompt says
            return []
        query = _Query(asked, weights, {word: self._like(word) for word in weights})
        vector = self._embedder.vectors([asked.text])[0]
        near = self._vectors @ vector
        fits: list[_Fit] = []
        for at, rank in self._best_passages(query, near):
            fits += self._fits(at, query, near, rank)
        if not fits:
            return []
        best = max(fits, key=lambda fit: fit.score)
        if not best.known:
            return []
        beside = [fit for fit in fits if fit.held == best.held and fit is not best]
        if asked.kinds and not best.kind:  # "There is a waiting list. It takes a year.": the next one may have the time
            also = [fit for fit in beside if fit.at == best.at + 1 and fit.kind]
        else:
            also = [fit for fit in beside if fit.score >= ALSO_SHARE * best.score and fit.words >= best.words]
        return [best, *also[:1]]

    def _weights(self, asked: Question) -> dict[str, float]:
        """The weight of each content word of a question: the fewer sentences contain it, the higher."""
        stems = content_stems(asked.text)
        light = {word for word in stems if is_light(word) or is_form(word, asked.kinds)}
        total = len(self._vectors)
        return {
            word: math.log(1 + total / (0.5 + self._count[word])) * (LIGHT_SHARE if word in light else 1.0)
            for word in stems
        }

    def _like(self, word: str) -> dict[str, float]:
        """The stems in the documents that are like a word, and how much, see `likeness`."""
        others = {word, *alike(word), *self._roots.get(word[:ROOT_CHARS], ())}
        return {other: share for other in others if (share := likeness(word, other))}

    def _best_passages(self, query: _Query, near: Floats) -> list[tuple[int, float]]:
        """The passages to look at and their rank score, 0…1."""
        by_words = np.zeros(len(self._held), np.float32)
        for word, weight in query.weights.items():
            by_words += self._bm25_of(query.like[word]) * (weight / max(query.weights.values()))
        most = float(by_words.max())
        if most > 0:
            by_words /= most
        by_meaning = np.full(len(self._held), -1.0, np.float32)
        filled = np.flatnonzero(np.diff(self._starts))
        if len(filled):
            by_meaning[filled] = np.maximum.reduceat(near, self._starts[filled])
        rank = BM25_WEIGHT * by_words + MEANING_OF_PASSAGE * np.maximum(by_meaning, 0)
        best = np.argsort(-rank, kind="stable")[:LOOKED_AT]
        return [(int(at), float(rank[at])) for at in best]

    def _bm25_of(self, like: dict[str, float]) -> Floats:
        """Each passage's BM25 score for a word or, weighted less, for one like it."""
        scores = np.zeros(len(self._held), np.float32)
        for other, share in like.items():
            if other in self._bm25.vocab_dict:
                scores = np.maximum(scores, share * self._bm25.get_scores([other]))
        return scores

    def _fits(self, at: int, query: _Query, near: Floats, rank: float) -> list[_Fit]:
        held, asked, like = self._held[at], query.asked, query.like
        # Within a document, the words of its title tell its sentences apart no more
        weights = {
            word: weight * (LIGHT_SHARE if word in held.title else 1.0) for word, weight in query.weights.items()
        }
        total = sum(weights.values())
        around = {
            word: 1.0 if word in held.title else CONTEXT_SHARE * _likest(like[word], held.all_stems) for word in weights
        }
        fits = []
        for number, sentence in enumerate(held.sentences):
            before = held.sentences[number - 1] if sentence.fact.leans_back else None
            got = sum(
                weight * max(_found(like[word], sentence, before), around[word]) for word, weight in weights.items()
            )
            share = got / total
            kind = min((holds(kind, sentence.fact.text) for kind in asked.kinds), default=0.0)
            meaning = max(0.0, float(near[self._starts[at] + number]))
            score = WORDS_WEIGHT * share + MEANING_WEIGHT * meaning + KIND_WEIGHT * kind + PASSAGE_WEIGHT * rank
            fits.append(_Fit(at, number, share, meaning, kind, score))
        return fits

    def _spoken(self, fits: Sequence[_Fit]) -> list[str]:
        """The sentences in the order of the passage, each after the one that its "it" or "their" refers to."""
        spoken: list[str] = []
        for fit in sorted(fits, key=lambda fit: (fit.held, fit.at)):
            sentences = self._held[fit.held].sentences
            if sentences[fit.at].fact.leans_back:
                spoken.append(sentences[fit.at - 1].fact.text)
            spoken.append(sentences[fit.at].fact.text)
        return spoken


def _title(document: Document) -> str:
    """The heading above all of its passages, or the first line of plain text that looks like one."""
    first = {passage.heading[:1] for passage in document.passages}
    return " ".join(*first) if len(first) == 1 else ""


def _held(document: str, title: frozenset[str], passage: Passage) -> _Held:
    heading = " ".join(passage.heading)
    facts = facts_of(passage.text, instructions=False).facts
    above = {own: fact_stems(f"{heading} {own}") for own in {fact.heading for fact in facts}}
    sentences = tuple(_Sentence(fact, fact_stems(fact.text), above[fact.heading]) for fact in facts)
    tokens = [stem(word) for word in words(f"{heading} {passage.text}")]
    stems = frozenset(tokens).union(*(sentence.stems for sentence in sentences))
    return _Held(document, title, passage, [*tokens, *(stems - frozenset(tokens))], sentences, stems)


def _found(like: dict[str, float], sentence: _Sentence, before: _Sentence | None) -> float:
    """How surely a word is in a sentence, in its headings, or in the sentence that its "it" refers to."""
    leant_on = LEANT_ON_SHARE * _likest(like, before.stems) if before is not None else 0.0
    return max(_likest(like, sentence.stems), HEADING_SHARE * _likest(like, sentence.heading), leant_on)


def _likest(like: dict[str, float], stems: frozenset[str]) -> float:
    return max((like[stem] for stem in like.keys() & stems), default=0.0)
