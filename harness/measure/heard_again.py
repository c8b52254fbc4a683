"""Detects the agent's voice again in a call's recording, with the times of the live stream.

A position counts samples of the stream from its first one. The timeline's anchors (`heard` events) give the arrival
time of the sample at a position, and its place in the recording. An edge found at the same position as live keeps its
exact live time; any other takes its time from the anchor nearest in position.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from harness.clock import NS_PER_S
from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.voice_finder import FoundEdge, VoiceFinder
from harness.timeline.edges import end_event, onset_event
from harness.timeline.events import AgentEnd, AgentOnset, Event, SecondPassed, StreamAnchor, TrackGone
from harness.timeline.spans import gather

_BLOCK = SAMPLE_RATE  # samples read at a time

Read = Callable[[int, int], NDArray[np.int16]]


@dataclass(frozen=True, slots=True)
class Piece:
    """`count` samples of the stream, found at `place` in the recording; None if they are not in it."""

    count: int
    place: int | None


class HeardStream:
    """The audio received from the agent in one call: the stream of its only track, located by the timeline's anchors.

    Attributes:
        ended: Whether the stream ended before the call did, and a voice in progress with it.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        heard = [event for event in events if isinstance(event, StreamAnchor)]
        voices = gather(events).heard
        agents = {anchor.track for anchor in heard if voices.is_agents(anchor.track)}
        self._recorded = bool(heard)
        self._track = agents.pop() if len(agents) == 1 else None
        self._anchors = [anchor for anchor in heard if anchor.track == self._track]
        self.ended = any(isinstance(event, TrackGone) and event.track == self._track for event in events)

    def why_not(self) -> str | None:
        """Why the stream cannot be found in a recording; None if it can."""
        anchors = self._anchors
        if not anchors and self._recorded:
            return "the agent had several audio tracks, and the recording holds them mixed"
        if not anchors:
            spoke = any(isinstance(event, AgentOnset | AgentEnd) for event in self._events)
            return "its timeline does not tell where the stream stands in the recording" if spoke else None
        if any(anchor.place is None for anchor in anchors):
            return "its audio was not recorded"
        positions = [anchor.position for anchor in anchors]
        if positions[0] != 0 or any(later < before for before, later in itertools.pairwise(positions)):
            return "its timeline tells no whole stream"
        return None

    def pieces(self) -> Iterator[Piece]:
        """Yields the stream from its first sample on, in pieces as recorded. Only valid if `why_not` is None.

        Where the stream shifted back in time, the recording dropped quiet samples or overwrote them with later ones.
        Where it shifted forward, the recording has silence that is not part of the stream.
        """
        anchors = [(anchor.position, anchor.place) for anchor in self._anchors if anchor.place is not None]
        # From a later anchor's place on, the recording holds the samples that follow that anchor.
        overwritten_from = list(itertools.accumulate((place for _, place in reversed(anchors)), min))[::-1]
        pairs = itertools.pairwise(anchors)
        for ((position, place), (following, _)), until in zip(pairs, overwritten_from[1:], strict=True):
            samples = following - position
            recorded = max(0, min(samples, until - place))
            if recorded:
                yield Piece(recorded, place)
            if samples > recorded:
                yield Piece(samples - recorded, None)

    def find_voices(self, read: Read) -> list[FoundEdge]:
        """Detects the edges of the agent's voice; `read(place, count)` returns samples of the recording.

        Raises:
            EOFError: The recording is shorter than its timeline says.
        """
        finder = VoiceFinder()
        found = []
        for piece in self.pieces():
            for start in range(0, piece.count, _BLOCK):
                count = min(_BLOCK, piece.count - start)
                samples = np.zeros(count, np.int16) if piece.place is None else read(piece.place + start, count)
                if samples.size < count:
                    raise EOFError("the recording is shorter than its timeline says")
                found += finder.feed(samples)
        return found + (finder.finish() if self.ended else [])

    def with_voices(self, found: Sequence[FoundEdge]) -> list[Event]:
        """The timeline with its live edges of the agent's voice replaced by `found`."""
        track = self._track
        times = _Times([event for event in self._events if getattr(event, "track", track) == track], track or "")
        live = {(type(event), event.position): event for event in self._events if self._is_edge(event)}
        edges: list[AgentOnset | AgentEnd] = []
        for edge in found:
            if edge.quality is None:
                edges.append(times.onset(edge, live.get((AgentOnset, edge.edge.position))))
            else:
                edges.append(times.end(edge, live.get((AgentEnd, edge.edge.position)), onset=edges[-1]))
        return [*(event for event in self._events if not self._is_edge(event)), *edges]

    def _is_edge(self, event: Event) -> TypeGuard[AgentOnset | AgentEnd]:
        return isinstance(event, AgentOnset | AgentEnd) and event.track == self._track


def _t_ns(event: Event) -> int:
    return event.t_ns


class _Times:
    """Maps positions in one track to times, and builds the events of edges."""

    def __init__(self, events: Sequence[Event], track: str) -> None:
        self._track = track
        self._anchors = [
            (event.position, event.t_ns, event.ear)
            for event in events
            if isinstance(event, AgentOnset | StreamAnchor) and event.position is not None
        ]
        self._anchors.sort(key=lambda anchor: anchor[0])
        self._positions = [position for position, _, _ in self._anchors]
        self._seconds = sorted((event for event in events if isinstance(event, SecondPassed)), key=_t_ns)

    def onset(self, edge: FoundEdge, live: Event | None) -> AgentOnset:
        """The event of an onset; if it was also found live, it keeps the times of `live`."""
        if isinstance(live, AgentOnset):
            return onset_event(
                edge,
                t_ns=live.t_ns,
                track=self._track,
                ear=live.ear,
                found_ns=live.found,
                read_late_ms=live.read_late_ms,
            )
        t_ns, ear_ns = self._at(edge.edge.position)
        # How late its own block was read is unknown; use the maximum of its second. (A `second` event has the time of
        # its second's end.)
        first = bisect.bisect_left(self._seconds, t_ns, key=_t_ns)
        until = bisect.bisect_left(self._seconds, t_ns + NS_PER_S, key=_t_ns)
        late_ms = [each.read_late_ms for each in self._seconds[first:until]]
        return onset_event(
            edge,
            t_ns=t_ns,
            track=self._track,
            ear=ear_ns,
            found_ns=self._at(edge.edge.found_at)[0],
            read_late_ms=max(late_ms, default=0.0),
        )

    def end(self, edge: FoundEdge, live: Event | None, *, onset: Event) -> AgentEnd:
        """The event of an end, built like an onset's; `onset` is the event of the same voice's onset."""
        known = live if isinstance(live, AgentEnd) else None
        return end_event(
            edge,
            t_ns=self._at(edge.edge.position)[0] if known is None else known.t_ns,
            track=self._track,
            began=self._began(edge, onset, known),
            found_ns=self._at(edge.edge.found_at)[0] if known is None else known.found,
        )

    def _began(self, end: FoundEdge, onset: Event, live: AgentEnd | None) -> int | None:
        """When the voice began, according to its end; None if it was noise."""
        if end.edge.began is None:
            return None
        if not end.began_later:
            return onset.t_ns
        known = None if live is None else live.began
        return known if isinstance(known, int) else self._at(end.edge.began)[0]

    def _at(self, position: int) -> tuple[int, int | None]:
        """When the sample at `position` arrived, and when it was audible (None: unknown)."""
        after = bisect.bisect_left(self._positions, position)
        near = self._anchors[max(0, after - 1) : after + 1]
        anchor_position, t_ns, ear_ns = min(near, key=lambda anchor: abs(anchor[0] - position))
        distance_ns = round((position - anchor_position) * NS_PER_S / SAMPLE_RATE)
        return t_ns + distance_ns, None if ear_ns is None else ear_ns + distance_ns
