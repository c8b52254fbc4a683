"""Chrome's Trace Event Format, as far as a call needs it; Perfetto (ui.perfetto.dev) opens it.

Source: "Trace Event Format" (the Chromium project), sections on complete, instant, counter, flow and metadata events.
Perfetto allows no two slices of a thread to overlap unless one is inside the other. Where spans of a track do, the
later one goes to a second thread of the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PID = 1
_NS_PER_US = 1000
_LANES = 100  # thread ids between two tracks


@dataclass(eq=False)
class Slice:
    """A stretch of time on a track; times in ns on the call's monotonic clock."""

    track: str
    name: str
    start_ns: int
    end_ns: int
    args: Mapping[str, Any] = field(default_factory=dict)
    tid: int = 0


@dataclass(frozen=True)
class _Mark:
    track: str
    name: str
    t_ns: int
    args: Mapping[str, Any]


@dataclass(frozen=True)
class _Arrow:
    name: str
    start: Slice
    start_ns: int
    end: Slice
    end_ns: int


class TraceBuilder:
    """Collects slices, marks, counters and arrows, and renders them as trace events.

    Args:
        origin_ns: The time that becomes 0. Nothing may be earlier; what is, is moved to it.
        tracks: The tracks, from top to bottom.
    """

    def __init__(self, origin_ns: int, tracks: tuple[str, ...]) -> None:
        self._origin_ns = origin_ns
        self._tracks = tracks
        self._slices: list[Slice] = []
        self._marks: list[_Mark] = []
        self._counters: list[tuple[str, int, Mapping[str, float]]] = []
        self._arrows: list[_Arrow] = []

    def span(self, track: str, name: str, start_ns: int, end_ns: int, args: Mapping[str, Any] | None = None) -> Slice:
        """Adds a slice; one that ends before it starts has no length."""
        start_ns = max(start_ns, self._origin_ns)
        made = Slice(track, name, start_ns, max(start_ns, end_ns), args or {})
        self._slices.append(made)
        return made

    def mark(self, track: str, name: str, t_ns: int, args: Mapping[str, Any] | None = None) -> None:
        """Adds a moment."""
        self._marks.append(_Mark(track, name, t_ns, args or {}))

    def counter(self, name: str, t_ns: int, values: Mapping[str, float | None]) -> None:
        """Adds values to the curves of a counter; those that are None are left out."""
        known = {key: value for key, value in values.items() if value is not None}
        if known:
            self._counters.append((name, t_ns, known))

    def arrow(self, name: str, start: Slice, start_ns: int, end: Slice, end_ns: int) -> None:
        """Adds an arrow between moments in two slices."""
        self._arrows.append(_Arrow(name, start, start_ns, end, end_ns))

    def events(self, process: str) -> list[dict[str, Any]]:
        """Returns the trace events, by time, after the names of the process and its threads."""
        threads = self._lay_out()
        found = [*map(self._slice_event, self._slices), *map(self._mark_event, self._marks)]
        found += [
            {"ph": "C", "name": name, "pid": PID, "tid": 0, "ts": self._us(t_ns), "args": dict(values)}
            for name, t_ns, values in self._counters
        ]
        for number, arrow in enumerate(self._arrows, 1):
            found += self._arrow_events(number, arrow)
        # At equal times a slice comes before what is inside it, and before the ends of arrows, which bind to it.
        found.sort(key=lambda event: (event["ts"], event["ph"] != "X", -event.get("dur", 0)))
        return [*_names(process, threads), *found]

    def _lay_out(self) -> dict[int, str]:
        """Gives each slice a thread of its track in which it nests; returns the threads' names."""
        threads: dict[int, str] = {}
        for index, track in enumerate(self._tracks):
            lanes: list[list[int]] = []  # of each lane the ends of the slices that are open, outermost first
            those = [one for one in self._slices if one.track == track]
            for one in sorted(those, key=lambda one: (self._us(one.start_ns), -self._us(one.end_ns))):
                number = _lane(lanes, self._us(one.start_ns), self._us(one.end_ns))
                one.tid = index * _LANES + number + 1
                threads[one.tid] = track if number == 0 else f"{track} ({number + 1})"
            if any(mark.track == track for mark in self._marks):
                threads[index * _LANES + 1] = track
        return dict(sorted(threads.items()))

    def _slice_event(self, one: Slice) -> dict[str, Any]:
        start = self._us(one.start_ns)
        event = {"ph": "X", "name": one.name, "cat": one.track, "pid": PID, "tid": one.tid, "ts": start}
        return event | {"dur": self._us(one.end_ns) - start, "args": dict(one.args)}

    def _mark_event(self, mark: _Mark) -> dict[str, Any]:
        tid = self._tracks.index(mark.track) * _LANES + 1
        place = {"pid": PID, "tid": tid, "ts": self._us(mark.t_ns)}
        return {"ph": "i", "s": "t", "name": mark.name, "cat": mark.track, **place, "args": dict(mark.args)}

    def _arrow_events(self, number: int, arrow: _Arrow) -> Iterator[dict[str, Any]]:
        flow = {"name": arrow.name, "cat": "flow", "id": number, "pid": PID}
        yield {"ph": "s", **flow, "tid": arrow.start.tid, "ts": self._us(arrow.start_ns)}
        yield {"ph": "f", "bp": "e", **flow, "tid": arrow.end.tid, "ts": self._us(arrow.end_ns)}

    def _us(self, t_ns: int) -> int:
        return max(0, t_ns - self._origin_ns) // _NS_PER_US


def _lane(lanes: list[list[int]], start: int, end: int) -> int:
    """Puts a slice into the first lane in which it overlaps none, or is inside those that are open."""
    for number, ends in enumerate(lanes):
        while ends and ends[-1] <= start:
            ends.pop()
        if not ends or end <= ends[-1]:
            ends.append(end)
            return number
    lanes.append([end])
    return len(lanes) - 1


def _names(process: str, threads: Mapping[int, str]) -> list[dict[str, Any]]:
    named = [{"ph": "M", "name": "process_name", "pid": PID, "tid": 0, "ts": 0, "args": {"name": process}}]
    for tid, name in threads.items():
        of_thread = {"ph": "M", "pid": PID, "tid": tid, "ts": 0}
        named.append(of_thread | {"name": "thread_name", "args": {"name": name}})
        named.append(of_thread | {"name": "thread_sort_index", "args": {"sort_index": tid}})
    return named
