"""Holds a number of concurrent calls for some time, in slots that start a new call when one ends early.

Each hold makes its own calls. So every call belongs to one step, each step includes set-ups under load, and holds with
the same number of calls are independent of each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.caller.prepare import Prepared
from harness.capacity.judge_hold import Fitness, Made
from harness.capacity.lengths import Lengths
from harness.capacity.window import Timed, read_timed, window_of
from harness.clock import NS_PER_S, Clock, s_to_ns
from harness.machine.meter import Machine
from harness.record.call_id import call_id
from harness.record.result import CallResult
from harness.run.mix import Mix
from harness.run.slots import RunningCall

# Takes the call's id, its scenario, and for how many seconds its turns are looped.
StartLasting = Callable[[str, Prepared, float], RunningCall]

LEAST_CALL_S = 10.0  # with less time left in a hold, a slot starts no further call
FAILED_A_SLOT = 3  # calls without a turn after which a slot gives up, so as not to flood a service that refuses all
PAUSE_S = 2.0  # after a hold, for its agents to leave


@dataclass
class Slots:
    """Makes the calls of one hold after another.

    Attributes:
        start: Creates a call, ready to be made.
        scenarios: The scenarios of the calls.
        mix: Chooses the scenario of each call.
        timeline: Returns the path of a call's timeline.
        ended: Called with each result as its call ends.
        clock: The clock.
        call_duration_s: Calls end after this time and the next ones start; None: a call lasts as long as its hold.
        fitness: The values read during the current hold.
    """

    start: StartLasting
    scenarios: Sequence[Prepared]
    mix: Mix
    timeline: Callable[[str], Path]
    ended: Callable[[CallResult], None]
    clock: Clock
    call_duration_s: float | None = None
    fitness: Fitness = field(default_factory=Fitness)
    _started: int = 0
    _running: set[RunningCall] = field(default_factory=set)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """Starts no more calls and cuts the running ones."""
        self._stopped.set()
        for call in list(self._running):
            call.cut()

    async def hold(self, calls: int, lengths: Lengths, *, full: bool) -> Made:
        """Holds `calls` calls; returns `PAUSE_S` after the last one has ended."""
        begun_ns = self.clock.now_ns()
        started = self.clock.utc().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        planned_ns = begun_ns + s_to_ns(lengths.set_up_s)
        until_ns = planned_ns + s_to_ns(lengths.window_s)
        self.fitness = Fitness()
        made: list[Timed] = []
        watching = asyncio.create_task(self._watch(self.fitness, planned_ns, until_ns))
        slots = [self._slot(begun_ns + s_to_ns(index * lengths.gap_s), until_ns, made) for index in range(calls)]
        try:
            await asyncio.gather(*slots)
        finally:
            watching.cancel()
            self.fitness.is_open = False
        ended_ns = self.clock.now_ns()
        if ended_ns < until_ns - s_to_ns(LEAST_CALL_S):  # every slot has given up, or was stopped
            until_ns = ended_ns
        await self._sleep_until_ns(ended_ns + s_to_ns(PAUSE_S))
        window = window_of(made, begun_ns=begun_ns, planned_ns=planned_ns, until_ns=until_ns)
        return Made(calls, full, started, begun_ns, window, made, self.fitness)

    async def _slot(self, from_ns: int, until_ns: int, made: list[Timed]) -> None:
        await self._sleep_until_ns(from_ns)
        failed = 0
        first = True
        while not self._stopped.is_set() and failed < FAILED_A_SLOT:
            left_s = (until_ns - self.clock.now_ns()) / NS_PER_S
            if left_s < LEAST_CALL_S and not first:
                return
            lasts_s = left_s if self.call_duration_s is None else min(left_s, self.call_duration_s)
            result = await self._call(lasts_s)
            made.append(read_timed(result, self.timeline(result.call), first=first))
            first = False
            if result.failure is not None:
                failed += not result.turns
                await self._sleep_until_ns(self.clock.now_ns() + NS_PER_S)

    async def _sleep_until_ns(self, due_ns: int) -> None:
        """Waits until the time, or until `cut`."""
        waits = {
            asyncio.ensure_future(self._stopped.wait()),
            asyncio.ensure_future(self.clock.sleep_until_ns(due_ns)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _call(self, lasts_s: float) -> CallResult:
        scenario = self.scenarios[self.mix.pick(self._started)]
        self._started += 1
        call = self.start(call_id(self._started, scenario.loaded.name), scenario, lasts_s)
        self._running.add(call)
        try:
            result = await call.make()
        finally:
            self._running.discard(call)
        self.ended(result)
        return result

    async def _watch(self, fitness: Fitness, from_ns: int, until_ns: int) -> None:
        """Reads once a second how busy the machine is, during the planned window."""
        await self.clock.sleep_until_ns(from_ns)
        machine = Machine(self.clock)
        fitness.is_open = True
        while (now_ns := self.clock.now_ns()) < until_ns:
            await self.clock.sleep_until_ns(now_ns + NS_PER_S)
            busy = machine.read().busy
            if busy is not None:
                fitness.busy.append(busy)
        fitness.is_open = False
