"""Runs a capacity search: prepares the target, makes the holds, writes everything and concludes the answer."""

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
from harness.capacity.observed import with_observed
from harness.capacity.search import Plan
from harness.capacity.seek import Seeker
from harness.capacity.slots import Slots
from harness.errors import EXIT_INTERRUPTED, EXIT_OK
from harness.judge.thresholds import Threshold
from harness.process.signals import Signals
from harness.record.capacity import Capacity, Ended, Hold, Recovery
from harness.record.observed import Observed
from harness.record.reason import InWords
from harness.record.result import CallResult
from harness.record.run_directory import CAPACITY_FILE
from harness.record.summary import Ending, Reason, Summary
from harness.run.mix import Mix
from harness.run.run import Run
from harness.shards.pool import PooledCall, ShardPool


@dataclass(frozen=True)
class Search:
    """The settings of a capacity search, beyond the request of every run.

    Attributes:
        mix: Which scenario each call follows.
        plan: The number of concurrent calls to start with, and the most.
        objectives: The objectives.
        max_time_s: After the first, no step starts that would not end within this time.
    """

    mix: Mix
    plan: Plan
    objectives: Sequence[Threshold]
    max_time_s: float


class CapacityWatcher(Protocol):
    """Shows the progress."""

    def say(self, line: str) -> None:
        """Shows a line."""
        ...

    def held(self, step: Hold) -> None:
        """Called when a hold was judged."""
        ...


async def find_capacity(
    run: Run, search: Search, watcher: CapacityWatcher, signals: Signals
) -> tuple[Capacity, Summary]:
    """Searches and writes the run; every finished call is written to disk at once.

    Raises:
        StackError: The embedded stack did not start.
        HarnessError: The target or the engine is not usable.
    """
    run.directory.write_settings(run.settings)
    under_way = _UnderWay(run, search, watcher)
    try:
        async with AsyncExitStack() as stack:
            opened = asyncio.ensure_future(under_way.open(stack))
            signals.on_interrupt(opened.cancel)
            await opened
            signals.on_interrupt(lambda: under_way.stop("interrupted"))
            await under_way.search()
    except asyncio.CancelledError:
        if not signals.received:
            raise
        under_way.ended = "interrupted"
    return under_way.finish(await run.observe(under_way.results, signals))


class _UnderWay:
    def __init__(self, run: Run, search: Search, watcher: CapacityWatcher) -> None:
        self._run = run
        self._search = search
        self.results: list[CallResult] = []
        self._pool: ShardPool | None = None
        self._recovery: Recovery | None = None
        self.ended: Ended = "interrupted"
        self._slots = Slots(
            self._start,
            run.scenarios,
            search.mix,
            timeline=run.directory.timeline,
            ended=self._call_ended,
            clock=run.clock,
            call_duration_s=run.request.call_duration_s,
        )
        self._seeker = Seeker(
            search.plan,
            search.objectives,
            Learned(run.scenarios, search.objectives, run.request.session_rate_per_min),
            hold=self._slots.hold,
            tell=watcher.held,
            say=watcher.say,
            clock=run.clock,
            max_time_s=search.max_time_s,
        )

    async def open(self, stack: AsyncExitStack) -> None:
        """Opens everything that calls need."""
        run = self._run
        target = await stack.enter_async_context(run.reachable(lambda _: self.stop("fallen")))
        # A hold itself spaces its calls by the session rate. Limits in the shards would delay the start of a step.
        order = run.shard_order(target).model_copy(update={"session_rate_per_min": None})
        pool = ShardPool(
            order,
            run.scenarios,
            clock=run.clock,
            most=self._search.plan.most,
            on_second=lambda _, second: self._slots.fitness.take(second),
        )
        self._pool = await stack.enter_async_context(pool)

    def stop(self, why: Ended) -> None:
        """Cuts the running calls and starts no more."""
        self._seeker.stop(why)
        self._slots.cut()

    async def search(self) -> None:
        """Searches, then makes one more hold to check the recovery."""
        self.ended = await self._seeker.seek()
        if self._seeker.stopped is None:
            self._recovery = await self._seeker.afterwards()

    def finish(self, observed: Observed | None) -> tuple[Capacity, Summary]:
        """Writes everything; returns the capacity and the summary.

        Args:
            observed: What was observed of the agent's hosts.
        """
        run, search, steps = self._run, self._search, self._seeker.steps
        ended = self._seeker.stopped or self.ended
        answer = conclude(steps, ended, most=search.plan.most)
        models = [prepared.loaded.model for prepared in run.scenarios]
        capacity = Capacity(
            answer=answer,
            objectives=[f"{objective.ref}: {objective.limit}" for objective in search.objectives],
            turns_wanted={
                name: turns_wanted(search.objectives, models, full=full)
                for name, full in (("step", False), ("edge", True))
            },
            curve=curve(steps, self._seeker.ttfa_ms),
            steps=steps,
            recovery=self._recovery,
        )
        if observed is not None:
            capacity = with_observed(capacity, observed)
        run.directory.write_text(CAPACITY_FILE, capacity.model_dump_json(indent=2) + "\n")
        interrupted = ended == "interrupted"
        decided = (
            []
            if answer.exit_code in (EXIT_OK, EXIT_INTERRUPTED)
            else [Reason(code=answer.exit_code, what=InWords(answer.words))]
        )
        ending = Ending(interrupted=interrupted, decided=decided)
        return capacity, run.finish(self.results, ending)

    def _start(self, call: str, scenario: Prepared, lasts_s: float) -> PooledCall:
        if self._pool is None:
            raise RuntimeError("a call before the pool is open")
        return self._pool.start(call, scenario, lasts_s=lasts_s)

    def _call_ended(self, result: CallResult) -> None:
        self._run.directory.append_call(result)
        self.results.append(result)
