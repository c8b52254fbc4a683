"""`voice-harness run`: runs scenarios against a target; the command for CI."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.compare import (
    AgainstAgentOption,
    AgainstOption,
    AgainstSetOption,
    BaselineOption,
    SmallestEffectOption,
)
from harness.cli.options import (
    AgentOption,
    AnnotationsOption,
    EngineOption,
    JunitOption,
    MarkdownOption,
    OtlpOption,
    OutOption,
    PrometheusOption,
    Quiet,
    RecordOption,
    ScenarioPaths,
    SetOption,
    StrictOption,
    TargetOption,
    ThresholdOption,
    Verbose,
    read_annotations,
    read_duration,
    read_record,
)
from harness.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from harness.report.console import LinesWatcher


def run(
    scenarios: ScenarioPaths,
    target: TargetOption = None,
    agent: AgentOption = None,
    calls: Annotated[
        int | None, typer.Option("--calls", help="Concurrent calls; with --rate the most that may run at once.")
    ] = None,
    repeat: Annotated[
        str,
        typer.Option(
            "--repeat",
            metavar="N|auto",
            help="How often each slot runs the scenarios; auto: until every metric of the comparison is decided.",
        ),
    ] = "1",
    max_sessions: Annotated[
        int | None,
        typer.Option("--max-sessions", metavar="N", help="With --repeat auto: the most sessions to create (400)."),
    ] = None,
    max_time: Annotated[
        str | None, typer.Option("--max-time", metavar="20m", help="With --repeat auto: how long to start calls.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="PER_MINUTE", help="Start calls at this rate, regardless of running calls (open model)."
        ),
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="5m", help="With --rate: how long to start calls.")
    ] = None,
    engine: EngineOption = "sdk",
    sets: SetOption = None,
    out: OutOption = None,
    record: RecordOption = "failed",
    threshold: ThresholdOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    annotations: AnnotationsOption = None,
    baseline: BaselineOption = None,
    against: AgainstOption = None,
    against_agent: AgainstAgentOption = None,
    against_set: AgainstSetOption = None,
    smallest_effect: SmallestEffectOption = None,
    only: Annotated[
        str | None, typer.Option("-k", metavar="EXPR", help="Run only scenarios whose name or tags match.")
    ] = None,
    stop: Annotated[bool, typer.Option("-x", help="Start no more calls after the first failed one.")] = False,
    retry_unfit: Annotated[
        int,
        typer.Option("--retry-unfit", metavar="N", help="Repeat unfit or doubtful calls, at most N times."),
    ] = 0,
    strict: StrictOption = False,
    prometheus: PrometheusOption = None,
    otlp: OtlpOption = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of all random choices; chosen and recorded by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and make no calls.")] = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Run scenarios and give a verdict.

    Exit codes: 0 pass, 1 the agent fell short, 2 usage, 3 infrastructure, 4 the harness was not fit to measure,
    130 interrupted.
    """
    from harness.call.engines.make import engine_name
    from harness.report.console import make_console
    from harness.run.carry_out import carry_out
    from harness.run.compared import ComparedWith, read_request
    from harness.run.paced import PacedCalls
    from harness.run.pacing import plan_pace
    from harness.telemetry.options import read_telemetry

    if verbose and quiet:
        raise UsageError("-v and -q cannot be combined", hint="remove one of them")
    telemetry = read_telemetry(prometheus, otlp, os.environ)  # before the target is read, which removes keys
    request, pace = read_request(
        scenarios,
        ComparedWith(baseline, against, against_agent, against_set or (), smallest_effect or ()),
        pace=partial(
            plan_pace,
            calls=calls,
            repeat=_read_repeat(repeat),
            rate_per_min=rate,
            duration_s=read_duration(duration, "--duration"),
            max_sessions=max_sessions,
            max_time_s=read_duration(max_time, "--max-time"),
        ),
        until_decided=repeat == "auto",
        target=target,
        warn=lambda line: typer.echo(line, err=True),
        sets=sets,
        only=only,
        agent=agent,
        engine=engine_name(engine),
        thresholds=threshold,
        seed=seed,
    )
    request = replace(
        request,
        record=read_record(record),
        out=out,
        junit=junit,
        markdown=markdown,
        annotations=read_annotations(annotations),
        strict=strict,
        telemetry=telemetry,
        dry_run=dry_run,
        quiet=quiet,
    )
    console = make_console()
    watcher = _watcher(console, verbose=verbose, quiet=quiet)
    return carry_out(PacedCalls(request, pace, watcher, stop_at_failure=stop, retry_unfit=retry_unfit), console)


def _read_repeat(text: str) -> int | None:
    """Parses --repeat; None stands for `auto`."""
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        what = f"--repeat must be a whole number or auto (got {text!r})"
        raise UsageError(what, hint="write for example --repeat 10") from None


def _watcher(console: Console, *, verbose: bool, quiet: bool) -> LinesWatcher:
    from harness.report.console import BarWatcher, LinesWatcher

    if console.is_terminal and not quiet:
        return BarWatcher(console, verbose=verbose)
    return LinesWatcher(console, quiet=quiet, verbose=verbose)
