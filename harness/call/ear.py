"""The caller's ear: when the agent speaks and when it is silent, for the script to wait on."""

from __future__ import annotations

import asyncio
from collections import deque

from harness.call.engines.line import Heard
from harness.call.timeline import Timeline
from harness.clock import NS_PER_MS, Clock, ms
from harness.measure.onset import OnsetDetector
from harness.measure.voice import Voice
from harness.measure.voice_quality import VoiceMeter

REMEMBERED_BLOCKS = 64  # longer than an onset is dated back by
KNOWN_AFTER_NS = 200 * NS_PER_MS  # an onset is known at most so long after it: 8 frames, and a packet's way to us


class Ear:
    """Feeds what is heard to the onset detector, writes its edges to the timeline, and wakes who waits."""

    def __init__(self, clock: Clock, timeline: Timeline) -> None:
        self._clock = clock
        self._timeline = timeline
        self._detector = OnsetDetector()
        self._meter = VoiceMeter()
        self._waiters: set[asyncio.Future[None]] = set()
        self._read_late: deque[tuple[int, int]] = deque(maxlen=REMEMBERED_BLOCKS)
        self.voices: list[Voice] = []
        self.heard_until_ns = 0

    def hear(self, heard: Heard) -> None:
        """A block of the agent's audio."""
        self._read_late.append((heard.position + heard.samples.size, heard.late_ns))
        self._meter.feed(heard.samples)
        edges = self._detector.feed(heard.samples)
        self.heard_until_ns = heard.wire_at(heard.position + heard.samples.size)
        for edge in edges:
            t_ns = heard.wire_at(edge.position)
            now_ns = self._clock.now_ns()
            if edge.edge == "onset":
                self.voices.append(Voice(t_ns))
                self._meter.begin(edge.position)
                ear_ns = heard.ear_at(edge.position)
                late_ns = next((late for end, late in self._read_late if end > edge.position), 0)
                self._timeline.add(
                    t_ns, "agent.onset", ear=ear_ns, level_dbfs=edge.level_dbfs, found=now_ns, read_late_ms=ms(late_ns)
                )
            else:
                self.voices[-1].end_ns = max(t_ns, self.voices[-1].onset_ns)
                quality = self._meter.end(edge.position)
                self._timeline.add(
                    t_ns,
                    "agent.end",
                    level_dbfs=edge.level_dbfs,
                    found=now_ns,
                    active_dbfs=quality.level_dbfs,
                    active_ms=quality.active_ms,
                    clipped=quality.clipped,
                    dropouts=quality.dropouts,
                    dropout_ms=quality.dropout_ms,
                )
        if edges:
            self.wake()

    def wake(self) -> None:
        """Lets everyone who waits look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    @property
    def voiced(self) -> bool:
        """Whether the agent is speaking."""
        return bool(self.voices) and self.voices[-1].end_ns is None

    def known_until_ns(self) -> int:
        """Up to when it is known whether the agent spoke."""
        return max(self.heard_until_ns, self._clock.now_ns()) - KNOWN_AFTER_NS

    async def changed(self, deadline_ns: int) -> bool:
        """Waits for an edge or another wake; False where the deadline came first."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        timer = asyncio.ensure_future(self._clock.sleep_until_ns(deadline_ns))
        try:
            await asyncio.wait({waiter, timer}, return_when=asyncio.FIRST_COMPLETED)
            return waiter.done()
        finally:
            self._waiters.discard(waiter)
            timer.cancel()
