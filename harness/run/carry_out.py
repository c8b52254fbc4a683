"""The flow of every run: prepare, plan, begin, make the calls, show. What differs per command is its `Job`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from harness.caller.prepare import Prepared
from harness.clock import SystemClock
from harness.errors import EXIT_OK, HarnessError
from harness.process.signals import Signals, run_interruptible
from harness.record.result import CallResult
from harness.record.summary import Summary
from harness.report.annotations import checkout, github_lines, in_github
from harness.report.copies import check_copy, write_copy, write_junit_copy
from harness.report.findings import findings
from harness.report.markdown import render_markdown
from harness.run.finish import recorded_run
from harness.run.other_version import once
from harness.run.request import Request
from harness.run.run import Run, begin, make_other_ready, make_ready
from harness.run.settings import Planned
from harness.telemetry.exporting import exporting

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Finished:
    """A finished and written run: its summary and its calls. A job that finds more has a subclass."""

    run: Run
    summary: Summary
    calls: Sequence[CallResult]


F = TypeVar("F", bound=Finished)


class Looker(Protocol):
    """Shows the progress of any command."""

    def say(self, line: str) -> None:
        """Shows a line."""
        ...

    def close(self) -> None:
        """Ends the output; all calls are over."""
        ...


class Job(Protocol[F]):
    """What one command does with a run.

    Attributes:
        request: The request.
        watcher: Shows the progress.
    """

    @property
    def request(self) -> Request:
        """The request."""
        ...

    @property
    def watcher(self) -> Looker:
        """Shows the progress."""
        ...

    def check(self) -> None:
        """Checks that this machine can make the planned number of calls, and that the scenarios need no more.

        Raises:
            UsageError: It cannot, or they do.
        """
        ...

    def plan_line(self, scenarios: Sequence[Prepared]) -> str:
        """Returns the plan in one line."""
        ...

    def planned(self, scenarios: Sequence[Prepared]) -> Planned:
        """Returns what run.json stores of the plan."""
        ...

    async def make(self, run: Run, signals: Signals) -> F:
        """Makes the calls and writes the run.

        Raises:
            HarnessError: No call could be made.
        """
        ...

    def show(self, console: Console, finished: F) -> None:
        """Prints the verdict."""
        ...


def carry_out(job: Job[F], console: Console) -> int:
    """Runs the job and returns the exit code.

    Raises:
        HarnessError: Nothing could be run; no folder is left.
    """

    async def main(signals: Signals) -> int:
        finished = await make_and_show(job, console, signals)
        return EXIT_OK if finished is None else finished.summary.exit_code

    return run_interruptible(main)


async def make_and_show(job: Job[F], console: Console, signals: Signals) -> F | None:
    """Runs the job and shows its result; returns None after a dry run.

    Raises:
        HarnessError: Nothing could be run; no folder is left.
        CancelledError: A signal came before there was anything to write.
    """
    request, watcher = job.request, job.watcher
    say = once(watcher.say) if request.other is not None else watcher.say
    scenarios = await make_ready(request, say)
    other = await make_other_ready(request, scenarios, say)
    job.check()
    if request.target.observe is not None:
        request.target.observe.check()
    check_copy(request.junit, "--junit")
    check_copy(request.markdown, "--markdown")
    if request.against is not None:
        request.against.check(scenarios)
    plan = job.plan_line(scenarios)
    if request.dry_run:
        console.print(plan)
        return None
    async with exporting(request.telemetry, watcher.say) as export:
        run = begin(request, scenarios, job.planned(scenarios), clock=SystemClock(), say=watcher.say, other=other)
        watcher.say(plan)
        await export.follow(run.directory.path)
        finished = await _made(job, run, signals)
        _write_for_ci(console, request, finished)
        job.show(console, finished)
        write_junit_copy(run.directory.path, request.junit)
        if request.telemetry is not None:
            signals.on_interrupt(export.hurry)
        await export.finish(wait=not signals.received)
    return finished


async def _made(job: Job[F], run: Run, signals: Signals) -> F:
    """Makes the calls; takes the folder back if there are none."""
    try:
        return await job.make(run, signals)
    except HarnessError:
        run.directory.take_back()
        raise
    finally:
        job.watcher.close()


def _write_for_ci(console: Console, request: Request, finished: Finished) -> None:
    """Writes the Markdown and prints annotations, as far as they are asked for.

    Raises:
        OwnFailure: The disk refused the Markdown.
    """
    directory = finished.run.directory
    made = recorded_run(directory, finished.run.settings, finished.calls, finished.summary, directory.read_comparison())
    if in_github(os.environ) if request.annotations is None else request.annotations:
        for line in github_lines(findings(made), checkout(os.environ)):
            console.print(line, soft_wrap=True)
    write_copy(request.markdown, render_markdown(made) if request.markdown is not None else "")
