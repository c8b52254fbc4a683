"""Word error rate of a transcript: Levenshtein distance in words over the reference's length, after normalisation.

Normalised as Whisper's authors do (Radford et al., 2022, appendix C): case, punctuation, numbers and, in English,
spelling and contractions do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class WordErrors:
    """`rate` may be over 1 where words were added; reference and hypothesis are as they were compared."""

    rate: float
    reference: str
    hypothesis: str


def word_error_rate(reference: str, hypothesis: str, *, language: str = "en") -> WordErrors | None:
    """The rate, or None where the reference has no words. An empty hypothesis has the rate 1."""
    import jiwer

    normalise = _normaliser(language.split("-", maxsplit=1)[0].lower() == "en")
    reference, hypothesis = normalise(reference).strip(), normalise(hypothesis).strip()
    if not reference:
        return None
    if not hypothesis:
        return WordErrors(1.0, reference, hypothesis)
    return WordErrors(round(float(jiwer.wer(reference, hypothesis)), 4), reference, hypothesis)


@cache
def _normaliser(english: bool) -> Any:
    from whisper_normalizer.basic import BasicTextNormalizer
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer() if english else BasicTextNormalizer()
