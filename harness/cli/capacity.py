"""`voice-harness capacity`: the most calls at once for which every objective is met."""

from __future__ import annotations

import asyncio
import math
import random
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.load import CallDuration, SessionRate, WeightedScenarios, read_mix
from harness.cli.options import (
    AgentOption,
    EngineOption,
    OutOption,
    Quiet,
    RecordOption,
    SetOption,
    TargetOption,
    read_duration,
    read_record,
    read_thresholds,
    resolve_target,
)
from harness.errors import EXIT_INTERRUPTED, EXIT_OK, ConfigError, HarnessError, UsageError
from harness.text.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from harness.call.engines.make import EngineName
    from harness.caller.prepare import Prepared
    from harness.caller.recorded_call import RecordMode
    from harness.capacity.run import CapacityOrder
    from harness.judge.thresholds import Threshold
    from harness.run.mix import Mix
    from harness.scenario.load import LoadedScenario
    from harness.target.target import Target

LEAST_CALL_S = 15.0


def capacity(
    scenarios: WeightedScenarios,
    slo: Annotated[
        list[str] | None,
        typer.Option(
            "--slo", metavar="'METRIC: LIMIT'", help="An objective; left out, the scenarios' thresholds are meant."
        ),
    ] = None,
    start: Annotated[int, typer.Option("--start", metavar="N", help="How many calls at once the first step has.")] = 2,
    most: Annotated[int | None, typer.Option("--max", metavar="N", help="The most calls at once.")] = None,
    max_time: Annotated[str, typer.Option("--max-time", metavar="20m", help="For how long steps are begun.")] = "20m",
    target: TargetOption = None,
    agent: AgentOption = None,
    engine: EngineOption = "light",
    sets: SetOption = None,
    call_duration: CallDuration = None,
    session_rate: SessionRate = None,
    out: OutOption = None,
    record: RecordOption = "none",
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of all that is random; chosen and noted if left out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and call nobody.")] = False,
    quiet: Quiet = False,
) -> int:
    """Find how many calls at once meet every objective.

    Exit codes: 0 answered, or --max was held; 1 not even one call meets them; 4 this machine was the limit first, or
    the time was up; 2 usage; 3 infrastructure; 130 interrupted.
    """
    from harness.call.engines.make import engine_name
    from harness.run.mix import Mix

    _check(start, most, session_rate)
    loaded, weights = read_mix(scenarios, sets)
    call_duration_s = _call_duration_s(call_duration)
    request = _Request(
        scenarios=loaded,
        mix=Mix(weights),
        target=resolve_target(target),
        agent=agent,
        objectives=_objectives(loaded, slo, engine),
        start=min(start, most or start),
        most=most,
        max_time_s=read_duration(max_time, "--max-time") or 0.0,
        call_duration_s=call_duration_s,
        session_rate_per_min=session_rate,
        engine=engine_name(engine),
        record=read_record(record),
        out=out,
        seed=seed if seed is not None else random.SystemRandom().randrange(2**31),
        dry_run=dry_run,
        quiet=quiet,
    )
    try:
        return asyncio.run(_carry_out(request))
    except asyncio.CancelledError:  # interrupted before there was anything to be written
        return EXIT_INTERRUPTED


def _call_duration_s(text: str | None) -> float | None:
    """The value of --call-duration.

    Raises:
        UsageError: It is none, or too short.
    """
    longer = f"use {LEAST_CALL_S:g}s or longer"
    try:
        seconds = read_duration(text, "--call-duration")
    except UsageError as problem:
        # What it offers may be too short here.
        raise UsageError(problem.what.partition("; write")[0], where="--call-duration", hint=longer) from None
    if seconds is not None and seconds < LEAST_CALL_S:
        raise UsageError("such calls are mostly set-up", where="--call-duration", hint=longer)
    return seconds


@dataclass(frozen=True)
class _Request:
    """What the command line asks for."""

    scenarios: Sequence[LoadedScenario]
    mix: Mix
    target: Target
    agent: str | None
    objectives: Sequence[Threshold]
    start: int
    most: int | None
    max_time_s: float
    call_duration_s: float | None
    session_rate_per_min: float | None
    engine: EngineName
    record: RecordMode
    out: Path | None
    seed: int
    dry_run: bool
    quiet: bool


def _check(start: int, most: int | None, session_rate: float | None) -> None:
    """Returns where these numbers can be followed.

    Raises:
        UsageError: One cannot.
    """
    for name, value in (("--start", start), ("--max", most), ("--session-rate", session_rate)):
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"{name} must be greater than 0 (got {value:g})")


def _objectives(loaded: Sequence[LoadedScenario], slo: Sequence[str] | None, engine: str) -> list[Threshold]:
    """Those of --slo, else the scenarios' thresholds.

    Raises:
        UsageError: There is none, or one cannot be read, or no script can give its samples.
    """
    from harness.capacity.objectives import OPTION, read_objectives
    from harness.judge.thresholds import check_possible

    if not slo:
        found = read_thresholds(loaded, None, engine)
        if not found:
            raise UsageError(
                "no objective is given", where=OPTION, hint=f"add one such as {OPTION} 'turn.ttfa: p(95)<1500ms'"
            )
        return found
    objectives = read_objectives(slo)
    check_possible(objectives, [scenario.model for scenario in loaded], engine=engine)
    return objectives


async def _carry_out(request: _Request) -> int:
    from harness.caller.prepare import prepare
    from harness.capacity.run import find_capacity
    from harness.clock import SystemClock
    from harness.process.signals import Signals
    from harness.record.run_directory import RunDirectory, read_run
    from harness.report.capacity_table import StepLines, print_capacity
    from harness.report.console import make_console
    from harness.shards.size import check_allowed

    with Signals() as signals:
        task = asyncio.current_task()
        signals.on_interrupt(task.cancel if task is not None else lambda: None)
        console = make_console()
        watcher = StepLines(console, quiet=request.quiet)
        prepared = await prepare(
            request.scenarios, request.target, agent=request.agent, say=watcher.say, speak=not request.dry_run
        )
        check_allowed(request.most, request.engine, where="--max")
        plan = _plan_line(request, prepared)
        if request.dry_run:
            typer.echo(plan)
            return EXIT_OK
        clock = SystemClock()
        now = clock.utc()
        directory = RunDirectory.create(request.out, name="capacity", now=now)
        order = _order(request, prepared, run=directory.path.name, now=now)
        watcher.say(plan)
        try:
            capacity, summary = await find_capacity(order, directory, watcher, clock=clock, signals=signals)
        except HarnessError:
            directory.take_back()
            raise
        try:
            calls = read_run(directory.path).calls
        except ConfigError:  # a disk that filled up: the answer is known all the same
            calls = []
        print_capacity(console, capacity, directory.path, target=summary.target, calls=calls, quiet=request.quiet)
    return summary.exit_code


def _order(request: _Request, prepared: Sequence[Prepared], *, run: str, now: datetime) -> CapacityOrder:
    from harness.capacity.run import CapacityOrder, settings_of
    from harness.capacity.search import Plan
    from harness.run.execute import RunOrder
    from harness.run.pacing import Pace
    from harness.run.settings import run_settings

    pace = Pace(slots=request.most, total=0, rate_per_min=None, repeat=1)
    settings = run_settings(
        run=run,
        started=now,
        argv=["voice-harness", *sys.argv[1:]],
        scenarios=prepared,
        pace=pace,
        thresholds=[],
        target=request.target.describe(),
        record=request.record,
        seed=request.seed,
        secrets=(request.target.api_key,),
        engine=request.engine,
    )
    order = CapacityOrder(
        run=RunOrder(
            scenarios=prepared,
            pace=pace,
            thresholds=[],
            target=request.target,
            record=request.record,
            stop_at_failure=False,
            seed=request.seed,
            settings=settings,
            engine=request.engine,
        ),
        mix=request.mix,
        plan=Plan(request.start, request.most),
        objectives=request.objectives,
        max_time_s=request.max_time_s,
        call_duration_s=request.call_duration_s,
        session_rate_per_min=request.session_rate_per_min,
    )
    return replace(order, run=replace(order.run, settings=settings_of(order, settings)))


def _plan_line(request: _Request, prepared: Sequence[Prepared]) -> str:
    """The plan in one line: target, what must hold, how long steps take and why."""
    from harness.capacity.lengths import Learned
    from harness.capacity.objectives import turns_wanted

    names = ", ".join(scenario.loaded.name for scenario in prepared)
    agents = ", ".join(dict.fromkeys(scenario.agent for scenario in prepared))
    objectives = "; ".join(f"{objective.ref} {objective.limit}" for objective in request.objectives)
    learned = Learned(prepared, request.objectives, request.session_rate_per_min)
    first_s = learned.lengths(request.start, full=False).window_s
    models = [scenario.loaded.model for scenario in prepared]
    edge, step = (turns_wanted(request.objectives, models, full=full) for full in (True, False))
    reached = learned.reached(request.start, request.most, request.max_time_s)
    within = f"in that time steps get to about {counted(reached, 'call')} at once" if reached else ""
    if not reached:
        within = "that is too short for the first step"
    elif request.most and reached < request.most:
        within += f", not to --max {request.most}"
    return (
        f"plan: target {request.target.describe()}, agent {agents}, {names}: calls at once from {request.start}"
        f"{f' to {request.most}' if request.most else ''} that meet {objectives}; steps of {step} turns "
        f"(the first about {first_s:.0f} s), at the edge of {edge}, for at most {request.max_time_s / 60:.0f} minutes; "
        f"{within}"
    )
