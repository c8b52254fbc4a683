"""A stretch of a text with all the ways to say it, and the alignment of two texts that are rows of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Way = tuple[str, ...]
Arc = tuple[int, int, Way]
_ERROR = 1 << 20  # an error weighs more than any number of words


@dataclass(frozen=True, slots=True)
class Slot:
    """A graph of words from node 0 to node `end`; an edge is (from, to, word), the word empty where nothing is said."""

    edges: tuple[tuple[int, int, str], ...]
    end: int

    @property
    def word(self) -> str | None:
        """Its word, where it is a single one."""
        return self.edges[0][2] if len(self.edges) == 1 and self.end == 1 else None


def of_word(word: str) -> Slot:
    """A word that is said in one way."""
    return Slot(((0, 1, word),), 1)


def of_ways(ways: Iterable[Way]) -> Slot:
    """Something that is said in one of several ways."""
    return of_arcs((0, 1, way) for way in ways)


def of_arcs(arcs: Iterable[Arc]) -> Slot:
    """A graph of arcs of words between positions 0, 1, 2 ...; each position but the last must lead on."""
    edges: list[tuple[tuple[int, int], tuple[int, int], str]] = []
    inner: dict[int, int] = {}
    for start, end, way in dict.fromkeys(arcs):
        at = (start, 0)
        for number, word in enumerate(way or ("",)):
            if number == max(len(way), 1) - 1:
                to = (end, 0)
            else:
                inner[start] = inner.get(start, 0) + 1
                to = (start, inner[start])
            edges.append((at, to, word))
            at = to
    order = {node: number for number, node in enumerate(sorted({node for edge in edges for node in edge[:2]}))}
    return Slot(tuple(sorted((order[start], order[end], word) for start, end, word in edges)), len(order) - 1)


def best_pair(said: Sequence[Slot], heard: Sequence[Slot]) -> tuple[list[str], list[str]]:
    """The ways to say both texts that differ in the fewest words."""
    first = _alike(said, heard)
    last = _alike(said[first:][::-1], heard[first:][::-1])
    before, after = _words(said[:first]), _words(said[len(said) - last :])
    middle = _best_middle(said[first : len(said) - last], heard[first : len(heard) - last])
    return before + middle[0] + after, before + middle[1] + after


def _alike(said: Sequence[Slot], heard: Sequence[Slot]) -> int:
    """How many slots are the same from the beginning on."""
    pairs = zip(said, heard, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(said), len(heard)))


def _words(slots: Sequence[Slot]) -> list[str]:
    """The shortest way to say them."""
    return _best_middle(slots, [])[0]


def _best_middle(said: Sequence[Slot], heard: Sequence[Slot]) -> tuple[list[str], list[str]]:
    ours, theirs = _edges(said), _edges(heard)
    rows, columns = len(ours), len(theirs)
    # Of each pair of nodes: the least weight, the pair it is reached from, and the words on the way.
    best: list[list[tuple[int, int, int, str, str] | None]] = [[None] * columns for _ in range(rows)]
    best[0][0] = (0, -1, -1, "", "")
    for row in range(rows):
        for column in range(columns):
            here = best[row][column]
            if here is None:
                continue
            weight = here[0]
            for to_row, word in ours[row]:
                # Of two ways with as few errors the one with more words of ours counts.
                _reach(best, to_row, column, (weight + (_ERROR - 1 if word else 0), row, column, word, ""))
                for to_column, other in theirs[column]:
                    if word and other:
                        differs = 0 if word == other else _ERROR
                        _reach(best, to_row, to_column, (weight + differs - 1, row, column, word, other))
            for to_column, other in theirs[column]:
                _reach(best, row, to_column, (weight + (_ERROR if other else 0), row, column, "", other))
    return _traced(best)


def _edges(slots: Sequence[Slot]) -> list[list[tuple[int, str]]]:
    """Of each node of the whole row: where it leads, by which word."""
    edges: list[list[tuple[int, str]]] = [[]]
    for slot in slots:
        first = len(edges) - 1
        edges.extend([] for _ in range(slot.end))
        for start, end, word in slot.edges:
            edges[first + start].append((first + end, word))
    return edges


def _reach(
    best: list[list[tuple[int, int, int, str, str] | None]],
    row: int,
    column: int,
    found: tuple[int, int, int, str, str],
) -> None:
    known = best[row][column]
    if known is None or found[0] < known[0]:
        best[row][column] = found


def _traced(best: list[list[tuple[int, int, int, str, str] | None]]) -> tuple[list[str], list[str]]:
    said: list[str] = []
    heard: list[str] = []
    row, column = len(best) - 1, len(best[0]) - 1
    while row >= 0 and column >= 0:
        step = best[row][column]
        if step is None:
            break
        _, row, column, word, other = step
        said += [word] if word else []
        heard += [other] if other else []
    return said[::-1], heard[::-1]
