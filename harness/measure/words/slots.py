"""Slots, parts of a text with all ways to say them, and the alignment of two texts that are sequences of slots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Way = tuple[str, ...]
Arc = tuple[int, int, Way]
_Edges = list[list[tuple[int, str]]]  # for each node: its successors, and the words that lead there
_Step = tuple[int, int, int, str, str]  # the lowest weight, the previous pair of nodes, and the words in between
_Row = dict[int, _Step]
_ERROR = 1 << 20  # an error weighs more than any number of words
FEW_ERRORS, MANY_ERRORS = 4, 32
MANY_PAIRS = 40_000  # of nodes: about 0.3 s of work if all are examined


@dataclass(frozen=True, slots=True)
class Slot:
    """A graph of words from node 0 to node `end`; an edge is (from, to, word), with an empty word if nothing is said.

    `names` are the names of a whole number, without spaces.
    """

    edges: tuple[tuple[int, int, str], ...]
    end: int
    names: frozenset[str] = frozenset()

    @property
    def word(self) -> str | None:
        """The word, if the slot is a single word; otherwise None."""
        return self.edges[0][2] if len(self.edges) == 1 and self.end == 1 else None


def of_word(word: str) -> Slot:
    """A slot for a word with one way to say it."""
    return Slot(((0, 1, word),), 1)


def of_ways(ways: Iterable[Way]) -> Slot:
    """A slot with several ways to say it."""
    return of_arcs((0, 1, way) for way in ways)


def of_arcs(arcs: Iterable[Arc]) -> Slot:
    """A slot from arcs of words between positions 0, 1, 2 ...; each position except the last needs an outgoing arc."""
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
    numbered = [(order[start], order[end], word) for start, end, word in edges]
    return Slot(tuple(sorted(numbered, key=lambda edge: edge[:2])), len(order) - 1)


def with_ways(slot: Slot, ways: Iterable[Way]) -> Slot:
    """The slot with additional ways from its start to its end."""
    edges, inner = list(slot.edges), slot.end - 1
    more = [way for way in dict.fromkeys(ways) if way]
    if not more:
        return slot
    end = slot.end + sum(len(way) - 1 for way in more)
    edges = [(start, end if to == slot.end else to, word) for start, to, word in edges]
    for way in more:
        at = 0
        for number, word in enumerate(way):
            inner += number < len(way) - 1
            to = inner if number < len(way) - 1 else end
            edges.append((at, to, word))
            at = to
    return Slot(tuple(sorted(edges, key=lambda edge: edge[:2])), end, slot.names)


def best_pair(said: Sequence[Slot], heard: Sequence[Slot]) -> tuple[list[str], list[str]]:
    """The pair of ways to say both texts that differs in the fewest words."""
    first = _alike(said, heard)
    last = _alike(said[first:][::-1], heard[first:][::-1])
    before, after = _words(said[:first]), _words(said[len(said) - last :])
    middle = _best_middle(said[first : len(said) - last], heard[first : len(heard) - last])
    return before + middle[0] + after, before + middle[1] + after


def _alike(said: Sequence[Slot], heard: Sequence[Slot]) -> int:
    """The length of the common prefix."""
    pairs = zip(said, heard, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(said), len(heard)))


def _words(slots: Sequence[Slot]) -> list[str]:
    """The shortest way to say the slots."""
    words: list[str] = []
    for slot in slots:
        words += [slot.word] if slot.word is not None else _best_middle([slot], [])[0]
    return words


def _best_middle(said: Sequence[Slot], heard: Sequence[Slot]) -> tuple[list[str], list[str]]:
    if all(slot.word is not None for slot in (*said, *heard)):
        return _plain(said), _plain(heard)
    ours, theirs = _edges(said), _edges(heard)
    most = len(ours) + len(theirs)
    allowed = FEW_ERRORS
    while True:
        best = _within(ours, theirs, allowed * _ERROR)
        if best is not None:
            return _traced(best, len(ours) - 1, len(theirs) - 1)
        if len(ours) * len(theirs) > MANY_PAIRS and allowed >= MANY_ERRORS:
            return _words(said), _words(heard)  # so many errors that the choice of ways does not matter
        if allowed >= most:
            raise AssertionError("every text can be replaced by every other")
        allowed *= 2


def _plain(slots: Sequence[Slot]) -> list[str]:
    return [slot.word for slot in slots if slot.word]


def _within(ours: _Edges, theirs: _Edges, limit: int) -> list[_Row] | None:
    """The best step to each pair of nodes within `limit`, a weight; None if the end nodes are out of reach.

    With few errors allowed, pairs far from the diagonal are never examined (Ukkonen 1985).
    """
    best: list[_Row] = [{} for _ in ours]
    best[0][0] = (0, -1, -1, "", "")
    for row, edges in enumerate(ours):
        reached = best[row]
        column, last = min(reached, default=0), max(reached, default=-1)
        while column <= last:
            here = reached.get(column)
            if here is not None:
                weight = here[0]
                for to_row, word in edges:
                    # On a tie in errors, prefer the way with more words of ours.
                    step = _ERROR - 1 if word else 0
                    _reach(best[to_row], column, (weight + step, row, column, word, ""), limit)
                    for to_column, other in theirs[column] if word else ():
                        if other:
                            step = -1 if word == other else _ERROR - 1
                            _reach(best[to_row], to_column, (weight + step, row, column, word, other), limit)
                for to_column, other in theirs[column]:
                    last = max(last, to_column)
                    _reach(reached, to_column, (weight + (_ERROR if other else 0), row, column, "", other), limit)
            column += 1
    return best if len(theirs) - 1 in best[-1] else None


def _edges(slots: Sequence[Slot]) -> _Edges:
    """The outgoing edges of each node of the whole sequence."""
    edges: _Edges = [[]]
    for slot in slots:
        first = len(edges) - 1
        edges.extend([] for _ in range(slot.end))
        for start, end, word in slot.edges:
            edges[first + start].append((first + end, word))
    return edges


def _reach(row: _Row, column: int, found: _Step, limit: int) -> None:
    known = row.get(column)
    if found[0] <= limit and (known is None or found[0] < known[0]):
        row[column] = found


def _traced(best: Sequence[_Row], row: int, column: int) -> tuple[list[str], list[str]]:
    said: list[str] = []
    heard: list[str] = []
    while (row, column) != (0, 0):
        _, row, column, word, other = best[row][column]
        said += [word] if word else []
        heard += [other] if other else []
    return said[::-1], heard[::-1]
