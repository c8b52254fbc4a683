"""A run in progress: its request, its prepared scenarios, and the folder that it is written to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.caller.prepare import Prepared, prepare
from harness.clock import Clock
from harness.errors import StackError
from harness.process.signals import Signals
from harness.record.observed import Observed
from harness.record.result import CallResult
from harness.record.run_directory import BASELINE_FILE, OBSERVED_FILE, TRUTH_FILE, RunDirectory
from harness.record.settings import RunSettings
from harness.record.summary import Ending, Summary
from harness.run.finish import finish_run
from harness.run.other_version import check_same_script, is_same, on_one_stack
from harness.run.request import Request
from harness.run.settings import Planned, run_settings
from harness.scenario.load import LoadedScenario
from harness.shards.protocol import ShardOrder
from harness.target.target import Target

if TYPE_CHECKING:
    from harness.stack.embedded import EmbeddedStack

Say = Callable[[str], None]
OnFall = Callable[[StackError], None]


@dataclass(frozen=True)
class Run:
    """A run whose folder exists. Its calls are made with it.

    Attributes:
        request: The request.
        scenarios: Its prepared scenarios.
        other: The same scenarios as prepared for another version that is called in turns; None if there is none.
        directory: Where everything is written.
        settings: The content of run.json.
        clock: The clock.
        say: Prints a line.
    """

    request: Request
    scenarios: Sequence[Prepared]
    directory: RunDirectory
    settings: RunSettings
    clock: Clock
    say: Say
    other: Sequence[Prepared] | None = None

    @asynccontextmanager
    async def reachable(self, on_fall: OnFall, other: Target | None = None) -> AsyncIterator[Target]:
        """Yields the target with its address. An embedded stack is started first and stopped on exit.

        `other` is the target to yield instead of the request's.

        An embedded target that has a URL is a stack that runs already; whoever started it stops it.

        If the embedded stack fails meanwhile, that is printed, and `on_fall` is called with its last output.

        Raises:
            StackError: The embedded stack did not start.
            ConfigError: The embedded stack's configuration is invalid.
        """
        target = self.request.target if other is None else other
        if target.kind != "embedded" or target.url is not None:
            yield target
            return
        from harness.stack.embedded import EmbeddedStack

        stack = await EmbeddedStack.start(
            say=self.say,
            agents_file=target.agents_file,
            truth_log=self.directory.path / TRUTH_FILE,
            warm=tuple(dict.fromkeys(prepared.agent for prepared in (*self.scenarios, *(self.other or ())))),
        )
        watching = asyncio.create_task(self._watch(stack, on_fall))
        try:
            yield replace(target, url=stack.address.session_url, api_key=stack.address.api_key)
        finally:
            watching.cancel()
            await stack.stop()

    async def _watch(self, stack: EmbeddedStack, on_fall: OnFall) -> None:
        fall = await stack.wait_fallen()
        self.say(str(fall))
        on_fall(fall)

    def shard_order(self, target: Target) -> ShardOrder:
        """Returns the order for each process that makes calls; `target` must be reachable."""
        return shard_order(self.request, target, self.directory.path.resolve())

    async def observe(self, calls: Sequence[CallResult], signals: Signals | None = None) -> Observed | None:
        """Asks what the agent's hosts did during these calls, if that is configured, and writes `observed.json`.

        Call it when all calls have ended. A signal ends the asking; what went wrong never affects the verdict.

        Args:
            calls: The calls.
            signals: The signals of the run; None if they are not ours to handle.

        Returns:
            The content of the file; None if nothing is to be observed.
        """
        observing = self.request.target.observe
        if observing is None:
            return None
        from harness.observe.ask import observe, unasked, warnings_of

        asking = asyncio.ensure_future(observe(observing, calls, self.clock))
        if signals is not None and signals.received:  # this signal has ended the calls; the next one ends the asking
            self.say("asking what the agent's hosts did; Ctrl-C ends that")
            signals.on_interrupt(lambda: None, again=asking.cancel)
        elif signals is not None:
            signals.on_interrupt(asking.cancel)
        try:
            await asyncio.wait([asking])
        finally:
            asking.cancel()
            if signals is not None:
                signals.on_interrupt(lambda: None)
        observed = unasked(observing, calls, why="it was interrupted") if asking.cancelled() else asking.result()
        if observed is not None:
            self.directory.write_text(OBSERVED_FILE, observed.to_json())
            for line in warnings_of(observed):
                self.say(f"warning: {line}")
        return observed

    def finish(self, calls: Sequence[CallResult], ending: Ending, *, settings: RunSettings | None = None) -> Summary:
        """Judges the calls and writes the reports; `settings` replaces the run's own if more is known by now."""
        return finish_run(self.directory, settings or self.settings, calls, self.request.thresholds, ending)


async def make_ready(request: Request, say: Say) -> list[Prepared]:
    """Prepares the request's scenarios with their speech; in a dry run texts are checked but not synthesised.

    Raises:
        HarnessError: A scenario or a fixture cannot be used, or an agent is not named or unknown to the embedded stack.
    """
    return await _ready(request.scenarios, request.target, request.agent, say=say, speak=not request.dry_run)


async def make_other_ready(request: Request, own: Sequence[Prepared], say: Say) -> list[Prepared] | None:
    """Prepares the scenarios of the version that is called in turns; None if there is none.

    Args:
        request: The request.
        own: The request's prepared scenarios.
        say: Prints a line.

    Raises:
        HarnessError: As `make_ready`; or the two versions differ in their script.
    """
    other = request.other
    if other is None:
        return None
    on_one_stack(request.target, other.target)
    ready = await _ready(other.scenarios, other.target, other.agent, say=say, speak=not request.dry_run)
    check_same_script(own, ready)
    if is_same(request.target, own, other.target, ready):
        say("note: both versions are the same one, so that any difference is chance")
    return ready


async def _ready(
    scenarios: Sequence[LoadedScenario], target: Target, agent: str | None, *, say: Say, speak: bool
) -> list[Prepared]:
    prepared = await prepare(scenarios, target, agent=agent, say=say, speak=speak)
    if target.kind == "embedded":
        from harness.stack.agents_file import agent_named, load_agents

        known = load_agents(target.agents_file)
        for each in prepared:
            is_of_scenario = agent is None and each.loaded.model.agent is not None
            agent_named(known, each.agent, each.loaded.place("agent") if is_of_scenario else None)
    return prepared


def begin(
    request: Request,
    scenarios: Sequence[Prepared],
    planned: Planned,
    *,
    clock: Clock,
    say: Say,
    other: Sequence[Prepared] | None = None,
) -> Run:
    """Creates the run's folder and its settings.

    Args:
        request: The request.
        scenarios: Its prepared scenarios.
        planned: The plan of its calls.
        clock: The clock.
        say: Prints a line.
        other: The scenarios as prepared for another version that is called in turns.

    Raises:
        ConfigError: The folder already holds a run, or cannot be written.
    """
    now = clock.utc()
    directory = RunDirectory.create(request.out, name=request.name, now=now)
    settings = run_settings(request, scenarios, planned, run=directory.path.name, started=now)
    if request.other is not None and other is not None:
        settings.in_turns = request.other.settings(other)
    if request.against is not None:
        directory.write_text(BASELINE_FILE, request.against.baseline.to_text())
    return Run(request, scenarios, directory, settings, clock, say, other)


def shard_order(request: Request, target: Target, directory: Path | None) -> ShardOrder:
    """Returns the order for each process that makes calls, without the path of its scenarios.

    Args:
        request: The request.
        target: The request's target, with its address if that is known yet.
        directory: Where calls are recorded; None if that is not known yet.
    """
    return ShardOrder(
        engine=request.engine,
        prepared="",
        directory="" if directory is None else str(directory),
        record=request.record,
        target=target.name,
        described=request.target.describe(),
        kind=target.kind,
        url=target.url or "",
        api_key=None if target.api_key is None else target.api_key.reveal(),
        seed=request.seed,
        key_variable=target.key_variable,
        session_rate_per_min=request.session_rate_per_min,
        call_duration_s=request.call_duration_s,
    )
