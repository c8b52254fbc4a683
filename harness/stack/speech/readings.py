"""Chooses among a recogniser's hypotheses: the likeliest, with the agent's vocabulary boosted.

To Whisper "weekdays" and "Wed days" sound the same, and which one wins by a nat or two depends on how the packets fall.
An agent that is asked about opening hours need not waver. The boost decides near ties only: each known word makes a
hypothesis e^2.5, about twelve times, as likely; speech that was clear differs by far more.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KNOWN_WORD_NATS = 2.5


@dataclass(frozen=True, slots=True)
class Reading:
    """A hypothesis and its natural log probability, normalised as if all hypotheses had the same length."""

    text: str
    log_probability: float


def likeliest(readings: Sequence[Reading], vocabulary: Iterable[str] = ()) -> Reading:
    """The hypothesis to use; `readings` has at least one.

    Hypotheses that differ only in capitals, punctuation and spaces ("Wi-Fi", "wifi") count as one, with their summed
    probability, spelt as the likeliest of them.
    """
    known = {_letters(word) for word in vocabulary}
    alike: dict[str, list[Reading]] = {}
    for reading in readings:
        alike.setdefault(_letters(reading.text), []).append(reading)

    def weight(group: list[Reading]) -> float:
        found = {word for reading in group for part in reading.text.split() if (word := _letters(part)) in known}
        together = math.log(sum(math.exp(reading.log_probability) for reading in group) or math.ulp(0.0))
        return together + KNOWN_WORD_NATS * len(found)

    best = max(alike.values(), key=weight)
    return max(best, key=lambda reading: reading.log_probability)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())
