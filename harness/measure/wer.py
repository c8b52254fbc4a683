"""Word error rate of a transcript: Levenshtein distance in words over the reference's length, after normalisation.

What counts is what was said, not how it is written: `9:30` stands for each way to say it, and of all ways to say both
texts those are compared that differ least. Scripts without spaces between words go by characters.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.measure.words.respaced import respaced
from harness.measure.words.slots import best_pair
from harness.measure.words.spoken import slots_of


@dataclass(frozen=True, slots=True)
class WordErrors:
    """`rate` may be over 1 where words were added; reference and hypothesis are as they were compared."""

    rate: float
    reference: str
    hypothesis: str


def word_error_rate(reference: str, hypothesis: str, *, language: str = "en") -> WordErrors | None:
    """The rate, or None where the reference has no words. An empty hypothesis has the rate 1."""
    import jiwer

    spoken, written = slots_of(reference, language), slots_of(hypothesis, language, heard=True)
    said, heard = best_pair(respaced(spoken, written), respaced(written, spoken))
    reference, hypothesis = " ".join(said), " ".join(heard)
    if not reference:
        return None
    if not hypothesis:
        return WordErrors(1.0, reference, hypothesis)
    return WordErrors(round(float(jiwer.wer(reference, hypothesis)), 4), reference, hypothesis)
