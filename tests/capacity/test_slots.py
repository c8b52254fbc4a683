"""So many calls at once: who is started when, for how long, and again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from harness.caller.prepare import Prepared
from harness.capacity.judge_hold import Made
from harness.capacity.lengths import Lengths
from harness.capacity.slots import FAILED_A_SLOT, Slots
from harness.clock import NS_PER_S
from harness.record.result import CallResult
from harness.run.mix import Mix
from tests.hand_clock import HandClock, settle
from tests.judge.made import call, turn
from tests.prepared import prepared

LENGTHS = Lengths(gap_s=0.5, set_up_s=5.0, window_s=20.0)


class Calls:
    """Calls that last as long as they are told, or are refused at once; each leaves the head of its timeline."""

    def __init__(self, folder: Path, *, refused: bool = False, call_duration_s: float | None = None) -> None:
        self.clock = HandClock()
        self.folder = folder
        self.refused = refused
        self.started: list[tuple[str, float, float]] = []
        self.ended: list[CallResult] = []
        self.alive = 0
        self.most_alive = 0
        self.slots = Slots(
            self.start,
            [prepared("a"), prepared("b")],
            Mix((1.0, 1.0)),
            timeline=lambda name: folder / f"{name}.jsonl",
            ended=self.ended.append,
            clock=self.clock,
            call_duration_s=call_duration_s,
        )

    def start(self, name: str, scenario: Prepared, lasts_s: float) -> OneCall:
        self.started.append((name, self.clock.now_ns() / NS_PER_S, lasts_s))
        return OneCall(self, name, scenario.loaded.name, lasts_s)

    async def hold(self, calls: int, seconds: float = 60) -> Made:
        held = asyncio.create_task(self.slots.hold(calls, LENGTHS, full=True))
        await settle()
        for _ in range(round(seconds)):
            await self.clock.passed(1)
        return await asyncio.wait_for(held, 5)


class OneCall:
    def __init__(self, calls: Calls, name: str, scenario: str, lasts_s: float) -> None:
        self.calls, self.name, self.scenario, self.lasts_s = calls, name, scenario, lasts_s
        self.was_cut = asyncio.Event()

    async def make(self) -> CallResult:
        calls = self.calls
        calls.alive += 1
        calls.most_alive = max(calls.most_alive, calls.alive)
        begun_ns = calls.clock.now_ns()
        refused = None if not calls.refused else "session.rate_limited"
        if not refused:
            event = {"event": "room.connected", "t": begun_ns}
            (calls.folder / f"{self.name}.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
            slept = asyncio.ensure_future(calls.clock.sleep_until_ns(begun_ns + round(self.lasts_s * NS_PER_S)))
            cut = asyncio.ensure_future(self.was_cut.wait())
            await asyncio.wait({slept, cut}, return_when=asyncio.FIRST_COMPLETED)
            cut.cancel()
        calls.alive -= 1
        taken = [turn(number + 1, started_ms=1000.0 * (number + 1)) for number in range(int(self.lasts_s))]
        return call(
            *([] if refused else taken),
            call=self.name,
            scenario=self.scenario,
            failure=refused,  # type: ignore[arg-type] # one of the kinds
            cut=self.was_cut.is_set(),
        )

    def cut(self) -> None:
        self.was_cut.set()


async def test_calls_start_one_after_the_other_and_end_together(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    made = await calls.hold(4)
    starts = [start for _, start, _ in calls.started]
    assert starts == [0, 0.5, 1.0, 1.5]
    assert [start + lasts for _, start, lasts in calls.started] == [25] * 4
    assert calls.most_alive == 4
    assert [name for name, _, _ in calls.started] == ["0001-a", "0002-b", "0003-a", "0004-b"]
    assert made.window.from_ns == 2.5 * NS_PER_S, "the last began to talk a second after it was connected"
    assert made.window.until_ns == 25 * NS_PER_S


async def test_each_hold_has_calls_of_its_own_with_ids_of_their_own(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    first = await calls.hold(2)
    second = await calls.hold(3)
    names = [timed.result.call for made in (first, second) for timed in made.calls]
    assert len(set(names)) == 5
    assert calls.most_alive == 3


async def test_short_calls_follow_one_another_in_their_slot(tmp_path: Path) -> None:
    calls = Calls(tmp_path, call_duration_s=10)
    made = await calls.hold(2)
    assert calls.most_alive == 2
    assert [lasts for _, _, lasts in calls.started] == [10, 10, 10, 10]
    assert [timed.first for timed in sorted(made.calls, key=lambda timed: timed.result.call)] == [True] * 2 + [
        False
    ] * 2


async def test_a_service_that_refuses_all_is_not_asked_without_end(tmp_path: Path) -> None:
    calls = Calls(tmp_path, refused=True)
    await calls.hold(2)
    assert len(calls.started) == 2 * FAILED_A_SLOT


async def test_a_hold_that_is_cut_ends_and_every_call_has_its_result(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    held = asyncio.create_task(calls.slots.hold(3, LENGTHS, full=True))
    await settle()
    await calls.clock.passed(0.7)
    calls.slots.cut()
    await asyncio.wait_for(held, 5)
    assert len(calls.ended) == len(calls.started) == 2, "the third was to start a second after the first"
    assert all(result.cut for result in calls.ended)
