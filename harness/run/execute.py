"""A whole run: the target made ready, the calls made, everything written, the verdict given."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from harness.call.engines.make import DEFAULT_ENGINE, EngineName, make_engine
from harness.caller.prepare import Prepared
from harness.caller.recorded_call import RecordedCall, RecordMode
from harness.caller.warm_up import warm_up
from harness.clock import Clock
from harness.errors import EXIT_INFRASTRUCTURE, StackError
from harness.judge.thresholds import Threshold
from harness.machine.loop_lag import LoopLag
from harness.process.signals import Signals
from harness.record.result import CallResult
from harness.record.run_directory import TRUTH_FILE, RunDirectory
from harness.record.settings import RunSettings
from harness.record.summary import Ending, Reason, Summary
from harness.run.finish import finish_run
from harness.run.pacing import Pace
from harness.run.slots import Outcome, Runner, StartCall
from harness.shards.pool import ShardPool
from harness.shards.protocol import ShardOrder
from harness.shards.size import CALLS_IN_A_SHARD
from harness.target.connect import session_client
from harness.target.target import Target
from harness.text.counted import counted
from harness.timeline.events import Event


@dataclass(frozen=True)
class RunOrder:
    """Everything decided before a run starts."""

    scenarios: Sequence[Prepared]
    pace: Pace
    thresholds: Sequence[Threshold]
    target: Target
    record: RecordMode
    stop_at_failure: bool
    seed: int
    settings: RunSettings
    engine: EngineName = DEFAULT_ENGINE
    retry_unfit: int = 0


class Watcher(Protocol):
    """Who looks on: a progress bar, plain lines, a printed timeline.

    `wants_events`: whether what happens in a call is shown; if not, nothing is sent between processes for it.
    """

    wants_events: bool

    def say(self, line: str) -> None:
        """A line for a person."""
        ...

    def started(self, total: int) -> None:
        """The calls begin now."""
        ...

    def event(self, call: str, event: Event) -> None:
        """Something happened in a call."""
        ...

    def ended(self, result: CallResult, alive: int) -> None:
        """A call has ended."""
        ...


@asynccontextmanager
async def reachable(
    target: Target, *, agents: Sequence[str], truth_log: Path | None, say: Callable[[str], None]
) -> AsyncIterator[tuple[Target, asyncio.Task[StackError] | None]]:
    """The target with an address; an embedded one is started here and gone afterwards."""
    if target.kind != "embedded":
        yield target, None
        return
    from harness.stack.embedded import EmbeddedStack

    stack = await EmbeddedStack.start(
        say=say, agents_file=target.agents_file, truth_log=truth_log, warm=tuple(dict.fromkeys(agents))
    )
    fallen = asyncio.create_task(stack.wait_fallen())
    try:
        yield replace(target, url=stack.address.session_url, api_key=stack.address.api_key), fallen
    finally:
        fallen.cancel()
        await stack.stop()


async def execute(
    order: RunOrder, directory: RunDirectory, watcher: Watcher, *, clock: Clock, signals: Signals
) -> tuple[Outcome, Summary]:
    """Makes the calls and writes the run; every finished call is on the disk when its line is shown.

    Args:
        order: What is to be done.
        directory: Where all is written.
        watcher: Who looks on.
        clock: The only reader of time.
        signals: Cut the calls that run; what is recorded is written all the same.

    Raises:
        StackError: The embedded stack did not come up.
        ConfigError: The embedded stack cannot be configured so.
    """
    directory.write_settings(order.settings)
    outcome = Outcome()
    fall: list[StackError] = []
    try:
        async with AsyncExitStack() as stack:
            opened = asyncio.ensure_future(_open(stack, order, directory, watcher, clock))
            signals.on_interrupt(opened.cancel)
            fallen, start = await opened

            def ended(result: CallResult) -> None:
                watcher.ended(result, runner.alive)

            disk = asyncio.Lock()

            async def keep(result: CallResult) -> None:
                """On the disk, one after the other; other calls' packets do not wait for that."""
                async with disk:
                    await asyncio.to_thread(directory.append_call, result)

            runner = Runner(
                order.scenarios,
                order.pace,
                start=start,
                keep=keep,
                ended=ended,
                again=lambda count: watcher.say(f"calling again: {counted(count, 'call')} could not be measured"),
                clock=clock,
                stop_at_failure=order.stop_at_failure,
                retry_unfit=order.retry_unfit,
            )
            outcome = runner.outcome
            signals.on_interrupt(runner.interrupt)
            if fallen is not None:
                fallen.add_done_callback(lambda task: _fell(task, fall, runner, watcher))
            watcher.started(order.pace.total)
            await runner.run()
    except asyncio.CancelledError:
        if not signals.received:
            raise
        outcome.interrupted = True
    extra = [Reason(code=EXIT_INFRASTRUCTURE, what=f"the embedded stack fell: {problem.what}") for problem in fall]
    ending = Ending(dropped=outcome.dropped, interrupted=outcome.interrupted, extra=extra)
    return outcome, finish_run(directory, order.settings, outcome.results, order.thresholds, ending)


async def _open(
    stack: AsyncExitStack, order: RunOrder, directory: RunDirectory, watcher: Watcher, clock: Clock
) -> tuple[asyncio.Task[StackError] | None, StartCall]:
    """Everything that calls need; gives what tells of the embedded stack's fall, and what makes a call."""
    agents = [prepared.agent for prepared in order.scenarios]
    truth_log = directory.path / TRUTH_FILE
    target, fallen = await stack.enter_async_context(
        reachable(order.target, agents=agents, truth_log=truth_log, say=watcher.say)
    )
    if order.pace.slots is None or order.pace.slots > CALLS_IN_A_SHARD[order.engine]:
        pool = ShardPool(
            shard_order(order, target, directory),
            order.scenarios,
            clock=clock,
            most=order.pace.slots,
            on_event=watcher.event if watcher.wants_events else None,
        )
        return fallen, (await stack.enter_async_context(pool)).start
    return fallen, await _in_this_process(stack, replace(order, target=target), directory, watcher, clock)


def shard_order(order: RunOrder, target: Target, directory: RunDirectory) -> ShardOrder:
    """What each shard of a run is told; `target` is reachable."""
    return ShardOrder(
        engine=order.engine,
        prepared="",
        directory=str(directory.path.resolve()),
        record=order.record,
        target=target.name,
        described=order.target.describe(),
        kind=target.kind,
        url=target.url or "",
        api_key=None if target.api_key is None else target.api_key.reveal(),
        seed=order.seed,
        key_variable=target.key_variable,
    )


async def _in_this_process(
    stack: AsyncExitStack, order: RunOrder, directory: RunDirectory, watcher: Watcher, clock: Clock
) -> StartCall:
    warm_up(order.scenarios)
    lag = await stack.enter_async_context(LoopLag(clock))
    rng = random.Random(order.seed)  # noqa: S311 - jitter of retries, no secret
    client = await stack.enter_async_context(session_client(order.target, rng=rng, clock=clock))
    said = (speech.pcm for prepared in order.scenarios for speech in prepared.speech if speech is not None)
    engine = await make_engine(order.engine, clock, said)

    def start(call: str, prepared: Prepared, due_ns: int | None) -> RecordedCall:
        return RecordedCall(
            replace(prepared.plan(call, order.target.describe()), due_ns=due_ns),
            prepared,
            directory=directory,
            record=order.record,
            sessions=client,
            engine=engine,
            clock=clock,
            lag=lag,
            on_event=watcher.event,
            secrets=(order.target.api_key,),
        )

    return start


def _fell(task: asyncio.Task[StackError], fall: list[StackError], runner: Runner, watcher: Watcher) -> None:
    if task.cancelled() or task.exception() is not None:
        return
    fall.append(task.result())
    watcher.say(str(task.result()))
    runner.stop()
