"""The expectation `calls_tool`: held, failed or undecided, and what a run makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from made import barge_in, call, greeting, judged, scenario, threshold, turn

from harness.errors import UsageError
from harness.judge.expectations import judge_call
from harness.judge.thresholds import check_possible
from harness.judge.tool_calls import FAILED_CALL, NO_TOOL_CALLS, unreported
from harness.judge.verdict import judge_run
from harness.record.result import CallResult, ExpectationResult, TurnResult
from harness.record.summary import Ending, Summary
from harness.record.unfit import Doubt


def tool(name: str = "book_table", *, ok: bool = True, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments, "result": None, "ms": 12.0, "ok": ok, "at_ms": 6000.0}


def expecting(wanted: Any, *turns: TurnResult, **values: Any) -> CallResult:
    """A call of these turns, of each of which these tools are expected."""
    step: dict[str, dict[str, Any]] = {"say": {"say": "x"}, "type": {"type": "x"}}
    step["barge_in"] = {"say": "x", "barge_in": "1s"}
    steps = [{**step[one.kind], "expect": {"calls_tool": wanted}} for one in turns]
    return judged(call(*turns, **values), scenario(*steps))


def first(wanted: Any, *turns: TurnResult, **values: Any) -> ExpectationResult:
    return expecting(wanted, *turns, **values).turns[0].expectations[0]


@pytest.mark.parametrize("made", [turn, barge_in, lambda **values: turn(kind="type", **values)])
def test_it_holds_in_a_turn_with_a_call_of_that_name(made: Any) -> None:
    found = expecting("book_table", made(tool_calls=[tool("other"), tool()]))
    assert [(one.expect, one.limit, one.outcome, one.why) for one in found.turns[0].expectations] == [
        ("calls_tool", "book_table", "held", "")
    ]
    assert found.turns[0].expectations[0].place == "s.yaml:turns.0.expect.calls_tool"
    assert found.ok


def test_a_call_that_failed_is_a_call_and_says_so() -> None:
    failed = first("book_table", turn(tool_calls=[tool(ok=False)]))
    assert (failed.outcome, failed.why) == ("held", FAILED_CALL)
    again = first("book_table", turn(tool_calls=[tool(ok=False), tool()]))
    assert (again.outcome, again.why) == ("held", "")


def test_of_a_list_each_tool_is_an_expectation_of_its_own() -> None:
    found = expecting(["a", "b"], turn(tool_calls=[tool("b")]))
    assert [(one.limit, one.outcome) for one in found.turns[0].expectations] == [("a", "failed"), ("b", "held")]
    assert not found.ok


@pytest.mark.parametrize(
    ("turns", "values", "why"),
    [
        ([turn(tool_calls=[tool("a"), tool("b"), tool("a")])], {}, "the agent called a, b instead"),
        ([turn(), turn(2, tool_calls=[tool()])], {}, "it was not called in this turn, but in turn 2"),
        (
            [turn(), turn(2, tool_calls=[tool()])],
            {"greeting": greeting().model_copy(update={"tool_calls": turn(tool_calls=[tool()]).tool_calls})},
            "it was not called in this turn, but before turn 1 and in turn 2",
        ),
        ([turn(), turn(2, tool_calls=[tool("other")])], {}, "the agent called no tool in this turn"),
        ([turn()], {"stray_tool_calls": 1}, "the agent called no tool in this turn"),
    ],
)
def test_it_fails_where_the_agent_reports_its_calls_and_has_none_of_that_name(
    turns: list[TurnResult], values: dict[str, Any], why: str
) -> None:
    found = first("book_table", *turns, **values)
    assert (found.outcome, found.why, found.by_agent) == ("failed", why, False)


def test_it_is_undecided_where_no_tool_call_came_in_the_whole_call() -> None:
    found = expecting("book_table", turn(), turn(2), junk_tool_frames=2, other_tool_frames=1)
    assert [(one.outcome, one.why, one.by_agent) for _, one in found.expectations()] == [
        ("undecided", NO_TOOL_CALLS, True)
    ] * 2
    assert found.ok


@pytest.mark.parametrize(
    ("arguments", "found", "outcome"),
    [
        ({"table": 4}, {"table": 4}, "held"),
        ({"table": 4}, {"table": "4", "day": "today"}, "held"),
        ({"table": 4}, {"table": 4.0}, "held"),
        ({"table": "04"}, {"table": 4}, "held"),
        ({"table": 4}, {"table": 5}, "failed"),
        ({"table": 4}, {"table": None}, "failed"),
        ({"table": 1}, {"table": True}, "failed"),
        ({"table": 4}, {}, "failed"),
        ({"guest": "ann  lee"}, {"guest": "Ann Lee"}, "held"),
        ({"outside": True}, {"outside": True}, "held"),
        ({"outside": True}, {"outside": False}, "failed"),
        ({"outside": True, "table": 4}, {"outside": True}, "failed"),
        ({"rows": "[1, 2]"}, {"rows": [1, 2]}, "held"),
        ({}, {"table": 4}, "held"),
    ],
)
def test_the_arguments_that_are_given_must_be_in_the_call(
    arguments: dict[str, Any], found: dict[str, Any], outcome: str
) -> None:
    judged_one = first({"name": "book_table", "arguments": arguments}, turn(tool_calls=[tool(**found)]))
    assert judged_one.outcome == outcome
    assert judged_one.limit.startswith("book_table")
    if outcome == "failed":
        assert judged_one.why.startswith("it was called with {")


def test_any_call_of_the_turn_may_have_the_arguments() -> None:
    wanted = {"name": "book_table", "arguments": {"table": 5}}
    found = first(wanted, turn(tool_calls=[tool(table=4), tool(table=5)]))
    assert (found.limit, found.outcome) == ('book_table {"table": "5"}', "held")


def test_in_a_turn_at_which_we_were_late_a_missing_call_is_not_the_agents_fault() -> None:
    late = first("book_table", turn(fit=False, tool_calls=[tool("other")]))
    assert (late.outcome, "what the agent heard" in late.why, late.by_agent) == ("undecided", True, False)
    assert first("other", turn(fit=False, tool_calls=[tool("other")])).outcome == "held"
    doubtful = turn(doubtful=[Doubt(kind="older_answer", detail="it may be the greeting")])
    assert first("book_table", doubtful).why == NO_TOOL_CALLS


def test_a_barge_in_that_was_not_exercised_is_no_pass_with_and_without_tool_calls() -> None:
    silent = {"exercised": False, "stop_ms": None, "agent_stop_ms": None}
    reported = expecting("book_table", barge_in(tool_calls=[tool()], **silent))
    assert [(one.expect, one.outcome) for _, one in reported.expectations()] == [("calls_tool", "failed")]
    unreported = expecting("book_table", barge_in(**silent))
    outcomes = [(one.expect, one.outcome) for _, one in unreported.expectations()]
    assert outcomes == [("exercised", "failed"), ("calls_tool", "undecided")]
    assert not unreported.ok


def test_calls_without_a_tool_call_are_decided_if_the_agent_reported_one_in_another_call() -> None:
    reporting = expecting("book_table", turn(tool_calls=[tool()]))
    silent, of_another_agent = expecting("book_table", turn()), expecting("book_table", turn(), agent="other")
    expecting_nothing = judged(call(turn()), scenario({"say": "x"}))
    assert unreported([silent, of_another_agent]) == []
    assert unreported([reporting, silent, of_another_agent, expecting_nothing]) == [silent]
    script = scenario({"say": "x", "expect": {"calls_tool": "book_table"}})
    again = judge_call(silent, script, lambda *keys: "", reports_tool_calls=True)
    assert [(one.outcome, one.why) for _, one in again.expectations()] == [
        ("failed", "the agent called no tool in this turn")
    ]
    assert again.ok is False
    late = judge_call(call(turn(fit=False)), script, lambda *keys: "", reports_tool_calls=True)
    assert [one.outcome for _, one in late.expectations()] == ["undecided"]


def verdict(*calls: CallResult, limit: str | None = None) -> Summary:
    limits = [threshold("expectations.failed{expect:calls_tool}", limit)] if limit else []
    return judge_run(calls, limits, target="t", ending=Ending())


def test_a_threshold_on_its_share_decides_and_excuses_its_failures() -> None:
    calls = [expecting("book_table", turn(tool_calls=[tool(name)])) for name in ("book_table",) * 3 + ("other",)]
    assert verdict(*calls).exit_code == 1
    assert verdict(*calls, limit="rate<20%").exit_code == 1
    excused = verdict(*calls, limit="rate<=25%")
    assert (excused.exit_code, excused.excused) == (0, {"expectation calls_tool book_table": 1})
    assert excused.expectations["calls_tool"].failed == 1


@pytest.mark.parametrize("limit", [None, "rate<1%", "count<1"])
def test_a_service_that_reports_no_tool_calls_is_not_blamed_and_the_run_has_not_passed(limit: str | None) -> None:
    summary = verdict(*(expecting("book_table", turn()) for _ in range(3)), limit=limit)
    assert summary.exit_code == 4
    assert f"expectation calls_tool book_table was never decided: {NO_TOOL_CALLS}" in [
        str(reason.what) for reason in summary.reasons
    ]
    assert {reason.code for reason in summary.reasons} == {4}
    assert summary.expectations["calls_tool"].undecided == 3


def test_a_threshold_on_it_needs_a_step_that_expects_it() -> None:
    limits = [threshold("expectations.failed{expect:calls_tool}", "rate<1%")]
    check_possible(limits, [scenario({"say": "x", "expect": {"calls_tool": "a"}})])
    with pytest.raises(UsageError, match="no scenario of this run can give a sample"):
        check_possible(limits, [scenario({"say": "x"})])


def test_with_another_failure_the_undecided_ones_do_not_change_the_verdict() -> None:
    open_one = expecting("book_table", turn(), failure="agent.left")
    assert verdict(open_one).exit_code == 1
    assert verdict(open_one, limit="rate<1%").exit_code == 1
