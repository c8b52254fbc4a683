"""Matches number names that differ only in spacing: "fyratusen åttio" is "fyratusenåttio".

Writers of a language differ in which parts of a number's name they join (and differ from the Unicode project's rules),
which does not change what was said. So a slot accepts every run of the other text's words that has the same letters as
a name of its whole number. Two numbers, such as hours and minutes, are never merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.measure.words.slots import Slot, Way, with_ways

MOST_WORDS = 12  # in a run


def respaced(slots: Sequence[Slot], other: Sequence[Slot]) -> list[Slot]:
    """The slots, with matching runs of the other text's words added as ways to say a number."""
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
    """Yields the runs of plain words."""
    run: list[str] = []
    for slot in slots:
        if slot.word:
            run.append(slot.word)
        elif run:
            yield tuple(run)
            run = []
    if run:
        yield tuple(run)
