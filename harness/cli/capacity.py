"""`voice-harness capacity`: finds the most concurrent calls for which every objective is met."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.load import CallDuration, SessionRate, WeightedScenarios, read_mix
from harness.cli.options import (
    AgentOption,
    EngineOption,
    OtlpOption,
    OutOption,
    PrometheusOption,
    Quiet,
    RecordOption,
    SetOption,
    TargetOption,
    read_duration,
    read_record,
    resolve_target,
)
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.judge.thresholds import Threshold
    from harness.scenario.load import LoadedScenario

LEAST_CALL_DURATION_S = 15.0
START = 2


def capacity(
    scenarios: WeightedScenarios,
    slo: Annotated[
        list[str] | None,
        typer.Option("--slo", metavar="'METRIC: LIMIT'", help="An objective; defaults to the scenarios' thresholds."),
    ] = None,
    start: Annotated[
        int | None,
        typer.Option("--start", metavar="N", help=f"Concurrent calls in the first step; by default {START}."),
    ] = None,
    most: Annotated[int | None, typer.Option("--max", metavar="N", help="The most concurrent calls to try.")] = None,
    max_time: Annotated[
        str, typer.Option("--max-time", metavar="20m", help="Start no new step after this time.")
    ] = "20m",
    target: TargetOption = None,
    agent: AgentOption = None,
    engine: EngineOption = "light",
    sets: SetOption = None,
    call_duration: CallDuration = None,
    session_rate: SessionRate = None,
    out: OutOption = None,
    record: RecordOption = "none",
    prometheus: PrometheusOption = None,
    otlp: OtlpOption = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of all random choices; chosen and recorded by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and make no calls.")] = False,
    quiet: Quiet = False,
) -> int:
    """Find how many calls at once meet every objective.

    Exit codes: 0 answered, or --max was held; 1 not even one call meets them; 4 this machine was the limit first, or
    the time was up; 2 usage; 3 infrastructure; 130 interrupted.
    """
    from harness.call.engines.make import engine_name
    from harness.capacity.job import CapacityJob
    from harness.capacity.run import Search
    from harness.capacity.search import Plan
    from harness.report.capacity_table import StepLines
    from harness.report.console import make_console
    from harness.run.carry_out import carry_out
    from harness.run.mix import Mix
    from harness.run.request import Request, chosen_seed
    from harness.telemetry.options import read_telemetry

    _check(start, most, session_rate)
    telemetry = read_telemetry(prometheus, otlp, os.environ)  # before the target is read, which removes keys
    loaded, weights = read_mix(scenarios, sets)
    request = Request(
        name="capacity",
        scenarios=loaded,
        target=resolve_target(target),
        seed=chosen_seed(seed),
        agent=agent,
        engine=engine_name(engine),
        record=read_record(record),
        session_rate_per_min=session_rate,
        call_duration_s=_call_duration_s(call_duration),
        out=out,
        telemetry=telemetry,
        dry_run=dry_run,
        quiet=quiet,
    )
    search = Search(
        mix=Mix(weights),
        plan=Plan(min(START, most or START) if start is None else start, most),
        objectives=_objectives(loaded, slo, engine),
        max_time_s=read_duration(max_time, "--max-time") or 0.0,
    )
    console = make_console()
    return carry_out(CapacityJob(request, search, StepLines(console, quiet=quiet)), console)


def _call_duration_s(text: str | None) -> float | None:
    """Parses --call-duration, in seconds.

    Raises:
        UsageError: It is not a duration, or too short.
    """
    longer = f"use {LEAST_CALL_DURATION_S:g}s or longer"
    seconds = read_duration(text, "--call-duration", hint=longer)
    if seconds is not None and seconds < LEAST_CALL_DURATION_S:
        what = f"--call-duration must be {LEAST_CALL_DURATION_S:g} s or longer (got {seconds:g} s)"
        raise UsageError(what, hint=longer)
    return seconds


def _check(start: int | None, most: int | None, session_rate: float | None) -> None:
    """Checks that these numbers are above zero or left out, and fit together.

    Raises:
        UsageError: They do not.
    """
    from harness.run.request import check_above_zero

    for name, value in (("--start", start), ("--max", most), ("--session-rate", session_rate)):
        check_above_zero(name, value)
    if start is not None and most is not None and start > most:
        raise UsageError(f"--start must be at most --max, {most} (got {start})", hint="use a smaller --start")


def _objectives(loaded: Sequence[LoadedScenario], slo: Sequence[str] | None, engine: str) -> list[Threshold]:
    """Returns the objectives of --slo, or else the scenarios' thresholds.

    Raises:
        UsageError: There is none, one cannot be parsed, or no scenario can give its samples.
    """
    from harness.capacity.objectives import OPTION, read_objectives
    from harness.judge.thresholds import check_possible
    from harness.run.reading import read_thresholds

    if not slo:
        found = read_thresholds(loaded, None, engine)
        if not found:
            raise UsageError(
                "no objective is given", where=OPTION, hint=f"add for example {OPTION} 'turn.ttfa: p(95)<1500ms'"
            )
        return found
    objectives = read_objectives(slo)
    check_possible(objectives, [scenario.model for scenario in loaded], engine=engine)
    return objectives
