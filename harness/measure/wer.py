"""Word error rate of a transcript: Levenshtein distance in words over the reference's length, after normalisation.

What counts is what was said, not how it is written: `9:30` stands for every way to say it, and of all ways to say both
texts, the pair that differs least is compared. Scripts without spaces between words are compared by characters.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.measure.words.respaced import respaced
from harness.measure.words.slots import best_pair
from harness.measure.words.spoken import slots_of


@dataclass(frozen=True, slots=True)
class WordErrors:
    """A word error rate, over 1 if many words were inserted, and the reference and hypothesis as compared."""

    rate: float
    reference: str
    hypothesis: str


def word_error_rate(reference: str, hypothesis: str, *, language: str = "en") -> WordErrors | None:
    """The word error rate, or None if the reference has no words. An empty hypothesis has the rate 1."""
    import jiwer

    spoken, written = slots_of(reference, language), slots_of(hypothesis, language, heard=True)
    said, heard = best_pair(respaced(spoken, written), respaced(written, spoken))
    reference, hypothesis = " ".join(said), " ".join(heard)
    if not reference:
        return None
    if not hypothesis:
        return WordErrors(1.0, reference, hypothesis)
    return WordErrors(round(float(jiwer.wer(reference, hypothesis)), 4), reference, hypothesis)
