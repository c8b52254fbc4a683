"""From a request to its verdict: prepared, planned in one line, run, reported. Shared by `run` and `call`."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from harness.call.engines.make import DEFAULT_ENGINE, EngineName
from harness.caller.prepare import Prepared, prepare
from harness.caller.recorded_call import RecordMode
from harness.cli.options import check_junit, write_junit_copy
from harness.clock import SystemClock
from harness.errors import EXIT_INTERRUPTED, EXIT_OK, HarnessError
from harness.process.signals import Signals
from harness.record.run_directory import RunDirectory
from harness.report.console import LinesWatcher, make_console, print_summary
from harness.run.execute import RunOrder, execute
from harness.run.pacing import Pace
from harness.run.settings import run_settings
from harness.shards.size import check_allowed
from harness.text.counted import counted

if TYPE_CHECKING:
    from datetime import datetime

    from harness.judge.thresholds import Threshold
    from harness.scenario.load import LoadedScenario
    from harness.target.target import Target


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    name: str
    scenarios: Sequence[LoadedScenario]
    target: Target
    agent: str | None
    pace: Pace
    thresholds: Sequence[Threshold]
    record: RecordMode
    out: Path | None = None
    junit: Path | None = None
    seed: int | None = None
    stop_at_failure: bool = False
    dry_run: bool = False
    quiet: bool = False
    engine: EngineName = DEFAULT_ENGINE
    retry_unfit: int = 0


MakeWatcher = Callable[[Any], LinesWatcher]


def carry_out(request: Request, make_watcher: MakeWatcher) -> int:
    """Runs the request and returns its exit code.

    Raises:
        HarnessError: Nothing could be run.
    """
    try:
        return asyncio.run(_carry_out(request, make_watcher))
    except asyncio.CancelledError:  # interrupted before there was anything to be written
        return EXIT_INTERRUPTED


async def _carry_out(request: Request, make_watcher: MakeWatcher) -> int:
    with Signals() as signals:
        task = asyncio.current_task()
        signals.on_interrupt(task.cancel if task is not None else lambda: None)
        console = make_console()
        watcher = make_watcher(console)
        target = request.target
        speak = not request.dry_run
        prepared = await prepare(request.scenarios, target, agent=request.agent, say=watcher.say, speak=speak)
        check_allowed(request.pace.slots, request.engine, where="--calls")
        plan = plan_line(prepared, request.pace, target)
        if request.dry_run:
            typer.echo(plan)
            return EXIT_OK
        check_junit(request.junit)
        clock = SystemClock()
        now = clock.utc()
        directory = RunDirectory.create(request.out, name=request.name, now=now)
        order = _order(request, prepared, run=directory.path.name, now=now)
        watcher.say(plan)
        try:
            outcome, summary = await execute(order, directory, watcher, clock=clock, signals=signals)
        except HarnessError:
            directory.take_back()
            raise
        finally:
            watcher.close()
        print_summary(console, summary, outcome.results, directory.path, quiet=request.quiet)
        write_junit_copy(directory.path, request.junit)
    return summary.exit_code


def _order(request: Request, prepared: Sequence[Prepared], *, run: str, now: datetime) -> RunOrder:
    seed = request.seed if request.seed is not None else random.SystemRandom().randrange(2**31)
    settings = run_settings(
        run=run,
        started=now,
        argv=["voice-harness", *sys.argv[1:]],
        scenarios=prepared,
        pace=request.pace,
        thresholds=request.thresholds,
        target=request.target.describe(),
        record=request.record,
        seed=seed,
        secrets=(request.target.api_key,),
        engine=request.engine,
    )
    return RunOrder(
        scenarios=prepared,
        pace=request.pace,
        thresholds=request.thresholds,
        target=request.target,
        record=request.record,
        stop_at_failure=request.stop_at_failure,
        seed=seed,
        settings=settings,
        engine=request.engine,
        retry_unfit=request.retry_unfit,
    )


def plan_line(scenarios: Sequence[Prepared], pace: Pace, target: Target) -> str:
    """The plan in one line: target, calls, most minutes, sessions."""
    names = ", ".join(prepared.loaded.name for prepared in scenarios)
    agents = ", ".join(dict.fromkeys(prepared.agent for prepared in scenarios))
    longest_s = max(prepared.longest_s() for prepared in scenarios)
    if pace.rate_per_min is not None:
        model = f"{counted(pace.total, 'call')} at {pace.rate_per_min:g} a minute"
        model += f", at most {pace.slots} alive" if pace.slots else ""
        minutes = ((pace.total - 1) / pace.rate_per_min) + longest_s / 60
    else:
        model = f"{counted(pace.total, 'call')}, {pace.slots} at once"
        minutes = pace.repeat * sum(prepared.longest_s() for prepared in scenarios) / 60
    return (
        f"plan: target {target.describe()}, agent {agents}, {names}: {model}, "
        f"{counted(pace.total, 'session')}, at most {max(0.1, minutes):.1f} minutes{prompts_told(scenarios)}"
    )


def prompts_told(scenarios: Sequence[Prepared]) -> str:
    """For the end of a plan: which prompts are given to the agent; empty where none is."""
    prompts = dict.fromkeys(str(each.loaded.prompt) for each in scenarios if each.loaded.prompt is not None)
    return "".join(f"; {prompt}" for prompt in prompts)
