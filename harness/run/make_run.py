"""`harness.make_run`: what `voice-harness run` does, from Python."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.call.engines.make import DEFAULT_ENGINE, EngineName
from harness.caller.recorded_call import RecordMode
from harness.errors import UsageError
from harness.process.signals import Signals, run_interruptible
from harness.record.recorded_run import RecordedRun
from harness.report.console import LinesWatcher
from harness.run.carry_out import make_and_show
from harness.run.compared import ComparedWith, read_request
from harness.run.finish import recorded_run
from harness.run.paced import PacedCalls
from harness.run.pacing import Pace, plan_pace
from harness.run.request import Request

if TYPE_CHECKING:
    from rich.console import Console


def make_run(
    scenarios: Sequence[str | os.PathLike[str]],
    *,
    target: str | None = None,
    agent: str | None = None,
    engine: EngineName = DEFAULT_ENGINE,
    calls: int | None = None,
    repeat: int | Literal["auto"] = 1,
    max_sessions: int | None = None,
    max_time_s: float | None = None,
    rate_per_min: float | None = None,
    duration_s: float | None = None,
    sets: Sequence[str] = (),
    thresholds: Sequence[str] = (),
    record: RecordMode = "failed",
    retry_unfit: int = 0,
    strict: bool = False,
    baseline: str | None = None,
    against: str | None = None,
    against_agent: str | None = None,
    against_sets: Sequence[str] = (),
    smallest_effect: Sequence[str] = (),
    out: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    show: bool = False,
) -> RecordedRun:
    """Runs scenarios and returns the recorded run. The arguments correspond to the options of `voice-harness run`.

    Call it in the main thread and outside of an event loop. While it runs, Ctrl-C ends the calls and the run is still
    written. Meanwhile the API key is removed from the environment, so that no child process inherits it.

    Args:
        scenarios: Files, folders, or the names of shipped scenarios.
        target: A name in voice-harness.toml, a URL, or `embedded`.
        agent: The agent's id.
        engine: The media engine.
        calls: The number of concurrent calls.
        repeat: How many times each slot runs the scenarios; `auto`: until every metric of the comparison is decided.
        max_sessions: With `repeat="auto"`: the most sessions to create; None for 400.
        max_time_s: With `repeat="auto"`: for how long to start calls, in seconds.
        rate_per_min: Starts calls at this rate, per minute, instead of in slots.
        duration_s: With a rate: for how long, in seconds.
        sets: Overrides of scenario keys, such as `session.language=fr`.
        thresholds: Additional thresholds, such as `turn.ttfa: p(95)<1500ms`.
        record: Which calls' audio to keep.
        retry_unfit: How many times to retry calls that could not be measured.
        strict: Whether not enough data is a failure.
        baseline: A baseline to compare the run with: a name under `reports/baselines/`, a file, or a run directory.
        against: Another target to call in turns, and to compare with.
        against_agent: Another agent to call in turns, and to compare with.
        against_sets: Overrides of scenario keys for the calls to compare with, such as `session.greeting=Hi.`.
        smallest_effect: The smallest differences that matter, such as `10%` and `50ms`.
        out: The run's folder; None for a new one in `reports/`.
        seed: The seed of everything random; None for a random seed.
        show: Whether to print what the command prints.

    Returns:
        The run, as `read_run` would read it, with its summary.

    Raises:
        HarnessError: Nothing could be run: a scenario, the target, the baseline or the stack cannot be used.
        KeyboardInterrupt: It was interrupted before the first call.
    """
    from rich.console import Console

    console = Console(file=sys.stdout if show else io.StringIO(), highlight=False, markup=False, soft_wrap=True)
    made: list[RecordedRun] = []
    with environment_restored():
        request, pace = read_request(
            [Path(each) for each in scenarios],
            ComparedWith(baseline, against, against_agent, against_sets, smallest_effect),
            pace=partial(
                plan_pace,
                calls=calls,
                repeat=None if repeat == "auto" else repeat,
                rate_per_min=rate_per_min,
                duration_s=duration_s,
                max_sessions=max_sessions,
                max_time_s=max_time_s,
            ),
            until_decided=repeat == "auto",
            target=target,
            warn=console.print,
            sets=sets,
            agent=agent,
            engine=engine,
            thresholds=thresholds,
            seed=seed,
        )
        folder = None if out is None else Path(out)
        command = ("harness.make_run",)
        request = replace(request, record=record, strict=strict, out=folder, command=command)

        async def main(signals: Signals) -> int:
            made.append(await record_calls(request, pace, console, signals, retry_unfit=retry_unfit))
            return 0

        run_interruptible(main)
    if not made:
        raise KeyboardInterrupt
    return made[0]


async def record_calls(
    request: Request, pace: Pace, console: Console, signals: Signals, *, retry_unfit: int = 0
) -> RecordedRun:
    """Makes the calls of a request on the running event loop, prints what `voice-harness run` does, returns the run.

    Raises:
        HarnessError: Nothing could be run; no folder is left.
        CancelledError: It was interrupted before there was anything to write.
    """
    job = PacedCalls(request, pace, LinesWatcher(console, quiet=request.quiet), retry_unfit=retry_unfit)
    made = await make_and_show(job, console, signals)
    if made is None:
        raise UsageError("a dry run makes no calls")
    directory = made.run.directory
    return recorded_run(directory, made.run.settings, made.calls, made.summary, directory.read_comparison())


@contextmanager
def environment_restored() -> Iterator[None]:
    """Restores the environment variables of the calling process."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.update(before)
