"""Who runs when: slots, rates, stopping at a failure, interrupting, dropping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from harness.clock import NS_PER_S
from harness.record.result import CallResult, TurnResult, standing
from harness.record.role import ORDINARY, Role
from harness.run.pacing import Pace, plan_pace
from harness.run.slots import Outcome, Runner, Wanted
from harness.testing import FakeClock
from tests.hand_clock import HandClock, settle
from tests.prepared import prepared


@dataclass(eq=False)
class MadeCall:
    """A call that lasts until the test ends it, or a time."""

    call: str
    scenario: str
    started_ns: int
    role: Role = ORDINARY
    end: asyncio.Event = field(default_factory=asyncio.Event)
    ok: bool | None = True
    late: bool = False

    async def make(self) -> CallResult:
        await self.end.wait()
        cut = self.ok is None
        turns = [TurnResult(turn=1, kind="type", text="x", fit=not self.late)]
        return CallResult(
            call=self.call, scenario=self.scenario, started="", ok=self.ok, cut=cut, turns=turns, **asdict(self.role)
        )

    def cut(self) -> None:
        self.ok = None
        self.end.set()

    def finish(self, *, ok: bool = True) -> None:
        self.ok = ok
        self.end.set()


@dataclass
class Bench:
    """A runner, its calls in the order of their start, and what was told of their ends."""

    pace: Pace
    scenarios: tuple[str, ...] = ("a",)
    stop_at_failure: bool = False
    retry_unfit: int = 0
    instant: Mapping[int, bool] | None = None
    is_aborted: Callable[[], bool] = lambda: False
    other: tuple[str, ...] | None = None
    decided_at: int | None = None
    looks: list[tuple[int, bool, int]] = field(default_factory=list)
    clock: HandClock = field(default_factory=HandClock)
    calls: list[MadeCall] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    most_alive: int = 0

    def __post_init__(self) -> None:
        self.runner = Runner(
            [prepared(name) for name in self.scenarios],
            self.pace,
            start=self._start,
            other=None if self.other is None else [prepared(name) for name in self.other],
            look=self._look,
            ended=lambda result: self.told.append(result.call),
            clock=self.clock,
            stop_at_failure=self.stop_at_failure,
            retry_unfit=self.retry_unfit,
            again=self.rounds.append,
            is_aborted=self.is_aborted,
        )
        self.running: asyncio.Task[Outcome] | None = None

    def _start(self, wanted: Wanted) -> MadeCall:
        made = MadeCall(wanted.call, wanted.scenario.loaded.name, self.clock.now_ns(), wanted.role)
        self.calls.append(made)
        self.most_alive = max(self.most_alive, self.runner.alive + 1)
        if self.instant is not None:
            made.finish(ok=self.instant.get(len(self.calls), True))
        return made

    async def _look(self, number: int, is_last: bool) -> bool:
        assert self.runner.alive == 0
        self.looks.append((number, is_last, len(self.calls)))
        return self.decided_at is not None and number >= self.decided_at

    @property
    def in_turns(self) -> list[tuple[str, int | None]]:
        return [(call.role.side, call.role.block) for call in self.calls]

    async def begin(self) -> None:
        self.running = asyncio.create_task(self.runner.run())
        await settle()

    async def outcome(self) -> Outcome:
        assert self.running is not None
        return await asyncio.wait_for(self.running, 5)


def closed(slots: int, *, repeat: int = 1, scenarios: int = 1) -> Pace:
    return Pace(slots, slots * repeat * scenarios, None, repeat)


def open_pace(total: int, rate_per_min: float, *, cap: int | None = None) -> Pace:
    return Pace(cap, total, rate_per_min, 1)


# -- what could not be measured --------------------------------------------------------------------------------------


async def test_what_was_unfit_is_called_again_by_itself_and_so_many_times_at_most() -> None:
    bench = Bench(closed(2), retry_unfit=2)
    await bench.begin()
    bench.calls[0].late = True
    for call in bench.calls[:2]:
        call.finish()
    await settle()
    assert [call.call for call in bench.calls[2:]] == ["0003-a"]
    bench.calls[2].late = True
    bench.calls[2].finish()
    await settle()
    bench.calls[3].late = True
    bench.calls[3].finish()
    outcome = await bench.outcome()
    assert [(result.call, result.retry_of) for result in outcome.results] == [
        ("0001-a", None),
        ("0002-a", None),
        ("0003-a", "0001-a"),
        ("0004-a", "0003-a"),
    ]
    assert bench.rounds == [1, 1]
    assert [result.call for result in standing(outcome.results)] == ["0002-a", "0004-a"]


async def test_without_being_asked_nothing_is_called_again_nor_once_it_is_interrupted() -> None:
    for retry_unfit, interrupted in ((0, False), (2, True)):
        bench = Bench(closed(1), retry_unfit=retry_unfit)
        await bench.begin()
        bench.calls[0].late = True
        if interrupted:
            bench.runner.stop()
        bench.calls[0].finish()
        await bench.outcome()
        assert len(bench.calls) == 1


# -- slots -----------------------------------------------------------------------------------------------------------


async def test_each_slot_runs_the_list_of_scenarios_as_often_as_asked() -> None:
    bench = Bench(closed(2, repeat=2, scenarios=2), ("a", "b"), instant={})
    await bench.begin()
    outcome = await bench.outcome()
    assert [call.scenario for call in bench.calls].count("a") == 4
    assert [call.scenario for call in bench.calls].count("b") == 4
    assert sorted({result.call for result in outcome.results}) == sorted(bench.told)
    assert len(set(bench.told)) == 8, "every call has its own id"
    assert bench.calls[0].call == "0001-a"


async def test_a_slot_starts_its_next_call_when_its_own_has_ended() -> None:
    bench = Bench(closed(2, repeat=2))
    await bench.begin()
    assert (len(bench.calls), bench.runner.alive) == (2, 2)
    bench.calls[1].finish()
    await settle()
    assert (len(bench.calls), bench.runner.alive) == (3, 2)
    bench.calls[2].finish()
    bench.calls[0].finish()
    await settle()
    bench.calls[3].finish()
    outcome = await bench.outcome()
    assert (len(outcome.results), bench.most_alive) == (4, 2)
    assert bench.told[0] == "0002-a", "results come in the order in which the calls end"


# -- a rate ----------------------------------------------------------------------------------------------------------


async def test_calls_at_a_rate_start_on_time_whatever_runs() -> None:
    bench = Bench(open_pace(4, 30), ("a", "b"))
    await bench.begin()
    await bench.clock.passed(10)
    assert [call.started_ns / NS_PER_S for call in bench.calls] == [0, 2, 4, 6]
    assert [call.scenario for call in bench.calls] == ["a", "b", "a", "b"]
    for call in bench.calls:
        call.finish()
    outcome = await bench.outcome()
    assert (len(outcome.results), outcome.dropped) == (4, 0)


async def test_what_exceeds_the_cap_is_dropped_and_not_made_up_for() -> None:
    bench = Bench(open_pace(6, 60, cap=2))
    await bench.begin()
    await bench.clock.passed(2.5)
    assert (len(bench.calls), bench.runner.outcome.dropped) == (2, 1)
    bench.calls[0].finish()
    await bench.clock.passed(10)
    outcome_so_far = bench.runner.outcome
    assert (len(bench.calls), outcome_so_far.dropped) == (3, 3)
    for call in bench.calls:
        call.finish()
    outcome = await bench.outcome()
    assert (len(outcome.results), outcome.dropped, bench.most_alive) == (3, 3, 2)


# -- stopping --------------------------------------------------------------------------------------------------------


async def test_at_the_first_failure_nothing_more_starts_and_running_calls_finish_and_count() -> None:
    bench = Bench(closed(2, repeat=3), stop_at_failure=True)
    await bench.begin()
    bench.calls[0].finish(ok=False)
    await settle()
    assert len(bench.calls) == 2
    bench.calls[1].finish()
    outcome = await bench.outcome()
    assert [result.ok for result in outcome.results] == [False, True]
    assert not outcome.interrupted


async def test_at_the_first_failure_a_rate_stops_without_waiting_for_the_next_start() -> None:
    bench = Bench(open_pace(10, 1), stop_at_failure=True, instant={1: False})
    await bench.begin()
    outcome = await bench.outcome()
    assert (len(outcome.results), outcome.dropped) == (1, 0)


async def test_an_aborted_run_starts_no_more_calls_and_running_ones_finish() -> None:
    aborted: list[bool] = []
    bench = Bench(closed(2, repeat=3), is_aborted=lambda: bool(aborted))
    await bench.begin()
    aborted.append(True)
    bench.calls[0].finish()
    await settle()
    assert len(bench.calls) == 2
    bench.calls[1].finish()
    outcome = await bench.outcome()
    assert ([result.ok for result in outcome.results], outcome.interrupted) == ([True, True], False)


async def test_a_rate_is_aborted_at_the_next_start_and_what_was_not_started_is_not_dropped() -> None:
    bench = Bench(open_pace(10, 60), is_aborted=lambda: len(bench.calls) == 3)
    await bench.begin()
    await bench.clock.passed(20)
    for call in bench.calls:
        call.finish()
    outcome = await bench.outcome()
    assert (len(outcome.results), outcome.dropped) == (3, 0)


async def test_a_run_that_has_started_all_its_calls_is_not_aborted_any_more() -> None:
    asked: list[int] = []

    def is_aborted() -> bool:
        asked.append(len(bench.calls))
        return len(bench.calls) == 2

    bench = Bench(closed(1, repeat=2), is_aborted=is_aborted, instant={}, retry_unfit=1)
    await bench.begin()
    await bench.outcome()
    assert (len(bench.calls), asked) == (2, [0, 1, 1])


async def test_without_x_a_failure_stops_nothing() -> None:
    bench = Bench(closed(1, repeat=3), instant={1: False})
    await bench.begin()
    assert len((await bench.outcome()).results) == 3


@pytest.mark.parametrize("pace", [closed(2, repeat=3), open_pace(6, 600)], ids=["slots", "rate"])
async def test_an_interrupt_cuts_what_runs_and_keeps_every_result(pace: Pace) -> None:
    bench = Bench(pace)
    await bench.begin()
    await bench.clock.passed(0.15)
    assert len(bench.calls) == 2
    bench.calls[0].finish()
    await settle()
    bench.runner.interrupt()
    outcome = await bench.outcome()
    started = len(bench.calls)
    assert outcome.interrupted
    assert len(outcome.results) == started < 6
    assert [result.cut for result in outcome.results] == [False] + [True] * (started - 1)
    assert bench.runner.alive == 0


async def test_a_graceful_stop_lets_running_calls_finish() -> None:
    bench = Bench(closed(1, repeat=3))
    await bench.begin()
    bench.runner.stop()
    bench.calls[0].finish()
    outcome = await bench.outcome()
    assert ([result.ok for result in outcome.results], outcome.interrupted) == ([True], False)


async def test_a_watcher_that_raises_is_not_swallowed() -> None:
    def fail(_: CallResult) -> None:
        raise OSError("the terminal is gone")

    def start(wanted: Wanted) -> Any:
        made = MadeCall(wanted.call, wanted.scenario.loaded.name, 0)
        made.finish()
        return made

    ended: Callable[[CallResult], None] = fail
    runner = Runner([prepared("a")], closed(1), start=start, ended=ended, clock=FakeClock())
    with pytest.raises(OSError, match="terminal"):
        await runner.run()


# -- two versions in turns -------------------------------------------------------------------------------------------


def in_turns(slots: int, *, repeat: int) -> Pace:
    return Pace(slots, slots * repeat * 2, None, repeat, versions=2)


async def test_two_versions_are_called_in_turns_and_the_first_of_a_block_alternates() -> None:
    bench = Bench(in_turns(1, repeat=3), other=("a",), instant={})
    await bench.begin()
    outcome = await bench.outcome()
    assert bench.in_turns == [
        *(("baseline", 0), ("run", 0)),
        *(("run", 1), ("baseline", 1)),
        *(("baseline", 2), ("run", 2)),
    ]
    assert [result.side for result in outcome.results] == [call.role.side for call in bench.calls]


async def test_slots_begin_with_different_versions_and_blocks_are_of_one_scenario() -> None:
    bench = Bench(Pace(2, 8, None, 1, versions=2), scenarios=("a", "b"), other=("a", "b"))
    await bench.begin()
    assert bench.in_turns == [("baseline", 0), ("run", 1)]
    for number in range(8):
        bench.calls[number].finish()
        await settle()
    await bench.outcome()
    blocks: dict[int | None, list[tuple[str, str]]] = {}
    for call in bench.calls:
        blocks.setdefault(call.role.block, []).append((call.role.side, call.scenario))
    assert all(sorted(block) in ([("baseline", x), ("run", x)] for x in "ab") for block in blocks.values())
    assert len(blocks) == 4


async def test_each_version_has_its_own_scenario() -> None:
    bench = Bench(in_turns(1, repeat=1), scenarios=("mine",), other=("theirs",), instant={})
    await bench.begin()
    await bench.outcome()
    assert [(call.role.side, call.scenario) for call in bench.calls] == [("baseline", "theirs"), ("run", "mine")]


async def test_a_call_that_is_made_again_stays_in_its_block_and_on_its_side() -> None:
    bench = Bench(in_turns(1, repeat=1), other=("a",), retry_unfit=1)
    await bench.begin()
    bench.calls[0].late = True
    for number in range(3):
        bench.calls[number].finish()
        await settle()
    outcome = await bench.outcome()
    assert [(result.side, result.block, result.retry_of) for result in outcome.results] == [
        ("baseline", 0, None),
        ("run", 0, None),
        ("baseline", 0, "0001-a"),
    ]


async def test_a_failed_call_of_the_other_version_stops_nothing() -> None:
    bench = Bench(in_turns(1, repeat=2), other=("a",), stop_at_failure=True, instant={1: False})
    await bench.begin()
    await bench.outcome()
    assert len(bench.calls) == 4


async def test_at_a_rate_the_versions_alternate_too() -> None:
    pace = plan_pace(scenarios=1, calls=None, repeat=1, rate_per_min=60, duration_s=3, versions=2)
    assert pace.total == 4  # both of the last pair
    bench = Bench(pace, other=("a",), instant={})
    await bench.begin()
    await bench.clock.passed(3)
    await bench.outcome()
    assert bench.in_turns == [("baseline", 0), ("run", 0), ("run", 1), ("baseline", 1)]


# -- until enough is known -------------------------------------------------------------------------------------------


def until_decided(**options: Any) -> Pace:
    return plan_pace(scenarios=1, calls=2, repeat=None, rate_per_min=None, duration_s=None, versions=2, **options)


def test_the_looks_are_planned_by_calls_a_side() -> None:
    pace = until_decided(max_sessions=100)
    assert (pace.looks, pace.calls_at_looks, pace.total) == ((5, 10, 25), (10, 20, 50), 100)


async def test_calls_are_made_until_a_look_says_that_enough_is_known() -> None:
    bench = Bench(until_decided(max_sessions=100), other=("a",), instant={}, decided_at=2)
    await bench.begin()
    await bench.outcome()
    assert bench.looks == [(1, False, 20), (2, False, 40)]


async def test_undecided_calls_end_at_the_most_sessions() -> None:
    bench = Bench(until_decided(max_sessions=60), other=("a",), instant={})
    await bench.begin()
    await bench.outcome()
    assert [calls for _, _, calls in bench.looks] == [20, 40, 60]
    assert len(bench.calls) == 60


async def test_when_the_time_is_over_the_look_is_the_last() -> None:
    bench = Bench(until_decided(max_sessions=100, max_time_s=60), other=("a",))
    await bench.begin()
    await bench.clock.passed(61)
    for call in bench.calls[:2]:
        call.finish()
    await bench.outcome()
    assert bench.looks == [(1, True, 2)]
