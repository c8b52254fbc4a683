"""In virtual time: what is due when, and in which order."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from harness.clock import NS_PER_MS
from harness.transport.pacer import PACKET_NS, SKIP_AFTER_NS, Job, Pacer
from tests.call.world import LoopClock, in_virtual_time


def test_each_job_is_called_once_in_20_ms_by_absolute_deadlines_and_listening_comes_last() -> None:
    happened: list[str] = []
    due: dict[str, list[int]] = {"a": [], "b": [], "ear": []}

    async def work() -> None:
        pacer = Pacer(LoopClock(), flush=lambda: happened.append("flush"), read=lambda: happened.append("read"))

        def job(name: str) -> Job:
            def called(due_ns: int, now_ns: int) -> None:
                assert now_ns >= due_ns
                happened.append(name)
                due[name].append(due_ns)

            return called

        pacer.add_sender(job("a"))
        pacer.add_sender(job("b"))
        pacer.add_listener(job("ear"))
        pacer.acquire()
        await asyncio.sleep(0.2001)
        pacer.release()
        count = len(happened)
        await asyncio.sleep(0.1)
        assert len(happened) == count  # nobody is there: nothing ticks

    in_virtual_time(work())
    for times in due.values():
        assert 10 <= len(times) <= 11
        assert {later - earlier for earlier, later in pairwise(times)} == {PACKET_NS}
    assert abs(due["a"][0] - due["b"][0]) == PACKET_NS // 2
    assert happened[:4] == ["a", "flush", "read", "ear"]


def test_what_was_missed_for_long_is_left_out() -> None:
    calls: list[int] = []

    class Stopped(LoopClock):
        ahead_ns = 0

        def now_ns(self) -> int:
            return super().now_ns() + self.ahead_ns

    async def work() -> None:
        clock = Stopped()
        pacer = Pacer(clock, flush=lambda: None, read=lambda: None)
        pacer.add_sender(lambda due_ns, now_ns: calls.append(now_ns - due_ns))
        pacer.acquire()
        await asyncio.sleep(0.1)
        before = len(calls)
        clock.ahead_ns = 100 * NS_PER_MS  # a stall: what is due is sent at once
        await asyncio.sleep(0.02)
        assert 5 <= len(calls) - before <= 7
        before = len(calls)
        clock.ahead_ns += 5 * SKIP_AFTER_NS  # a stop: it is not
        await asyncio.sleep(0.02)
        assert len(calls) - before <= 3
        pacer.release()

    in_virtual_time(work())
