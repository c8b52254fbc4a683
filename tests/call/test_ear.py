"""The caller's ear: what is on the timeline of the agent's voice, by which block it is judged, and who is woken."""

from __future__ import annotations

import asyncio

import numpy as np
from world import BLOCK, BLOCK_NS, SECOND, LoopClock, in_virtual_time

from harness.call.ear import Ear
from harness.call.engines.line import Heard
from harness.clock import NS_PER_MS
from harness.timeline.timeline import Timeline
from tests.events import entries_of


def ear_that_heard(*, voiced_from: int, voiced_to: int, blocks: int, late_block: int | None = None) -> Ear:
    """An ear after `blocks` blocks of 20 ms from 5 s on, voiced in some; each could be heard 40 ms later."""
    ear = Ear(LoopClock(), Timeline())
    for number in range(blocks):
        voiced = voiced_from <= number < voiced_to
        first = number * BLOCK % SECOND.size
        samples = SECOND[first : first + BLOCK] if voiced else np.zeros(BLOCK, np.int16)
        wire_ns = 5_000_000_000 + number * BLOCK_NS
        late_ns = 70 * NS_PER_MS if number == late_block else 0
        ear.hear(Heard("TR_1", samples, number * BLOCK, wire_ns, wire_ns + 40 * NS_PER_MS, late_ns))
    return ear


async def heard(*, late_block: int | None = None) -> Ear:
    return ear_that_heard(voiced_from=40, voiced_to=80, blocks=120, late_block=late_block)


def test_the_edges_are_on_the_timeline_by_wire_and_by_ear() -> None:
    ear = in_virtual_time(heard())
    onset, end = entries_of(ear._timeline.events)
    assert (onset["event"], end["event"]) == ("agent.onset", "agent.end")
    assert abs(onset["t"] - 5_800_000_000) <= 2 * NS_PER_MS
    assert onset["ear"] - onset["t"] == 40 * NS_PER_MS
    assert abs(end["t"] - 6_600_000_000) <= 2 * NS_PER_MS
    assert (ear.voices[0].onset_ns, ear.voices[0].end_ns, ear.voiced) == (onset["t"], end["t"], False)


def test_the_lateness_of_the_onsets_own_block_is_told_and_no_others() -> None:
    late = {
        block: entries_of(in_virtual_time(heard(late_block=block))._timeline.events)[0]["read_late_ms"]
        for block in range(35, 60)
    }
    assert late[40] == 70
    assert set(late.values()) == {0, 70}
    assert [block for block, value in late.items() if value] == [40]


def test_who_waits_is_woken_by_an_edge_and_not_before_the_deadline_else() -> None:
    async def work() -> None:
        clock = LoopClock()
        ear = Ear(clock, Timeline())
        start_ns = clock.now_ns()
        assert not await ear.changed(start_ns + 500 * NS_PER_MS)
        assert clock.now_ns() - start_ns == 500 * NS_PER_MS
        waiting = asyncio.ensure_future(ear.changed(start_ns + 9_000 * NS_PER_MS))
        await asyncio.sleep(1)
        ear.wake()
        assert await waiting
        assert clock.now_ns() - start_ns == 1500 * NS_PER_MS

    in_virtual_time(work())
