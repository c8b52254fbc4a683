"""How late the event loop runs."""

from __future__ import annotations

import asyncio

from harness.clock import NS_PER_MS
from harness.machine.loop_lag import LoopLag
from harness.testing import FakeClock


class StallingClock(FakeClock):
    """A clock whose sleep ends late once, as behind a busy loop."""

    def __init__(self, *, at_tick: int, late_ms: float) -> None:
        super().__init__()
        self._at_tick = at_tick
        self._late_ms = late_ms
        self.twenty_ticks = asyncio.Event()

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        await super().sleep_until_ns(deadline_ns)
        if len(self.slept_s) == self._at_tick:
            self.advance(self._late_ms / 1000)
        if len(self.slept_s) == 20:
            self.twenty_ticks.set()


async def lags_of(clock: StallingClock) -> tuple[list[tuple[int, int]], int]:
    told: list[tuple[int, int]] = []
    async with LoopLag(clock) as lag:
        lag.watch(lambda due_ns, late_ns, _stall: told.append((due_ns // NS_PER_MS, late_ns // NS_PER_MS)))
        await clock.twenty_ticks.wait()
        return told, lag.longest_ns(0) // NS_PER_MS


async def test_a_loop_on_time_tells_nothing() -> None:
    assert await lags_of(StallingClock(at_tick=0, late_ms=0)) == ([], 0)


async def test_a_lag_over_10_ms_is_told_once_with_when_it_was_due() -> None:
    assert await lags_of(StallingClock(at_tick=3, late_ms=10)) == ([], 10)
    assert await lags_of(StallingClock(at_tick=3, late_ms=11)) == ([(60, 11)], 11)
    assert await lags_of(StallingClock(at_tick=3, late_ms=250)) == ([(60, 250)], 250)


async def test_the_machine_is_read_once_a_second() -> None:
    clock = FakeClock()
    async with LoopLag(clock) as lag:
        assert lag.machine is None
        readings = []
        while clock.now_ns() < 3.5e9:
            await asyncio.sleep(0)
            if lag.machine is not None and (not readings or lag.machine is not readings[-1]):
                readings.append(lag.machine)
        assert [reading.clock_step_ms for reading in readings] == [0, 0, 0]
