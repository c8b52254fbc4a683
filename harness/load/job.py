"""The job of `load`: a run whose calls are made in processes of Locust."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.caller.prepare import Prepared
from harness.doctor.warn import warn_of_machine
from harness.errors import EXIT_INTERRUPTED
from harness.judge.enough_calls import check_enough_calls
from harness.judge.parts import limits_of
from harness.load.lifecycle import LoadRun
from harness.load.order import Load
from harness.load.outlook import outlook
from harness.load.plan import in_words
from harness.load.processes import Loading, free_port
from harness.load.shares import calls_of
from harness.process.signals import Signals, run_interruptible
from harness.report.bursts import HELD_BACK, burst_lines, held_back_line
from harness.report.console import print_summary
from harness.report.load_status import StatusLine
from harness.run.carry_out import Finished
from harness.run.paced import agents_of, prompts_of
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.run.run import Run, make_ready
from harness.run.settings import Planned
from harness.shards.size import check_allowed
from harness.text.counted import counted

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class LoadedCalls:
    """The job of `load`; see `Job`.

    Attributes:
        request: The request.
        load: The options of the load.
        watcher: Shows the progress.
    """

    request: Request
    load: Load
    watcher: StatusLine

    def check(self) -> None:
        """See `Job`."""
        most = self.load.plan.most(len(self.request.scenarios))
        in_a_worker = None if most is None else -(-most // self.load.workers)
        check_allowed(in_a_worker, self.request.engine, where="load")
        if self.load.plan.canaries:
            check_allowed(self.load.plan.canaries, "sdk", where="--canaries")
        scenarios = self.request.scenarios
        if any(limits_of(loaded.model) for loaded in scenarios):
            planned = calls_of(self.load.plan, self.load.weights, workers=self.load.workers)
            if planned is not None:
                names = (loaded.name for loaded in scenarios)
                check_enough_calls(scenarios, dict(zip(names, planned, strict=True)))

    def plan_line(self, scenarios: Sequence[Prepared]) -> str:
        """See `Job`."""
        request, load = self.request, self.load
        names = ", ".join(each.loaded.name for each in scenarios)
        where = f"{load.processes} processes" if load.processes > 1 else "one process"
        if load.role == "master":
            where = f"{counted(load.expect_workers, 'worker')} that connect to {load.host}:{load.port}"
        seen = outlook(
            load.plan,
            scenarios,
            call_duration_s=request.call_duration_s,
            session_rate_per_min=request.session_rate_per_min,
        )
        return (
            f"plan: {in_words(load.plan, len(scenarios))}: {names} to {agents_of(scenarios)}, "
            f"target {request.target.describe()}, engine {request.engine}, by {where}: {seen}{prompts_of(scenarios)}"
        )

    def planned(self, scenarios: Sequence[Prepared]) -> Planned:
        """See `Job`."""
        return planned_load(self.request, self.load, len(scenarios))

    async def make(self, run: Run, signals: Signals) -> Finished:
        """See `Job`."""
        load = self.load
        if load.role != "master":  # which makes no calls; its workers warn of their own machines
            warn_of_machine(self.watcher.say, run.directory.path)
        beside = load.processes if load.role == "local" and load.processes > 1 else 0
        if beside:
            load = load.model_copy(update={"port": free_port()})
        async with LoadRun(self.request, load, run.scenarios, self.watcher.say, run=run) as loading:
            loaded = await Loading(loading.order, beside, self.watcher.say, self.watcher.status).run(signals)
        calls, summary = await loading.finish(loaded.ending, interrupted=signals.received, signals=signals)
        return Finished(run, summary, calls)

    def show(self, console: Console, finished: Finished) -> None:
        """See `Job`."""
        for line in burst_lines(finished.calls):
            console.print(line)
        if held := held_back_line(finished.calls):
            self.watcher.say(f"{HELD_BACK}: {held}")
        folder = finished.run.directory.path
        print_summary(console, finished.summary, finished.calls, folder, quiet=self.request.quiet)


def planned_load(request: Request, load: Load, scenarios: int) -> Planned:
    """Returns what run.json stores of a load's plan; `scenarios` is their number."""
    plan = load.plan
    pace = Pace(plan.most(scenarios), plan.total(scenarios) or 0, plan.rate_per_min, 1)
    own = {
        "load": json.loads(plan.model_dump_json(exclude_none=True)),
        "weights": list(load.weights),
        "call_duration_s": request.call_duration_s,
        "session_rate_per_min": request.session_rate_per_min,
    }
    return Planned(pace, own)


def work(request: Request, load: Load, watcher: StatusLine) -> int:
    """Runs a worker: makes calls for a master elsewhere, which has the run. Returns the exit code.

    Raises:
        HarnessError: A scenario or a fixture cannot be used.
    """

    async def main(signals: Signals) -> int:
        scenarios = await make_ready(request, watcher.say)
        async with LoadRun(request, load, scenarios, watcher.say) as loading:
            processes = "1 process" if load.processes == 1 else f"{load.processes} processes"
            warn_of_machine(watcher.say, None)
            watcher.say(f"a worker for the master at {load.host}:{load.port}: {processes}")
            loaded = await Loading(loading.order, load.processes, watcher.say, watcher.status).run(signals)
        return EXIT_INTERRUPTED if signals.received else loaded.exit_code

    return run_interruptible(main)
