"""Which of a recogniser's readings is taken: the likeliest, with the words of the agent's trade counted as likelier.

Whisper knows "weekdays" and "Wed days" for the same sound and is now for the one, now for the other by a nat or two,
as the packets fall. Who is asked about opening hours need not waver. Only near ties are decided so: each known word
makes a reading e^2.5, some twelve times, as likely; what was clearly said differs by far more.
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
    """What was perhaps said, and the logarithm (base e) of its probability, as if all readings were of one length."""

    text: str
    log_probability: float


def likeliest(readings: Sequence[Reading], vocabulary: Iterable[str] = ()) -> Reading:
    """The reading to take; `readings` has at least one.

    Readings that differ in capitals, punctuation and gaps alone ("Wi-Fi", "wifi") are one, as likely as they are
    together, and the likeliest of them is its spelling.
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
