"""`voice-harness load`: makes many calls on Locust, in ramps, rates and bursts, over processes and machines."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    SetOption,
    TargetOption,
    ThresholdOption,
    read_annotations,
    read_duration,
    read_record,
    resolve_target,
)
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.scenario.load import LoadedScenario

WeightedScenarios = Annotated[
    list[str],
    typer.Argument(
        metavar="SCENARIO[=WEIGHT]…",
        help="Scenario files, folders, or names of shipped scenarios; a mix: a.yaml=70 b.yaml=30.",
    ),
]
CallDuration = Annotated[
    str | None,
    typer.Option("--call-duration", metavar="5m", help="Loop the turns of each call for this long."),
]
SessionRate = Annotated[
    float | None,
    typer.Option("--session-rate", metavar="PER_MINUTE", help="The most sessions to request per minute."),
]
Canaries = Annotated[
    int,
    typer.Option("--canaries", metavar="K", help="Run K of the calls on engine sdk and report them separately."),
]


def load(
    scenarios: WeightedScenarios,
    target: TargetOption = None,
    agent: AgentOption = None,
    stages: Annotated[
        str | None,
        typer.Option(
            "--stages",
            metavar="2m:20,5m:50,1m:0",
            help="Concurrent calls over time: each stage ramps linearly to its number.",
        ),
    ] = None,
    calls: Annotated[
        int | None, typer.Option("--calls", help="Concurrent calls; with --rate the most that may run at once.")
    ] = None,
    repeat: Annotated[
        int | None, typer.Option("--repeat", help="With --calls: how often each slot runs the scenarios.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="PER_MINUTE", help="Start calls at this rate, regardless of running calls (open model)."
        ),
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="5m", help="How long the load lasts, with --rate or --calls.")
    ] = None,
    burst: Annotated[
        str | None,
        typer.Option(
            "--burst", metavar="N[,N…]", help="Start N calls at the same moment; several sizes run one after the other."
        ),
    ] = None,
    warm_up: Annotated[
        str | None,
        typer.Option("--warm-up", metavar="30s", help="Exclude calls that start in this time from all numbers."),
    ] = None,
    stop_timeout: Annotated[
        str,
        typer.Option(
            "--stop-timeout", metavar="30s", help="At the end, wait this long for running calls before cutting them."
        ),
    ] = "30s",
    call_duration: CallDuration = None,
    session_rate: SessionRate = None,
    canaries: Canaries = 0,
    engine: EngineOption = "light",
    processes: Annotated[int, typer.Option("--processes", metavar="N", help="Worker processes on this machine.")] = 1,
    web: Annotated[bool, typer.Option("--web", help="Serve Locust's web page, with a tab for voice metrics.")] = False,
    web_port: Annotated[int, typer.Option("--web-port", help="The port of the web page.")] = 8089,
    master: Annotated[bool, typer.Option("--master", help="Run as the master of workers on other machines.")] = False,
    worker: Annotated[bool, typer.Option("--worker", help="Run as a worker of a master elsewhere.")] = False,
    master_host: Annotated[
        str, typer.Option("--master-host", help="The master's address; with --master the address to listen on.")
    ] = "127.0.0.1",
    master_port: Annotated[int, typer.Option("--master-port", help="The master's port.")] = 5557,
    expect_workers: Annotated[
        int,
        typer.Option(
            "--expect-workers", metavar="N", help="With --master: start when this many workers have connected."
        ),
    ] = 1,
    sets: SetOption = None,
    out: OutOption = None,
    record: RecordOption = "failed",
    threshold: ThresholdOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    annotations: AnnotationsOption = None,
    prometheus: PrometheusOption = None,
    otlp: OtlpOption = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of all random choices; chosen and recorded by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and make no calls.")] = False,
    quiet: Quiet = False,
) -> int:
    """Make many calls at once and give a verdict.

    Exit codes: as of run.
    """
    from harness.call.engines.make import engine_name
    from harness.load.job import LoadedCalls, work
    from harness.load.order import Load, LoadPlan
    from harness.load.plan import LoadOptions, plan_load
    from harness.report.console import make_console
    from harness.report.load_status import StatusLine
    from harness.run.carry_out import carry_out
    from harness.run.reading import make_request
    from harness.telemetry.options import read_telemetry

    if master and worker:
        raise UsageError("--master and --worker cannot be combined", hint="remove one of them")
    if processes < 1:
        raise UsageError(f"--processes must be 1 or more (got {processes})")
    if master and processes > 1:
        raise UsageError(
            "--processes cannot be combined with --master, which makes no calls itself",
            hint="start the workers with --worker --processes N, or remove --master",
        )
    if worker and (prometheus is not None or otlp is not None):
        option = "--prometheus" if prometheus is not None else "--otlp"
        raise UsageError(
            f"{option} cannot be combined with --worker", hint="give it to the master, which has all calls"
        )
    telemetry = read_telemetry(prometheus, otlp, os.environ)  # before the target is read, which removes keys
    options = LoadOptions(
        stages=stages,
        calls=calls,
        repeat=repeat,
        rate_per_min=rate,
        duration_s=read_duration(duration, "--duration"),
        burst=burst,
        warm_up_s=read_duration(warm_up, "--warm-up"),
        stop_timeout_s=read_duration(stop_timeout, "--stop-timeout"),
        canaries=canaries,
    )
    loaded, weights = read_mix(scenarios, sets)
    name = engine_name(engine)
    plan = plan_load(options, engine=name, session_rate_per_min=session_rate) if not worker else LoadPlan()
    request = replace(
        make_request(
            loaded,
            resolve_target(target),
            several="mix",
            agent=agent,
            engine=name,
            thresholds=threshold,
            seed=seed,
        ),
        record=read_record(record),
        session_rate_per_min=session_rate,
        call_duration_s=read_duration(call_duration, "--call-duration"),
        out=out,
        junit=junit,
        markdown=markdown,
        annotations=read_annotations(annotations),
        telemetry=telemetry,
        dry_run=dry_run,
        quiet=quiet,
    )
    asked = Load(
        plan=plan,
        weights=weights,
        role="master" if master else "worker" if worker else "local",
        processes=processes,
        web_port=web_port if web else None,
        host=master_host,
        port=master_port,
        expect_workers=expect_workers,
    )
    console = make_console()
    watcher = StatusLine(console, quiet=quiet)
    if worker:
        return work(request, asked, watcher)
    return carry_out(LoadedCalls(request, asked, watcher), console)


def read_mix(texts: list[str], sets: list[str] | None) -> tuple[list[LoadedScenario], tuple[float, ...]]:
    """Reads the scenarios of a mix and their weights.

    Raises:
        UsageError: A scenario is invalid, or the weights do not add up to 100.
    """
    from harness.run.mix import mix_of, parse_weight
    from harness.run.reading import read_scenarios

    loaded: list[LoadedScenario] = []
    weights: list[float | None] = []
    for text in texts:
        path, weight = parse_weight(text) if not Path(text).exists() else (text, None)
        found = read_scenarios([Path(path)], sets)
        if weight is not None and len(found) != 1:
            raise UsageError(
                f"a weight is for one scenario, but {path} contains {len(found)}",
                where=text,
                hint="give each file its own weight",
            )
        loaded += found
        weights += [weight] * len(found)
    return loaded, mix_of(weights).weights
