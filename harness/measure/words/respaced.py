"""Numbers whose words are joined or parted otherwise: "fyratusen åttio" is "fyratusenåttio".

Where the parts of one number's name are written together differs between writers of a language (and from the rules of
the Unicode project), and says nothing of what was said. So a slot takes in each run of the other text's words that
holds the same letters as a name of its whole number. Two numbers, such as hours and minutes, never become one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.measure.words.slots import Slot, Way, with_ways

MOST_WORDS = 12  # of a run


def respaced(slots: Sequence[Slot], other: Sequence[Slot]) -> list[Slot]:
    """The slots, those of numbers with the other text's words as further ways."""
    wanted: dict[str, list[int]] = {}
    for index, slot in enumerate(slots):
        for name in slot.names:
            wanted.setdefault(name, []).append(index)
    if not wanted:
        return list(slots)
    ways: dict[int, list[Way]] = {}
    longest = max(map(len, wanted))
    for run in _runs(other):
        for first in range(len(run)):
            letters = ""
            for last in range(first, min(len(run), first + MOST_WORDS)):
                letters += run[last]
                if len(letters) > longest:
                    break
                for index in wanted.get(letters, ()):
                    ways.setdefault(index, []).append(run[first : last + 1])
    return [with_ways(slot, ways[index]) if index in ways else slot for index, slot in enumerate(slots)]


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
