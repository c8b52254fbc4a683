"""Numbers whose words are joined or parted otherwise: "fyratusen åttio" is "fyratusenåttio", "één" is "een".

Where the parts of a number's name are written together differs between writers of one language (and from the rules of
the Unicode project), and says nothing of what was said. So a slot of ways takes in each run of the other text's words
that holds the same letters as one of its ways, spaces and accents aside.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from harness.measure.words.slots import Slot, Way, with_ways

MOST_WORDS = 12  # of a run


def respaced(slots: Sequence[Slot], other: Sequence[Slot]) -> list[Slot]:
    """The slots, those of several ways with the other text's words as further ways."""
    if all(slot.word is not None for slot in slots):
        return list(slots)
    runs = list(_runs(other))
    return [slot if slot.word is not None else with_ways(slot, _found(slot, runs)) for slot in slots]


def _runs(slots: Sequence[Slot]) -> Iterator[Way]:
    """The stretches of plain words."""
    run: list[str] = []
    for slot in slots:
        if slot.word:
            run.append(slot.word)
        elif run:
            yield tuple(run)
            run = []
    if run:
        yield tuple(run)


def _found(slot: Slot, runs: Sequence[Way]) -> Iterator[Way]:
    """Runs of words that hold the letters of one of the slot's ways."""
    onward: dict[int, list[tuple[int, str]]] = {}
    for start, end, word in slot.edges:
        onward.setdefault(start, []).append((end, _letters(word)))
    for run in runs:
        letters = [_letters(word) for word in run]
        for first in range(len(run)):
            for last in range(first + 1, min(len(run), first + MOST_WORDS) + 1):
                if _spells("".join(letters[first:last]), onward, slot.end):
                    yield run[first:last]


def _spells(letters: str, onward: dict[int, list[tuple[int, str]]], end: int) -> bool:
    """Whether a way through the slot has these letters, in this order."""
    states = {(0, 0)}
    seen = set(states)
    while states:
        node, at = states.pop()
        if node == end:
            if at == len(letters):
                return True
            continue
        for to, word in onward.get(node, ()):
            reached = (to, at + len(word))
            if letters.startswith(word, at) and reached not in seen:
                seen.add(reached)
                states.add(reached)
    return False


@lru_cache(maxsize=4096)
def _letters(word: str) -> str:
    """The word without the accents of Latin letters."""
    parts = (unicodedata.normalize("NFD", letter) for letter in unicodedata.normalize("NFC", word))
    return "".join(part[0] if part[0].isascii() else part for part in parts)
