"""A call as the self-check needs it: its start and end, each audio stream, and the periods that cannot be checked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from harness.clock import NS_PER_MS, NS_PER_S
from harness.measure.pace import Point
from harness.timeline.events import (
    AgentEnd,
    AgentLeft,
    AgentOnset,
    CallStarted,
    Event,
    HeardOverflow,
    HungUp,
    LoopWasLate,
    MediaSecond,
    MicPublished,
    RoomConnected,
    RoomReconnected,
    RoomReconnecting,
    SecondPassed,
    SendLate,
    StreamAnchor,
    TrackCame,
    TrackGone,
    TrackMuted,
    TrackUnmuted,
)

STALL_MS = 100.0  # a packet or event loop this late is reported as such; its consequences are not further faults
AROUND_NS = 1 * NS_PER_S  # data held up by a stall or a lost connection arrives in a burst afterwards
NEVER_NS = 1 << 62
Edge = AgentOnset | AgentEnd
PACKETS_A_SECOND = {"sdk": 100.0, "light": 50.0}  # of the microphone: 10 ms frames, 20 ms packets

_OF_SCRIPT = ("turn.", "wait.", "greeting.")


@dataclass(slots=True)
class Stream:
    """What one track delivered without a known interruption; events are in timeline order.

    `reach` is, for each edge, the position of the last anchor written before it, or None. `broken_off` means that
    nothing more is expected from the track.
    """

    track: str
    edges: list[Edge] = field(default_factory=list)
    anchors: list[StreamAnchor] = field(default_factory=list)
    media: list[MediaSecond] = field(default_factory=list)
    reach: list[int | None] = field(default_factory=list)
    broken_off: bool = False
    _behind: tuple[list[float], list[float]] | None = None

    def add(self, event: Edge | StreamAnchor | MediaSecond) -> None:
        """Adds an event of the track."""
        match event:
            case StreamAnchor():
                self.anchors.append(event)
            case MediaSecond():
                self.media.append(event)
            case _:
                self.edges.append(event)
                self.reach.append(self.anchors[-1].position if self.anchors else None)

    def behind_s(self, t_ns: int) -> float:
        """How far the sender had fallen behind by `t_ns`, interpolated between readings; 0 if the engine cannot tell.

        The expected amount of audio is reduced by this much, because audio that was not sent cannot be heard.
        """
        if self._behind is None:
            told = [(float(event.t_ns), event.behind_ms) for event in self.media if event.behind_ms is not None]
            sums = accumulate((behind_ms / 1000 for _, behind_ms in told), initial=0.0)
            times = [t_ns for t_ns, _ in told]
            self._behind = ([times[0] - NS_PER_S, *times], list(sums)) if told else ([0.0], [0.0])
        return float(np.interp(t_ns, *self._behind))

    @property
    def where(self) -> str:
        """The track, as a part of a message; empty if it has no name."""
        return f" in track {self.track}" if self.track else ""


class CallCourse:
    """The start, end, streams and unverifiable periods of a call; see the module."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.connected_ns: int | None = None
        self.hung_up_ns: int | None = None
        self.published_ns: int | None = None
        self.script_until_ns = 0
        self.seconds: list[SecondPassed] = []
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
            t_ns = event.t_ns
            if isinstance(event, AgentOnset | AgentEnd | StreamAnchor | MediaSecond):
                track = event.track
                if track not in muted:
                    streams.setdefault(track, Stream(track, broken_off=track in ended)).add(event)
            elif isinstance(event, TrackCame | TrackGone | TrackMuted | TrackUnmuted):
                track = event.track
                (ended.discard if isinstance(event, TrackCame | TrackUnmuted) else ended.add)(track)
                yield from self._broken_off(streams, [track])
                if track in muted:
                    self.muted.append((muted.pop(track), t_ns))
                if isinstance(event, TrackMuted):
                    muted[track] = t_ns
            self._note(event)
            if isinstance(event, RoomReconnecting):
                away_ns = t_ns if away_ns is None else away_ns
            elif isinstance(event, RoomReconnected) and away_ns is not None:
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

    def _note(self, event: Event) -> None:
        t_ns = event.t_ns
        match event:
            case CallStarted():
                self.packets_a_second = PACKETS_A_SECOND.get(event.engine)
            case RoomConnected():
                self.connected_ns = t_ns
            case MicPublished():
                self.published_ns = t_ns
            case HungUp():
                self.hung_up_ns = t_ns
            case SecondPassed():
                self.seconds.append(event)
            case SendLate() | LoopWasLate() if event.late_ms > STALL_MS:
                until_ns = t_ns + round(event.late_ms * NS_PER_MS)
                self._blind.append((t_ns - AROUND_NS, until_ns + AROUND_NS))
            case HeardOverflow() | AgentLeft():
                self._blind.append((t_ns - AROUND_NS, t_ns + AROUND_NS))
            case _ if event.event.startswith(_OF_SCRIPT):
                self.script_until_ns = max(self.script_until_ns, t_ns)

    def is_blind(self, from_ns: int, to_ns: int) -> bool:
        """Whether anything is known to have been held up between two times, so that they cannot be checked."""
        index = bisect_right(self._blind_from, to_ns) - 1
        return index >= 0 and self._blind[index][1] >= from_ns

    def clear(self, points: Sequence[Point]) -> Iterator[Sequence[Point]]:
        """Splits the points into runs in which nothing was held up."""
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
