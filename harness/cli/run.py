"""`voice-harness run`: runs scenarios against a target; the command for CI."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.compare import BaselineOption, SmallestEffectOption, read_against
from harness.cli.options import (
    AgentOption,
    AnnotationsOption,
    EngineOption,
    JunitOption,
    MarkdownOption,
    OutOption,
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
    resolve_target,
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
    repeat: Annotated[int, typer.Option("--repeat", help="How often each slot runs the scenarios.")] = 1,
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
    from harness.run.paced import PacedCalls
    from harness.run.pacing import plan_pace
    from harness.run.reading import make_request, read_scenarios

    if verbose and quiet:
        raise UsageError("-v and -q cannot be combined", hint="remove one of them")
    against = read_against(baseline, smallest_effect)
    loaded = read_scenarios(scenarios, sets, only)
    pace = plan_pace(
        scenarios=len(loaded),
        calls=calls,
        repeat=repeat,
        rate_per_min=rate,
        duration_s=read_duration(duration, "--duration"),
    )
    request = make_request(
        loaded,
        resolve_target(target),
        several="suite",
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
        against=against,
        dry_run=dry_run,
        quiet=quiet,
    )
    console = make_console()
    watcher = _watcher(console, verbose=verbose, quiet=quiet)
    return carry_out(PacedCalls(request, pace, watcher, stop_at_failure=stop, retry_unfit=retry_unfit), console)


def _watcher(console: Console, *, verbose: bool, quiet: bool) -> LinesWatcher:
    from harness.report.console import BarWatcher, LinesWatcher

    if console.is_terminal and not quiet:
        return BarWatcher(console, verbose=verbose)
    return LinesWatcher(console, quiet=quiet, verbose=verbose)
