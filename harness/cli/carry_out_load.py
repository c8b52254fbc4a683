"""From what `load` was asked for to its verdict: prepared, planned in one line, run on Locust, reported."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from harness.call.engines.make import EngineName
from harness.caller.prepare import Prepared, prepare
from harness.caller.recorded_call import RecordMode
from harness.cli.carry_out import prompts_told
from harness.cli.options import check_junit, write_junit_copy
from harness.clock import SystemClock
from harness.errors import EXIT_INTERRUPTED, EXIT_OK, HarnessError
from harness.load.lifecycle import LoadRequest, LoadRun, settings_with
from harness.load.order import LoadOrder, LoadPlan, Role
from harness.load.outlook import outlook
from harness.load.plan import LoadOptions, in_words
from harness.load.processes import Loaded, Loading, free_port
from harness.process.signals import Signals
from harness.record.run_directory import RunDirectory
from harness.report.bursts import HELD_BACK, burst_lines, held_back_line
from harness.report.console import make_console, print_summary
from harness.report.load_status import StatusLine
from harness.run.pacing import Pace
from harness.run.settings import run_settings
from harness.shards.size import check_allowed
from harness.text.counted import counted

if TYPE_CHECKING:
    from datetime import datetime

    from harness.judge.thresholds import Threshold
    from harness.scenario.load import LoadedScenario
    from harness.target.target import Target


@dataclass(frozen=True, kw_only=True)
class LoadWish:
    """What the command line asks for."""

    name: str
    scenarios: Sequence[LoadedScenario]
    weights: tuple[float, ...]
    target: Target
    agent: str | None
    plan: LoadPlan
    options: LoadOptions
    thresholds: Sequence[Threshold]
    record: RecordMode
    engine: EngineName
    role: Role = "local"
    processes: int = 1
    web_port: int | None = None
    host: str = "127.0.0.1"
    port: int = 5557
    expect_workers: int = 1
    out: Path | None = None
    junit: Path | None = None
    seed: int | None = None
    dry_run: bool = False
    quiet: bool = False


def carry_out_load(wish: LoadWish) -> int:
    """Runs the load and returns its exit code.

    Raises:
        HarnessError: Nothing could be run.
    """
    try:
        return asyncio.run(_carry_out(wish))
    except asyncio.CancelledError:  # interrupted before there was anything to be written
        return EXIT_INTERRUPTED


async def _carry_out(wish: LoadWish) -> int:
    with Signals() as signals:
        task = asyncio.current_task()
        signals.on_interrupt(task.cancel if task is not None else lambda: None)
        console = make_console()
        line = StatusLine(console, quiet=wish.quiet)
        speak = not wish.dry_run
        prepared = await prepare(wish.scenarios, wish.target, agent=wish.agent, say=line.say, speak=speak)
        if wish.role == "worker":
            return await _work(wish, prepared, line, signals)
        check_allowed(_most_in_a_worker(wish), wish.engine, where="load")
        if wish.plan.canaries:
            check_allowed(wish.plan.canaries, "sdk", where="--canaries")
        plan = _plan_line(wish, prepared)
        if wish.dry_run:
            typer.echo(plan)
            return EXIT_OK
        line.say(plan)
        check_junit(wish.junit)
        now = SystemClock().utc()
        directory = RunDirectory.create(wish.out, name=wish.name, now=now)
        request = _request(wish, prepared, run=directory.path.name, now=now)
        loaded = Loaded()
        try:
            async with LoadRun(request, directory, line.say, SystemClock()) as run:
                workers = wish.processes if wish.role == "local" and wish.processes > 1 else 0
                loaded = await Loading(run.order, workers, line.say, line.status).run(signals)
        except HarnessError:
            directory.take_back()
            raise
        calls, summary = run.finish(loaded.ending, interrupted=signals.received)
        for told in burst_lines(calls):
            console.print(told)
        if held := held_back_line(calls):
            line.say(f"{HELD_BACK}: {held}")
        print_summary(console, summary, calls, directory.path, quiet=wish.quiet)
        write_junit_copy(directory.path, wish.junit)
    return summary.exit_code


async def _work(wish: LoadWish, prepared: Sequence[Prepared], line: StatusLine, signals: Signals) -> int:
    """A worker's part: calls for a master elsewhere, which has the run."""
    now = SystemClock().utc()
    request = _request(wish, prepared, run="worker", now=now)
    async with LoadRun(request, None, line.say, SystemClock()) as run:
        processes = "1 process" if wish.processes == 1 else f"{wish.processes} processes"
        line.say(f"a worker for the master at {wish.host}:{wish.port}: {processes}")
        loaded = await Loading(run.order, wish.processes, line.say, line.status).run(signals)
    return EXIT_INTERRUPTED if signals.received else loaded.exit_code


async def prepare_load(wish: LoadWish, *, run: str, now: datetime, say: Callable[[str], None]) -> LoadRequest:
    """The load made ready, for whoever drives it.

    Raises:
        HarnessError: A scenario, a fixture or the target is not usable.
    """
    prepared = await prepare(wish.scenarios, wish.target, agent=wish.agent, say=say)
    return _request(wish, prepared, run=run, now=now)


def _most_in_a_worker(wish: LoadWish) -> int | None:
    most = wish.plan.most(len(wish.scenarios))
    workers = wish.expect_workers if wish.role == "master" else wish.processes
    return None if most is None else -(-most // workers)


def _plan_line(wish: LoadWish, prepared: Sequence[Prepared]) -> str:
    names = ", ".join(each.loaded.name for each in prepared)
    agents = ", ".join(dict.fromkeys(each.agent for each in prepared))
    where = f"{wish.processes} processes" if wish.processes > 1 else "one process"
    if wish.role == "master":
        where = f"{counted(wish.expect_workers, 'worker')} that come to {wish.host}:{wish.port}"
    words = in_words(wish.plan, len(prepared))
    seen = outlook(
        wish.plan,
        prepared,
        call_duration_s=wish.options.call_duration_s,
        session_rate_per_min=wish.options.session_rate_per_min,
    )
    return (
        f"plan: {words}: {names} to {agents}, target {wish.target.describe()}, engine {wish.engine}, by {where}: "
        f"{seen}{prompts_told(prepared)}"
    )


def _request(wish: LoadWish, prepared: Sequence[Prepared], *, run: str, now: datetime) -> LoadRequest:
    seed = wish.seed if wish.seed is not None else random.SystemRandom().randrange(2**31)
    order = LoadOrder(
        plan=wish.plan,
        role=wish.role,
        prepared="",
        weights=wish.weights,
        engine=wish.engine,
        record=wish.record,
        directory="",
        mark="",
        target=wish.target.name,
        described=wish.target.describe(),
        kind=wish.target.kind,
        url=wish.target.url,
        api_key=None if wish.target.api_key is None else wish.target.api_key.reveal(),
        seed=seed,
        key_variable=wish.target.key_variable,
        session_rate_per_min=wish.options.session_rate_per_min,
        call_duration_s=wish.options.call_duration_s,
        host=wish.host,
        port=free_port() if wish.role == "local" and wish.processes > 1 else wish.port,
        expect_workers=wish.expect_workers if wish.role == "master" else wish.processes,
        web_port=wish.web_port,
        is_led_from_here=wish.role == "local",
    )
    pace = Pace(wish.plan.most(len(prepared)), wish.plan.total(len(prepared)) or 0, wish.plan.rate_per_min, 1)
    settings = run_settings(
        run=run,
        started=now,
        argv=["voice-harness", *sys.argv[1:]],
        scenarios=prepared,
        pace=pace,
        thresholds=wish.thresholds,
        target=wish.target.describe(),
        record=wish.record,
        seed=seed,
        secrets=(wish.target.api_key,),
        engine=wish.engine,
    )
    return LoadRequest(order, prepared, wish.target, wish.thresholds, settings_with(settings, order))
