"""A load over its time: TTFA, calls alive and failures, from the first call on, drawn and as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from harness.record.result import CallResult, FailureSeen, TurnResult
from harness.record.settings import RunSettings
from harness.report.shown.over_time import MOST_DOTS, MOST_SLICES, MOST_STEPS, OverTime, over_time
from tests.report.sample_run import bare_settings

BEGAN = datetime(2030, 1, 1, 23, 59, 50, tzinfo=UTC)
LOAD = bare_settings(load={"stages": [[10, 5]]})


def call(number: int, start_s: float, lasts_s: float = 10, ttfa_ms: float | None = 800, **more: Any) -> CallResult:
    turns = []
    if ttfa_ms is not None:
        turns = [TurnResult(turn=1, kind="say", text="x", ttfa_ms=ttfa_ms, agent_onset_ms=4850)]
    return CallResult(
        call=f"{number:04}-x",
        scenario="x",
        started=(BEGAN + timedelta(seconds=start_s)).isoformat(),
        duration_ms=lasts_s * 1000,
        session_create_ms=100,
        room_connect_ms=50,
        **{"ok": True, "turns": turns, **more},
    )


def failed(number: int, start_s: float, kind: str = "session.rate_limited") -> CallResult:
    seen = [FailureSeen(kind=kind, what="no", ended=True)]
    return call(number, start_s, 1, None, ok=False, failure=kind, failures=seen)


def shown_of(calls: list[CallResult], settings: RunSettings | None = None) -> OverTime:
    found = over_time(LOAD if settings is None else settings, calls)
    assert found is not None
    return found


def test_each_stretch_of_time_has_its_numbers() -> None:
    calls = [call(0, 0), call(1, 2), call(2, 20, ttfa_ms=1600), failed(3, 25), failed(4, 25.5, "agent.left")]
    found = shown_of(calls)
    slices = {each.from_s: each for each in found.slices}
    assert {each.until_s - each.from_s for each in found.slices} == {1.0}
    assert (slices[0].alive, slices[0].turns, slices[0].p50_ms, slices[0].failures) == (1, 0, None, {})
    assert (slices[5].alive, slices[5].turns, slices[5].p50_ms, slices[5].p95_ms) == (2, 1, 800, 800)
    assert slices[7].turns == 1
    assert slices[15].alive == 0
    assert (slices[25].alive, slices[25].turns, slices[25].p50_ms) == (3, 1, 1600)
    assert slices[26].failures == {"session.rate_limited": 1, "agent.left": 1}
    assert found.words.replace("\xa0", " ") == (
        "5 calls in 30.0 s, at most 3 at once; TTFA p50 800 ms of 3 turns "
        "(800 ms in the first half of the time, 1,600 ms in the second); 2 calls failed"
    )


def test_a_dot_a_turn_lies_at_the_time_of_its_answer() -> None:
    dots = shown_of([call(0, 0), call(1, 90)]).dots
    assert dots.at_s == [5, 95]
    assert dots.ttfa_ms == [800, 800]
    assert list(zip(dots.call, dots.turn, strict=True)) == [("0000-x", 1), ("0001-x", 1)]


def test_very_many_turns_are_told_by_percentiles_of_slices_alone() -> None:
    calls = [call(number, number / 100, ttfa_ms=500 + number % 100) for number in range(MOST_DOTS + 1)]
    found = shown_of(calls)
    assert found.dots.at_s == []
    assert len(found.slices) <= MOST_SLICES
    assert sum(each.turns for each in found.slices) == len(calls)
    told = [(each.p50_ms, each.p95_ms) for each in found.slices if each.p50_ms is not None and each.p95_ms is not None]
    assert all(p50 <= p95 for p50, p95 in told)


def test_what_is_in_no_percentile_is_in_no_dot_but_alive() -> None:
    doubtful = [TurnResult(turn=1, kind="say", text="x", ttfa_ms=5, agent_onset_ms=1, doubtful=["whose?"])]
    late = [TurnResult(turn=1, kind="say", text="x", ttfa_ms=5, agent_onset_ms=1, fit=False)]
    calls = [
        call(0, 0, warm_up=True),
        call(1, 0, canary=True),
        call(2, 0, turns=doubtful),
        call(3, 0, turns=late),
        call(4, 0),
        call(5, 0, retry_of="0004-x"),
    ]
    found = shown_of(calls)
    assert found.dots.call == ["0005-x"]
    assert found.slices[0].alive == 6


def test_the_number_of_calls_alive_keeps_its_highest_and_ends_at_none_however_many_there_were() -> None:
    calls = [call(number, number * 0.01, 0.02) for number in range(5000)]
    calls += [call(5000 + number, 20, 0.005) for number in range(40)]
    found = shown_of(calls)
    assert found.alive[-1] == 0
    assert max(found.alive) >= 41
    assert len(found.alive) == len(found.alive_at_s) <= MOST_STEPS + 2
    assert found.alive_at_s == sorted(found.alive_at_s)


def test_a_load_of_any_size_and_a_run_of_more_than_ten_calls_have_it() -> None:
    ten = [call(number, number) for number in range(10)]
    assert over_time(LOAD, ten[:1]) is not None
    assert over_time(bare_settings(), ten) is None
    assert over_time(bare_settings(), [*ten, call(10, 10)]) is not None
    assert over_time(LOAD, []) is None
    assert over_time(LOAD, [CallResult(call="a", scenario="x", started="", ok=None, cut=True)]) is None


def test_a_load_in_which_every_call_failed_has_its_failures() -> None:
    found = shown_of([failed(number, number) for number in range(12)])
    assert found.dots.at_s == []
    assert sum(sum(each.failures.values()) for each in found.slices) == 12


def test_the_warm_up_is_told() -> None:
    settings = bare_settings(load={"warm_up_s": 3.0})
    assert shown_of([call(0, 0), call(1, 5)], settings).warm_up_s == 3
