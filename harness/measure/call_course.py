"""A call's course as its self-check needs it: when it was, each stream of audio, and where nothing can be told."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from harness.clock import NS_PER_MS, NS_PER_S
from harness.measure.pace import Point
from harness.measure.spans import Event

STALL_MS = 100.0  # a packet or an event loop this late is told as such, and what it brings about is no other fault
AROUND_NS = 1 * NS_PER_S  # what was held up by a stall, or a lost connection, is made up for after it
NEVER_NS = 1 << 62
PACKETS_A_SECOND = {"sdk": 100.0, "light": 50.0}  # of the microphone: frames of 10 ms, packets of 20

_STREAM = frozenset({"agent.onset", "agent.end", "heard", "media"})
_ANEW_TRACK = frozenset({"track.came", "track.gone", "track.muted", "track.unmuted"})
_OF_SCRIPT = ("turn.", "wait.", "greeting.")


@dataclass(slots=True)
class Stream:
    """What one track delivered without a break that is known of; the events in the order of the timeline.

    `reach` is, for each edge, the position of the last anchor that was written before it; None: there was none.
    `broken_off` where it is known that nothing more needs to come of it.
    """

    track: str
    edges: list[Event] = field(default_factory=list)
    anchors: list[Event] = field(default_factory=list)
    media: list[Event] = field(default_factory=list)
    reach: list[int | None] = field(default_factory=list)
    broken_off: bool = False
    _behind: tuple[list[float], list[float]] | None = None

    def add(self, name: str, event: Event) -> None:
        """An event of the track."""
        match name:
            case "heard":
                self.anchors.append(event)
            case "media":
                self.media.append(event)
            case _:
                self.edges.append(event)
                self.reach.append(self.anchors[-1]["position"] if self.anchors else None)

    def behind_s(self, t_ns: int) -> float:
        """By how much the sender had fallen behind by then, where the engine can tell; between readings, in proportion.

        What it did not send cannot be heard: that much less is due.
        """
        if self._behind is None:
            told = [event for event in self.media if event.get("behind_ms") is not None]
            sums = accumulate((event["behind_ms"] / 1000 for event in told), initial=0.0)
            times = [float(event["t"]) for event in told]
            self._behind = ([times[0] - NS_PER_S, *times], list(sums)) if told else ([0.0], [0.0])
        return float(np.interp(t_ns, *self._behind))

    @property
    def where(self) -> str:
        """For a sentence: in which track."""
        return f" in track {self.track}" if self.track else ""


class CallCourse:
    """See the module."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.connected_ns: int | None = None
        self.hung_up_ns: int | None = None
        self.published_ns: int | None = None
        self.script_until_ns = 0
        self.seconds: list[Event] = []
        self.packets_a_second: float | None = None
        self.muted: list[tuple[int, int]] = []
        self._blind: list[tuple[int, int]] = []
        self.streams = list(self._gathered(events))
        self._blind = _joined(self._blind)
        self._blind_from = [from_ns for from_ns, _ in self._blind]

    def _gathered(self, events: Sequence[Event]) -> Iterator[Stream]:
        streams: dict[str, Stream] = {}
        muted: dict[str, int] = {}
        ended: set[str] = set()
        away_ns: int | None = None
        for event in events:
            name, t_ns, track = event["event"], int(event["t"]), event.get("track") or ""
            if name in _STREAM:
                if track not in muted:
                    streams.setdefault(track, Stream(track, broken_off=track in ended)).add(name, event)
            elif name in _ANEW_TRACK:
                (ended.discard if name in ("track.came", "track.unmuted") else ended.add)(track)
                yield from self._broken_off(streams, [track])
                if track in muted:
                    self.muted.append((muted.pop(track), t_ns))
                if name == "track.muted":
                    muted[track] = t_ns
            self._note(event, name, t_ns)
            if name == "room.reconnecting":
                away_ns = t_ns if away_ns is None else away_ns
            elif name == "room.reconnected" and away_ns is not None:
                self._blind.append((away_ns - AROUND_NS, t_ns + 2 * AROUND_NS))
                away_ns = None
        if away_ns is not None:
            self._blind.append((away_ns - AROUND_NS, NEVER_NS))
        self.muted += [(since_ns, NEVER_NS) for since_ns in muted.values()]
        yield from streams.values()

    @staticmethod
    def _broken_off(streams: dict[str, Stream], tracks: Sequence[str]) -> Iterator[Stream]:
        for track in tracks:
            stream = streams.pop(track, None)
            if stream is not None:
                stream.broken_off = True
                yield stream

    def _note(self, event: Event, name: str, t_ns: int) -> None:
        match name:
            case "call.started":
                self.packets_a_second = PACKETS_A_SECOND.get(event.get("engine", ""))
            case "room.connected":
                self.connected_ns = t_ns
            case "mic.published":
                self.published_ns = t_ns
            case "hung_up":
                self.hung_up_ns = t_ns
            case "second":
                self.seconds.append(event)
            case "send.late" | "loop.lag" if event["late_ms"] > STALL_MS:
                until_ns = t_ns + round(event["late_ms"] * NS_PER_MS)
                self._blind.append((t_ns - AROUND_NS, until_ns + AROUND_NS))
            case "heard.overflow" | "agent.left":
                self._blind.append((t_ns - AROUND_NS, t_ns + AROUND_NS))
            case _ if name.startswith(_OF_SCRIPT):
                self.script_until_ns = max(self.script_until_ns, t_ns)

    def is_blind(self, from_ns: int, to_ns: int) -> bool:
        """Whether anything is known to have been held up between two times."""
        index = bisect_right(self._blind_from, to_ns) - 1
        return index >= 0 and self._blind[index][1] >= from_ns

    def clear(self, points: Sequence[Point]) -> Iterator[Sequence[Point]]:
        """The points in runs in which nothing was held up."""
        first = 0
        for index, (one, other) in enumerate(pairwise(points), 1):
            if self.is_blind(one[0], other[0]):
                yield points[first:index]
                first = index
        yield points[first:]


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted(spans):
        if joined and from_ns <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], to_ns)
        else:
            joined.append((from_ns, to_ns))
    return joined
