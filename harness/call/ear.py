"""The caller's ear: when the agent speaks and when it is silent, for the script to wait on."""

from __future__ import annotations

import asyncio
from collections import deque

from harness.call.engines.line import Heard
from harness.call.timeline import Timeline
from harness.clock import NS_PER_MS, NS_PER_S, Clock, ms
from harness.measure.voice import Voice, end_voice
from harness.measure.voice_finder import FoundEdge, VoiceFinder, edge_fields

REMEMBERED_BLOCKS = 64  # longer than an onset is dated back by
ONSET_NS = 100 * NS_PER_MS  # an onset is known once so much after it was heard: 8 frames, and one that is not whole yet
KNOWN_AFTER_NS = 280 * NS_PER_MS  # ... and at most so long after it, where engine `light` waits longest to listen


class Ear:
    """Finds the voice in what is heard, writes its edges to the timeline, and wakes who waits."""

    def __init__(self, clock: Clock, timeline: Timeline) -> None:
        self._clock = clock
        self._timeline = timeline
        self._finder = VoiceFinder()
        self._waiters: set[asyncio.Future[bool]] = set()
        self._read_late: deque[tuple[int, int]] = deque(maxlen=REMEMBERED_BLOCKS)
        self.voices: list[Voice] = []
        self.heard_until_ns = 0

    def hear(self, heard: Heard) -> None:
        """A block of the agent's audio."""
        self._read_late.append((heard.position + heard.samples.size, heard.late_ns))
        edges = self._finder.feed(heard.samples)
        self.heard_until_ns = heard.wire_at(heard.position + heard.samples.size)
        for found in edges:
            position = found.edge.position
            t_ns = heard.wire_at(position)
            now_ns = self._clock.now_ns()
            if found.quality is None:
                self.voices.append(Voice(t_ns))
                ear_ns = heard.ear_at(position)
                late_ns = next((late for end, late in self._read_late if end > position), 0)
                self._timeline.add(
                    t_ns, "agent.onset", ear=ear_ns, **edge_fields(found), found=now_ns, read_late_ms=ms(late_ns)
                )
            else:
                began_ns = self._began_ns(found, heard)
                end_voice(self.voices, t_ns, began_ns)
                self._timeline.add(t_ns, "agent.end", **edge_fields(found), began=began_ns, found=now_ns)
        if edges:
            self.wake()

    def _began_ns(self, end: FoundEdge, heard: Heard) -> int | None:
        """When the voice that ends began, as it is known now; None where it was noise, and no voice."""
        began = end.edge.began
        if began is None:
            return None
        return heard.wire_at(began) if end.began_later else self.voices[-1].onset_ns

    def wake(self) -> None:
        """Lets everyone who waits look again."""
        for waiter in self._waiters:
            _settle(waiter, woken=True)

    @property
    def voiced(self) -> bool:
        """Whether the agent is speaking."""
        return bool(self.voices) and self.voices[-1].end_ns is None

    def known_until_ns(self) -> int:
        """Up to when it is known whether the agent spoke."""
        return max(self.heard_until_ns - ONSET_NS, self._clock.now_ns() - KNOWN_AFTER_NS)

    async def changed(self, deadline_ns: int) -> bool:
        """Waits for an edge or another wake; False where the deadline came first."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters.add(waiter)
        # A timer, and no task that sleeps: every call waits so ten times a second.
        timer = loop.call_later(max(0, deadline_ns - self._clock.now_ns()) / NS_PER_S, _settle, waiter, False)
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)
            timer.cancel()


def _settle(waiter: asyncio.Future[bool], woken: bool) -> None:
    if not waiter.done():
        waiter.set_result(woken)
