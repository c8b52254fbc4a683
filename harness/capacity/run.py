"""A whole search for the capacity: the target made ready, holds made, everything written, the answer given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from harness.caller.prepare import Prepared
from harness.capacity.answer import conclude, curve
from harness.capacity.lengths import Learned
from harness.capacity.objectives import turns_wanted
from harness.capacity.search import Plan
from harness.capacity.seek import Seeker
from harness.capacity.slots import Slots
from harness.clock import Clock
from harness.errors import EXIT_INTERRUPTED, EXIT_OK, StackError
from harness.judge.thresholds import Threshold
from harness.process.signals import Signals
from harness.record.capacity import Capacity, Ended, Hold, Recovery
from harness.record.result import CallResult
from harness.record.run_directory import CAPACITY_FILE, TRUTH_FILE, RunDirectory
from harness.record.settings import RunSettings, SearchSettings
from harness.record.summary import Ending, Reason, Summary
from harness.run.execute import RunOrder, reachable, shard_order
from harness.run.finish import finish_run
from harness.run.mix import Mix
from harness.shards.pool import PooledCall, ShardPool


@dataclass(frozen=True)
class CapacityOrder:
    """Everything decided before a search starts; `run` is what its calls share."""

    run: RunOrder
    mix: Mix
    plan: Plan
    objectives: Sequence[Threshold]
    max_time_s: float
    call_duration_s: float | None = None
    session_rate_per_min: float | None = None


class CapacityWatcher(Protocol):
    """Who looks on."""

    def say(self, line: str) -> None:
        """A line for a person."""
        ...

    def held(self, step: Hold) -> None:
        """A hold was judged."""
        ...


async def find_capacity(
    order: CapacityOrder, directory: RunDirectory, watcher: CapacityWatcher, *, clock: Clock, signals: Signals
) -> tuple[Capacity, Summary]:
    """Searches and writes the run; every finished call is on the disk.

    Raises:
        StackError: The embedded stack did not come up.
        HarnessError: The target or the engine is not usable.
    """
    directory.write_settings(order.run.settings)
    search = _Search(order, directory, watcher, clock)
    try:
        async with AsyncExitStack() as stack:
            opened = asyncio.ensure_future(search.open(stack))
            signals.on_interrupt(opened.cancel)
            await opened
            signals.on_interrupt(lambda: search.stop("interrupted"))
            await search.run()
    except asyncio.CancelledError:
        if not signals.received:
            raise
        search.ended = "interrupted"
    return search.finish()


class _Search:
    def __init__(self, order: CapacityOrder, directory: RunDirectory, watcher: CapacityWatcher, clock: Clock) -> None:
        self._order = order
        self._directory = directory
        self._watcher = watcher
        self._clock = clock
        self._results: list[CallResult] = []
        self._pool: ShardPool | None = None
        self._recovery: Recovery | None = None
        self.ended: Ended = "interrupted"
        self._slots = Slots(
            self._start,
            order.run.scenarios,
            order.mix,
            timeline=directory.timeline,
            ended=self._call_ended,
            clock=clock,
            call_duration_s=order.call_duration_s,
        )
        self._seeker = Seeker(
            order.plan,
            order.objectives,
            Learned(order.run.scenarios, order.objectives, order.session_rate_per_min),
            hold=self._slots.hold,
            tell=watcher.held,
            say=watcher.say,
            clock=clock,
            max_time_s=order.max_time_s,
        )

    async def open(self, stack: AsyncExitStack) -> None:
        """Everything that calls need."""
        run = self._order.run
        agents = [prepared.agent for prepared in run.scenarios]
        truth_log = self._directory.path / TRUTH_FILE
        target, fallen = await stack.enter_async_context(
            reachable(run.target, agents=agents, truth_log=truth_log, say=self._watcher.say)
        )
        if fallen is not None:
            fallen.add_done_callback(self._fell)
        pool = ShardPool(
            shard_order(run, target, self._directory),
            run.scenarios,
            clock=self._clock,
            most=self._order.plan.most,
            on_second=lambda _, second: self._slots.fitness.take(second),
        )
        self._pool = await stack.enter_async_context(pool)

    def stop(self, why: Ended) -> None:
        """Cuts what runs and begins nothing more."""
        self._seeker.stop(why)
        self._slots.cut()

    async def run(self) -> None:
        """The search, and the hold after it."""
        self.ended = await self._seeker.seek()
        if self._seeker.stopped is None:
            self._recovery = await self._seeker.afterwards()

    def finish(self) -> tuple[Capacity, Summary]:
        """Writes all."""
        order, steps = self._order, self._seeker.steps
        ended = self._seeker.stopped or self.ended
        answer = conclude(steps, ended, most=order.plan.most)
        models = [prepared.loaded.model for prepared in order.run.scenarios]
        capacity = Capacity(
            answer=answer,
            objectives=[f"{objective.ref}: {objective.limit}" for objective in order.objectives],
            turns_wanted={
                name: turns_wanted(order.objectives, models, full=full)
                for name, full in (("step", False), ("edge", True))
            },
            curve=curve(steps, self._seeker.ttfa_ms),
            steps=steps,
            recovery=self._recovery,
        )
        self._directory.write_text(CAPACITY_FILE, capacity.model_dump_json(indent=2) + "\n")
        interrupted = ended == "interrupted"
        decided = (
            []
            if answer.exit_code in (EXIT_OK, EXIT_INTERRUPTED)
            else [Reason(code=answer.exit_code, what=answer.words)]
        )
        ending = Ending(interrupted=interrupted, decided=decided)
        return capacity, finish_run(self._directory, order.run.settings, self._results, [], ending)

    def _start(self, call: str, scenario: Prepared, lasts_s: float) -> PooledCall:
        if self._pool is None:
            raise RuntimeError("a call before the pool is open")
        return self._pool.start(call, scenario, lasts_s=lasts_s)

    def _call_ended(self, result: CallResult) -> None:
        self._directory.append_call(result)
        self._results.append(result)

    def _fell(self, task: asyncio.Task[StackError]) -> None:
        if task.cancelled() or task.exception() is not None:
            return
        self._watcher.say(str(task.result()))
        self.stop("fallen")


def settings_of(order: CapacityOrder, settings: RunSettings) -> RunSettings:
    """What run.json says of a search beside what it says of any run."""
    search = SearchSettings(
        objectives=[f"{objective.ref}: {objective.limit}" for objective in order.objectives],
        start=order.plan.start,
        max=order.plan.most,
        max_time_s=order.max_time_s,
        call_duration_s=order.call_duration_s,
        session_rate_per_min=order.session_rate_per_min,
    )
    return settings.model_copy(update={"capacity": search})
