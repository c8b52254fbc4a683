"""Runs the calls of a pace from one event loop and passes on each result as its call ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.caller.prepare import Prepared
from harness.clock import NS_PER_S, Clock
from harness.record.call_id import call_id
from harness.record.result import CallResult, standing
from harness.record.role import ORDINARY, Role
from harness.run.pacing import Pace
from harness.timeline.events import Side

_log = logging.getLogger(__name__)


class RunningCall(Protocol):
    """A call that can be made once, and cut while it is running."""

    async def make(self) -> CallResult:
        """Makes the call and returns its result; never raises."""
        ...

    def cut(self) -> None:
        """Ends the call early, on request."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call to make.

    Attributes:
        call: Its id.
        scenario: Its scenario, as prepared for the version to call.
        due_ns: When to start it (monotonic ns); None for now.
        role: What it is in the run.
    """

    call: str
    scenario: Prepared
    due_ns: int | None = None
    role: Role = ORDINARY


# Creates a call, ready to be made.
StartCall = Callable[[Wanted], RunningCall]
# Called at a planned look with its number, from 1, and whether no more calls will follow: whether to stop.
TakeLook = Callable[[int, bool], Awaitable[bool]]


async def _never(number: int, is_last: bool) -> bool:
    del number, is_last
    return False


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
        other: The same scenarios as prepared for another version, to call both in turns; None to call one.
        look: Called at the planned looks, while no call is running.
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
        other: Sequence[Prepared] | None = None,
        look: TakeLook = _never,
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
        self._versions: dict[Side, Sequence[Prepared]] = {"run": scenarios}
        if other is not None:
            self._versions["baseline"] = other
        self._look = look
        self._blocks = 0
        self._end_ns: int | None = None
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
        names = [scenario.loaded.name for scenario in self._scenarios]
        for result in results:
            if not self._stopping.is_set():
                await self._one(names.index(result.scenario), result.role, retry_of=result.call)

    async def _run_closed(self) -> None:
        """Runs the slots to each planned look, and stops at one that says so."""
        pace = self._pace
        if pace.max_time_s is not None:
            self._end_ns = self._clock.now_ns() + round(pace.max_time_s * NS_PER_S)
        done = 0
        for number, repeats in enumerate(pace.looks or (pace.repeat,), start=1):
            rounds = range(done, repeats)
            await asyncio.gather(*(self._slot(slot, rounds) for slot in range(pace.slots or 1)))
            done = repeats
            # At the end, look at what there is, also when a failure or a signal ended it.
            if pace.looks and (await self._look(number, self._must_stop()) or self._must_stop()):
                break

    async def _slot(self, slot: int, rounds: range) -> None:
        for number in rounds:
            for scenario in range(len(self._scenarios)):
                block = self._next_block()
                for side in self._sides(slot + number * len(self._scenarios) + scenario):
                    if self._must_stop():
                        return
                    await self._one(scenario, Role(side=side, block=block))

    def _sides(self, turn: int) -> Sequence[Side]:
        """Returns the versions to call in this turn, in order.

        The order alternates from turn to turn (A B, B A, …), so that neither version is always the first after the
        other, and from slot to slot, so that at any time both are called.
        """
        if "baseline" not in self._versions:
            return ("run",)
        return ("baseline", "run") if turn % 2 == 0 else ("run", "baseline")

    def _next_block(self) -> int | None:
        """Returns the number of the next block, from 0; None if only one version is called."""
        if "baseline" not in self._versions:
            return None
        self._blocks += 1
        return self._blocks - 1

    def _plan_open(self) -> Iterator[tuple[int, Role]]:
        """Yields the scenario (its index) and the role of each call."""
        for turn in range(self._pace.total // self._pace.versions):
            block = self._next_block()
            for side in self._sides(turn):
                yield turn % len(self._scenarios), Role(side=side, block=block)

    async def _run_open(self) -> None:
        start_ns = self._clock.now_ns()
        tasks: set[asyncio.Task[None]] = set()
        for index, (scenario, role) in enumerate(self._plan_open()):
            due_ns = start_ns + self._pace.due_ns(index)
            if not await self._wait_until(due_ns) or self._must_stop():
                break
            if self._pace.slots is not None and len(self._running) >= self._pace.slots:
                self.outcome.dropped += 1
                continue
            task = asyncio.create_task(self._one(scenario, role, due_ns))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(0)  # let the call start, so that it counts towards the cap
        if tasks:
            await asyncio.gather(*tasks)

    def _must_stop(self) -> bool:
        """Returns whether to start no more calls; asks whether the run is aborted if any are left."""
        is_left = self._started + self.outcome.dropped < self._pace.total
        is_over = self._end_ns is not None and self._clock.now_ns() >= self._end_ns
        if is_left and not self._stopping.is_set() and (is_over or self._is_aborted()):
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

    async def _one(self, index: int, role: Role, due_ns: int | None = None, *, retry_of: str | None = None) -> None:
        self._started += 1
        scenario = self._versions[role.side][index]
        call = self._start(Wanted(call_id(self._started, scenario.loaded.name), scenario, due_ns, role))
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
        if self._stop_at_failure and result.ok is False and role.counts:
            self.stop()
        self._must_stop()


def _both(*waits: Awaitable[object]) -> set[asyncio.Future[object]]:
    return {asyncio.ensure_future(wait) for wait in waits}
