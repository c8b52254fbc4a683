"""The job of `run` and `call`: each scenario in slots, or calls at a rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.caller.prepare import Prepared
from harness.doctor.warn import warn_of_machine
from harness.errors import UsageError
from harness.judge.enough_calls import check_enough_calls
from harness.process.signals import Signals
from harness.report.comparison_table import print_comparison
from harness.report.console import LinesWatcher, print_summary
from harness.run.carry_out import Finished
from harness.run.execute import execute
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.run.run import Run
from harness.run.settings import Planned
from harness.shards.size import check_allowed
from harness.text.counted import counted

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class PacedCalls:
    """The job of `run` and `call`; see `Job`.

    Attributes:
        request: The request.
        pace: When calls start.
        watcher: Shows the progress.
        stop_at_failure: Whether to start no more calls after the first failed one.
        retry_unfit: How many times to retry calls that could not be measured.
    """

    request: Request
    pace: Pace
    watcher: LinesWatcher
    stop_at_failure: bool = False
    retry_unfit: int = 0

    def check(self) -> None:
        """See `Job`."""
        check_allowed(self.pace.slots, self.request.engine, where="--calls")
        if self.retry_unfit < 0:
            raise UsageError(f"--retry-unfit must be 0 or more (got {self.retry_unfit})")
        scenarios = self.request.scenarios
        names = (loaded.name for loaded in scenarios)
        check_enough_calls(scenarios, dict(zip(names, self.pace.calls_of(len(scenarios)), strict=True)))

    def plan_line(self, scenarios: Sequence[Prepared]) -> str:
        """Returns the plan in one line: target, calls, sessions and the longest duration in minutes."""
        pace = self.pace
        names = ", ".join(prepared.loaded.name for prepared in scenarios)
        longest_s = max(prepared.longest_s() for prepared in scenarios)
        if pace.rate_per_min is not None:
            model = f"{counted(pace.total, 'call')} at {pace.rate_per_min:g} a minute"
            model += f", at most {pace.slots} alive" if pace.slots else ""
            minutes = ((pace.total - 1) / pace.rate_per_min) + longest_s / 60
        else:
            most = "at most " if pace.looks else ""
            model = f"{most}{counted(pace.total, 'call')}, {pace.slots} at once"
            minutes = pace.repeat * pace.versions * sum(prepared.longest_s() for prepared in scenarios) / 60
            if pace.looks:
                model += f", until the comparison is decided after {_list(pace.calls_at_looks)} calls a side"
            if pace.max_time_s is not None:
                minutes = min(minutes, pace.max_time_s / 60 + pace.versions * longest_s / 60)
        other = "" if self.request.other is None else f" in turns with {self.request.other.name}"
        return (
            f"plan: target {self.request.target.describe()}, agent {agents_of(scenarios)}{other}, {names}: {model}, "
            f"{counted(pace.total, 'session')}, at most {max(0.1, minutes):.1f} minutes{prompts_of(scenarios)}"
        )

    def planned(self, scenarios: Sequence[Prepared]) -> Planned:
        """See `Job`."""
        del scenarios
        return Planned(self.pace)

    async def make(self, run: Run, signals: Signals) -> Finished:
        """See `Job`."""
        warn_of_machine(self.watcher.say, run.directory.path)
        outcome, summary = await execute(
            run,
            self.pace,
            self.watcher,
            signals,
            stop_at_failure=self.stop_at_failure,
            retry_unfit=self.retry_unfit,
        )
        return Finished(run, summary, outcome.results)

    def show(self, console: Console, finished: Finished) -> None:
        """See `Job`."""
        folder = finished.run.directory.path
        comparison = finished.run.directory.read_comparison()
        if comparison is not None and not self.request.quiet:
            print_comparison(console, comparison)
        print_summary(console, finished.summary, finished.calls, folder, quiet=self.request.quiet)


def _list(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} or {last}" if first else last


def agents_of(scenarios: Sequence[Prepared]) -> str:
    """Returns the ids of the agents to call, each once."""
    return ", ".join(dict.fromkeys(prepared.agent for prepared in scenarios))


def prompts_of(scenarios: Sequence[Prepared]) -> str:
    """Returns the end of a plan line, which lists the prompts given to the agent; empty if there are none."""
    prompts = dict.fromkeys(str(each.loaded.prompt) for each in scenarios if each.loaded.prompt is not None)
    return "".join(f"; {prompt}" for prompt in prompts)
