"""The job of `capacity`: a run that searches for the most concurrent calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.caller.prepare import Prepared
from harness.capacity.lengths import Learned
from harness.capacity.objectives import turns_wanted
from harness.capacity.run import Search, find_capacity
from harness.doctor.warn import warn_of_machine
from harness.errors import ConfigError
from harness.process.signals import Signals
from harness.record.capacity import Capacity
from harness.record.run_directory import read_run
from harness.record.settings import SearchSettings
from harness.report.capacity_table import StepLines, print_capacity
from harness.run.carry_out import Finished
from harness.run.paced import agents_of
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.run.run import Run
from harness.run.settings import Planned
from harness.shards.size import check_allowed
from harness.text.counted import counted

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Searched(Finished):
    """A finished capacity search, with the capacity that it found."""

    capacity: Capacity


@dataclass(frozen=True)
class CapacityJob:
    """The job of `capacity`; see `Job`.

    Attributes:
        request: The request.
        search: The settings of the search.
        watcher: Shows the progress.
    """

    request: Request
    search: Search
    watcher: StepLines

    def check(self) -> None:
        """See `Job`."""
        check_allowed(self.search.plan.most, self.request.engine, where="--max")

    def plan_line(self, scenarios: Sequence[Prepared]) -> str:
        """Returns the plan in one line: target, objectives, the length of steps in turns, and the time limit."""
        request, search = self.request, self.search
        first, most = search.plan.start, search.plan.most
        names = ", ".join(scenario.loaded.name for scenario in scenarios)
        objectives = "; ".join(f"{objective.ref} {objective.limit}" for objective in search.objectives)
        learned = Learned(scenarios, search.objectives, request.session_rate_per_min)
        first_s = learned.lengths(search.plan.start, full=False).window_s
        models = [scenario.loaded.model for scenario in scenarios]
        edge, step = (turns_wanted(search.objectives, models, full=full) for full in (True, False))
        reached = learned.reached(search.plan.start, search.plan.most, search.max_time_s)
        within = f"in that time steps get to about {counted(reached, 'call')} at once" if reached else ""
        if not reached:
            within = "that is too short for the first step"
        elif search.plan.most and reached < search.plan.most:
            within += f", not to --max {search.plan.most}"
        return (
            f"plan: target {request.target.describe()}, agent {agents_of(scenarios)}, {names}: calls at once "
            f"from {first}{f' to {most}' if most else ''} that meet {objectives}; steps of {step} turns "
            f"(the first about {first_s:.0f} s), at the edge of {edge}, for at most "
            f"{max(0.1, round(search.max_time_s / 60, 1)):g} minutes; {within}"
        )

    def planned(self, scenarios: Sequence[Prepared]) -> Planned:
        """See `Job`."""
        del scenarios
        search, request = self.search, self.request
        settings = SearchSettings(
            objectives=[f"{objective.ref}: {objective.limit}" for objective in search.objectives],
            start=search.plan.start,
            max=search.plan.most,
            max_time_s=search.max_time_s,
            call_duration_s=request.call_duration_s,
            session_rate_per_min=request.session_rate_per_min,
        )
        return Planned(Pace(search.plan.most, 0, None, 1), {"capacity": settings.model_dump()})

    async def make(self, run: Run, signals: Signals) -> Searched:
        """See `Job`."""
        warn_of_machine(self.watcher.say, run.directory.path)
        capacity, summary = await find_capacity(run, self.search, self.watcher, signals)
        try:
            calls = read_run(run.directory.path).calls
        except ConfigError:  # the disk may be full; the answer is still known
            calls = []
        return Searched(run, summary, calls, capacity)

    def show(self, console: Console, finished: Searched) -> None:
        """See `Job`."""
        print_capacity(
            console,
            finished.capacity,
            finished.run.directory.path,
            target=finished.summary.target,
            calls=finished.calls,
            quiet=self.request.quiet,
        )
