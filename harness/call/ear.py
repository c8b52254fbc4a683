"""The caller's ear: when the agent speaks and when it is silent, for the script to wait on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from harness.call.engines.line import Heard
from harness.clock import NS_PER_MS, NS_PER_S, Clock, ms
from harness.hearing.voice_finder import FoundEdge, VoiceFinder
from harness.timeline.agent_voices import AgentVoices
from harness.timeline.edges import end_event, onset_event
from harness.timeline.timeline import Timeline

REMEMBERED_BLOCKS = 64  # longer than an onset is backdated
ONSET_NS = 100 * NS_PER_MS  # delay until an onset is detected: 8 frames, and one that is not complete yet
KNOWN_AFTER_NS = 280 * NS_PER_MS  # ... and at most this long, where engine `light` polls least often


class _TrackEar:
    """One track's voice detection."""

    def __init__(self) -> None:
        self.finder = VoiceFinder()
        self.read_late: deque[tuple[int, int]] = deque(maxlen=REMEMBERED_BLOCKS)
        self.last: Heard | None = None
        self.until_ns = 0


class Ear:
    """Detects the voice on each track, writes its edges to the timeline, and wakes waiters.

    Args:
        clock: Time source.
        timeline: Receives the edges.
        heard: Receives each track's voices; knows which are the agent's.
        on_voice: Called at each onset, with its time and track.
    """

    def __init__(
        self,
        clock: Clock,
        timeline: Timeline,
        heard: AgentVoices | None = None,
        on_voice: Callable[[int, str], None] = lambda t_ns, track: None,
    ) -> None:
        self._clock = clock
        self._timeline = timeline
        self._on_voice = on_voice
        self._heard = heard or AgentVoices()
        self._tracks: dict[str, _TrackEar] = {}
        self._waiters: set[asyncio.Future[bool]] = set()
        self.voices = self._heard.voices

    def hear(self, heard: Heard) -> None:
        """Processes a block of a track."""
        track = self._tracks.setdefault(heard.track, _TrackEar())
        track.last = heard
        track.read_late.append((heard.position + heard.samples.size, heard.late_ns))
        edges = track.finder.feed(heard.samples)
        track.until_ns = heard.wire_at(heard.position + heard.samples.size)
        self._take(edges, heard, track)

    def ended(self, sid: str) -> None:
        """Handles a track's end: a voice on it ends with it."""
        track = self._tracks.pop(sid, None)
        if track is not None and track.last is not None:
            self._take(track.finder.finish(), track.last, track)
        self.wake()

    def _take(self, edges: Sequence[FoundEdge], heard: Heard, track: _TrackEar) -> None:
        for found in edges:
            position = found.edge.position
            t_ns = heard.wire_at(position)
            now_ns = self._clock.now_ns()
            if found.quality is None:
                self._heard.onset(heard.track, t_ns)
                ear_ns = heard.ear_at(position)
                late_ns = next((late for end, late in track.read_late if end > position), 0)
                self._timeline.add(
                    onset_event(
                        found, t_ns=t_ns, track=heard.track, ear=ear_ns, found_ns=now_ns, read_late_ms=ms(late_ns)
                    )
                )
                self._on_voice(t_ns, heard.track)
            else:
                began_ns = self._began_ns(found, heard)
                self._heard.end(heard.track, t_ns, began_ns)
                self._timeline.add(end_event(found, t_ns=t_ns, track=heard.track, began=began_ns, found_ns=now_ns))
        if edges:
            self.wake()

    def _began_ns(self, end: FoundEdge, heard: Heard) -> int | None:
        """The onset of the voice that ends, as known by now; None if it was noise rather than a voice."""
        began = end.edge.began
        if began is None:
            return None
        return heard.wire_at(began) if end.began_later else self._heard.last_onset_ns(heard.track)

    def wake(self) -> None:
        """Makes all waiters check their condition again."""
        for waiter in self._waiters:
            _settle(waiter, woken=True)

    @property
    def voiced(self) -> bool:
        """Whether the agent is speaking."""
        return bool(self.voices) and self.voices[-1].end_ns is None

    def known_until_ns(self) -> int:
        """The time up to which it is known whether the agent spoke."""
        heard_ns = [track.until_ns for sid, track in self._tracks.items() if self._heard.is_agents(sid)]
        return max(min(heard_ns, default=0) - ONSET_NS, self._clock.now_ns() - KNOWN_AFTER_NS)

    async def changed(self, deadline_ns: int) -> bool:
        """Waits for an edge or another wake-up; False if the deadline comes first."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters.add(waiter)
        # A timer rather than a sleeping task: every call waits like this ten times a second.
        timer = loop.call_later(max(0, deadline_ns - self._clock.now_ns()) / NS_PER_S, _settle, waiter, False)
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)
            timer.cancel()


def _settle(waiter: asyncio.Future[bool], woken: bool) -> None:
    if not waiter.done():
        waiter.set_result(woken)
