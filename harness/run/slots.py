"""Runs the calls of a pace from one event loop and passes on each result as its call ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.caller.prepare import Prepared
from harness.clock import Clock
from harness.record.call_id import call_id
from harness.record.result import CallResult, standing
from harness.run.pacing import Pace

_log = logging.getLogger(__name__)


class RunningCall(Protocol):
    """A call that can be made once, and cut while it is running."""

    async def make(self) -> CallResult:
        """Makes the call and returns its result; never raises."""
        ...

    def cut(self) -> None:
        """Ends the call early, on request."""
        ...


# Takes the call's id, its scenario, and when to start it (monotonic ns; None: now).
StartCall = Callable[[str, Prepared, int | None], RunningCall]


@dataclass
class Outcome:
    """The outcome of a run: its results, the number of dropped calls, and whether it was interrupted."""

    results: list[CallResult] = field(default_factory=list)
    dropped: int = 0
    interrupted: bool = False


class Runner:
    """Runs a pace's calls over scenarios.

    Args:
        scenarios: The scenarios, in the order in which each slot runs them.
        pace: How many calls to make, and when.
        start: Creates a call, ready to be made.
        ended: Called with each result as its call ends.
        clock: The clock.
        keep: Saves a result, before `ended` is called.
        again: Called before each round of retries, with their number.
        stop_at_failure: Whether to start no more calls after the first failed one; running calls finish.
        retry_unfit: How many times at most to retry a call that could not be measured.
        is_aborted: Asked before each call and after it, while calls are left to start: whether to start no more.
    """

    def __init__(
        self,
        scenarios: Sequence[Prepared],
        pace: Pace,
        *,
        start: StartCall,
        ended: Callable[[CallResult], None],
        clock: Clock,
        keep: Callable[[CallResult], Awaitable[None]] | None = None,
        again: Callable[[int], None] = lambda count: None,
        stop_at_failure: bool = False,
        retry_unfit: int = 0,
        is_aborted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_aborted = is_aborted
        self._scenarios = scenarios
        self._pace = pace
        self._start = start
        self._ended = ended
        self._keep = keep
        self._again = again
        self._retry_unfit = retry_unfit
        self._clock = clock
        self._stop_at_failure = stop_at_failure
        self._running: set[RunningCall] = set()
        self._stopping = asyncio.Event()
        self._started = 0
        self.outcome = Outcome()

    @property
    def alive(self) -> int:
        """The number of running calls."""
        return len(self._running)

    def stop(self) -> None:
        """Starts no more calls; running calls finish."""
        self._stopping.set()

    def interrupt(self) -> None:
        """Starts no more calls and cuts the running ones; their results are kept and marked as cut."""
        self.outcome.interrupted = True
        self.stop()
        for call in list(self._running):
            call.cut()

    async def run(self) -> Outcome:
        """Runs all calls; after a stop, returns when the running calls have ended."""
        await (self._run_open() if self._pace.is_open else self._run_closed())
        for _ in range(self._retry_unfit):
            unsure = [result for result in standing(self.outcome.results) if result.may_be_made_again]
            if not unsure or self._stopping.is_set():
                break
            self._again(len(unsure))
            await self._run_again(unsure)
        return self.outcome

    async def _run_again(self, results: Sequence[CallResult]) -> None:
        """Retries one call at a time: without others running, it may be measurable."""
        by_name = {scenario.loaded.name: scenario for scenario in self._scenarios}
        for result in results:
            if not self._stopping.is_set():
                await self._one(by_name[result.scenario], retry_of=result.call)

    async def _run_closed(self) -> None:
        slots = [self._slot() for _ in range(self._pace.slots or 1)]
        await asyncio.gather(*slots)

    async def _slot(self) -> None:
        for _ in range(self._pace.repeat):
            for scenario in self._scenarios:
                if self._must_stop():
                    return
                await self._one(scenario)

    async def _run_open(self) -> None:
        start_ns = self._clock.now_ns()
        tasks: set[asyncio.Task[None]] = set()
        for index in range(self._pace.total):
            due_ns = start_ns + self._pace.due_ns(index)
            if not await self._wait_until(due_ns) or self._must_stop():
                break
            if self._pace.slots is not None and len(self._running) >= self._pace.slots:
                self.outcome.dropped += 1
                continue
            task = asyncio.create_task(self._one(self._scenarios[index % len(self._scenarios)], due_ns))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(0)  # let the call start, so that it counts towards the cap
        if tasks:
            await asyncio.gather(*tasks)

    def _must_stop(self) -> bool:
        """Returns whether to start no more calls; asks whether the run is aborted if any are left."""
        is_left = self._started + self.outcome.dropped < self._pace.total
        if is_left and not self._stopping.is_set() and self._is_aborted():
            self.stop()
        return self._stopping.is_set()

    async def _wait_until(self, due_ns: int) -> bool:
        """Waits until the time; returns False if the run was stopped first."""
        stopped = asyncio.ensure_future(self._stopping.wait())
        slept = asyncio.ensure_future(self._clock.sleep_until_ns(due_ns))
        try:
            await asyncio.wait(_both(stopped, slept), return_when=asyncio.FIRST_COMPLETED)
            return not self._stopping.is_set()
        finally:
            stopped.cancel()
            slept.cancel()

    async def _one(self, scenario: Prepared, due_ns: int | None = None, *, retry_of: str | None = None) -> None:
        self._started += 1
        call = self._start(call_id(self._started, scenario.loaded.name), scenario, due_ns)
        self._running.add(call)
        try:
            result = await call.make()
            result.retry_of = retry_of
            if self._keep is not None:
                await self._keep(result)
        finally:
            self._running.discard(call)
        self.outcome.results.append(result)
        self._ended(result)
        if self._stop_at_failure and result.ok is False:
            self.stop()
        self._must_stop()


def _both(*waits: Awaitable[object]) -> set[asyncio.Future[object]]:
    return {asyncio.ensure_future(wait) for wait in waits}
