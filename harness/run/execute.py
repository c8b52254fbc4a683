"""Executes a run: prepares the target, makes the calls at the given pace, writes everything and judges it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from harness.call.engines.make import make_engine
from harness.caller.prepare import Prepared
from harness.caller.recorded_call import RecordedCall
from harness.caller.warm_up import warm_up
from harness.clock import NS_PER_S
from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, StackError
from harness.judge.abort import AbortWatch
from harness.machine.loop_lag import LoopLag
from harness.process.signals import Signals
from harness.record.reason import Aborted, StackFell
from harness.record.result import CallResult
from harness.record.summary import Ending, Reason, Summary
from harness.run.looking import Looking
from harness.run.other_version import on_one_stack
from harness.run.pacing import Pace
from harness.run.run import OnFall, Run
from harness.run.slots import Outcome, Runner, RunningCall, StartCall, Wanted
from harness.shards.pool import ShardPool
from harness.shards.size import CALLS_IN_A_SHARD
from harness.target.connect import session_client
from harness.target.target import Target
from harness.text.counted import counted
from harness.timeline.events import Event, Side


class Watcher(Protocol):
    """Shows the progress: as a progress bar, plain lines, or a printed timeline.

    `wants_events`: whether to receive the events of calls; if not, processes do not send them.
    """

    wants_events: bool

    def say(self, line: str) -> None:
        """Shows a line."""
        ...

    def started(self, total: int) -> None:
        """Called when the calls begin."""
        ...

    def event(self, call: str, event: Event) -> None:
        """Called for each event of a call."""
        ...

    def ended(self, result: CallResult, alive: int) -> None:
        """Called when a call has ended; `alive` calls are still running."""
        ...


async def execute(
    run: Run,
    pace: Pace,
    watcher: Watcher,
    signals: Signals,
    *,
    stop_at_failure: bool = False,
    retry_unfit: int = 0,
) -> tuple[Outcome, Summary]:
    """Makes the calls and writes the run. Every finished call is on disk before its line is shown.

    Args:
        run: The run.
        pace: When calls start.
        watcher: Shows the progress.
        signals: A signal cuts the running calls; what is recorded is still written.
        stop_at_failure: Whether to start no more calls after the first failed one.
        retry_unfit: How many times to retry calls that could not be measured.

    Raises:
        StackError: The embedded stack did not start.
        ConfigError: The embedded stack's configuration is invalid.
    """
    run.directory.write_settings(run.settings)
    outcome = Outcome()
    falls: list[StackError] = []
    aborting = _Aborting(run, watcher)
    runner: Runner | None = None

    def fell(problem: StackError) -> None:
        falls.append(problem)
        if runner is not None:
            runner.stop()

    try:
        async with AsyncExitStack() as stack:
            opened = asyncio.ensure_future(_open(stack, run, pace, watcher, fell))
            signals.on_interrupt(opened.cancel)
            start = await opened
            looking = Looking(run, pace, watcher.say, signals)

            async def look(number: int, is_last: bool) -> bool:
                return await looking.at(number, is_last, outcome.results)

            def ended(result: CallResult) -> None:
                aborting.watch.add(result)
                watcher.ended(result, 0 if runner is None else runner.alive)

            disk = asyncio.Lock()

            async def keep(result: CallResult) -> None:
                """Writes results one at a time, in a thread, so that packets of other calls do not wait."""
                async with disk:
                    await asyncio.to_thread(run.directory.append_call, result)

            runner = Runner(
                run.scenarios,
                pace,
                start=start,
                other=run.other,
                look=look,
                keep=keep,
                ended=ended,
                again=lambda count: watcher.say(f"calling again: {counted(count, 'call')} could not be measured"),
                clock=run.clock,
                stop_at_failure=stop_at_failure,
                retry_unfit=retry_unfit,
                is_aborted=aborting.asked,
            )
            outcome = runner.outcome
            signals.on_interrupt(runner.interrupt)
            if falls:  # before the runner existed
                runner.stop()
            watcher.started(pace.total)
            aborting.begin()
            await runner.run()
    except asyncio.CancelledError:
        if not signals.received:
            raise
        outcome.interrupted = True
    extra = [Reason(code=EXIT_INFRASTRUCTURE, what=StackFell(problem.what)) for problem in falls]
    extra += [Reason(code=EXIT_AGENT, what=aborted) for aborted in aborting.by]
    ending = Ending(dropped=outcome.dropped, interrupted=outcome.interrupted, extra=extra)
    await run.observe(outcome.results, signals)
    return outcome, run.finish(outcome.results, ending)


class _Aborting:
    """Whether a threshold with `abort_on_fail` ends a run early.

    Attributes:
        watch: Takes in the calls.
        by: The threshold that did; empty if none did.
    """

    def __init__(self, run: Run, watcher: Watcher) -> None:
        self.watch = AbortWatch(run.request.thresholds)
        self.by: list[Aborted] = []
        self._clock = run.clock
        self._say = watcher.say
        self._begun_ns = 0

    def begin(self) -> None:
        """Marks the start of the first call."""
        self._begun_ns = self._clock.now_ns()

    def asked(self) -> bool:
        """Returns whether to start no more calls; says so when that is decided."""
        if not self.by:
            aborted = self.watch.broken((self._clock.now_ns() - self._begun_ns) / NS_PER_S)
            if aborted is not None:
                self.by.append(aborted)
                self._say(f"{aborted}: no more calls are started")
        return bool(self.by)


@dataclass(frozen=True)
class _Version:
    """A version that the run calls: its target as reports name it, the target to reach, and its scenarios."""

    described: str
    target: Target
    scenarios: Sequence[Prepared]


async def _open(stack: AsyncExitStack, run: Run, pace: Pace, watcher: Watcher, on_fall: OnFall) -> StartCall:
    """Opens everything that calls need; returns the call factory."""
    versions = await _versions(stack, run, on_fall)
    if pace.slots is None or pace.slots > CALLS_IN_A_SHARD[run.request.engine]:
        pools = {side: await _pool(stack, run, pace, watcher, version) for side, version in versions.items()}

        def start(wanted: Wanted) -> RunningCall:
            pool = pools[wanted.role.side]
            return pool.start(wanted.call, wanted.scenario, wanted.due_ns, role=wanted.role)

        return start
    return await _in_this_process(stack, run, versions, watcher)


async def _versions(stack: AsyncExitStack, run: Run, on_fall: OnFall) -> dict[Side, _Version]:
    """Makes the targets of all versions reachable."""
    request = run.request
    target = await stack.enter_async_context(run.reachable(on_fall))
    found: dict[Side, _Version] = {"run": _Version(request.target.describe(), target, run.scenarios)}
    if request.other is not None and run.other is not None:
        theirs = on_one_stack(target, request.other.target)
        theirs = await stack.enter_async_context(run.reachable(on_fall, theirs))
        found["baseline"] = _Version(request.other.target.describe(), theirs, run.other)
    return found


async def _pool(stack: AsyncExitStack, run: Run, pace: Pace, watcher: Watcher, version: _Version) -> ShardPool:
    order = run.shard_order(version.target).model_copy(update={"described": version.described})
    pool = ShardPool(
        order,
        version.scenarios,
        clock=run.clock,
        most=pace.slots,
        calls=pace.total // pace.versions,
        on_event=watcher.event if watcher.wants_events else None,
    )
    return await stack.enter_async_context(pool)


async def _in_this_process(
    stack: AsyncExitStack, run: Run, versions: Mapping[Side, _Version], watcher: Watcher
) -> StartCall:
    request, clock = run.request, run.clock
    scenarios = [prepared for version in versions.values() for prepared in version.scenarios]
    warm_up(scenarios)
    lag = await stack.enter_async_context(LoopLag(clock))
    clients = {}
    for side, version in versions.items():
        rng = random.Random(request.seed)  # noqa: S311 - jitter of retries, no secret
        clients[side] = await stack.enter_async_context(session_client(version.target, rng=rng, clock=clock))
    said = (speech.pcm for prepared in scenarios for speech in prepared.speech if speech is not None)
    engine = await make_engine(request.engine, clock, said)
    keys = tuple(version.target.api_key for version in versions.values())

    def start(wanted: Wanted) -> RecordedCall:
        side = wanted.role.side
        plan = wanted.scenario.plan(wanted.call, versions[side].described)
        return RecordedCall(
            replace(plan, due_ns=wanted.due_ns, role=wanted.role),
            wanted.scenario,
            directory=run.directory,
            record=request.record,
            sessions=clients[side],
            engine=engine,
            clock=clock,
            lag=lag,
            on_event=watcher.event,
            secrets=keys,
        )

    return start
