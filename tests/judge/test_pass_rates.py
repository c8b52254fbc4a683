"""Pass rates: how many calls must pass, which failures that excuses, and what too few calls come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made import barge_in, call, greeting, judged, scenario, threshold, turn, wait

from harness.errors import SeveralErrors, UsageError
from harness.failures import FailureKind
from harness.judge.enough_calls import check_enough_calls
from harness.judge.pass_rates import Script
from harness.judge.verdict import judge_run
from harness.metrics.pass_rates import least_calls, lower_bound, wilson_interval
from harness.record.result import CallResult, FailureSeen
from harness.record.summary import Ending, PassRateResult, Summary
from harness.record.unfit import Doubt, Unfit
from harness.scenario.load import load_scenario
from harness.scenario.model import Scenario

LATE = Unfit(kind="packet_late", figure=120)
OLDER = Doubt(kind="older_answer", detail="it may be the greeting")
AFTER_SILENCE = Doubt(kind="late_answer", detail="it may be the answer to turn 1")
TTFA = {"say": "x", "expect": {"ttfa": {"limit": "<500ms", "pass": "9/10"}}}
IN_A_TURN = {"say": "x", "expect": {"ttfa": "<500ms", "pass": "9/10"}}
PLAIN = {"say": "x", "expect": {"ttfa": "<500ms"}}
ALL_LEVELS = [
    pytest.param(scenario(PLAIN, **{"pass": "9/10"}), id="scenario"),
    pytest.param(scenario(IN_A_TURN), id="turn"),
    pytest.param(scenario(TTFA), id="expectation"),
]


def verdict(calls: Sequence[CallResult], script: Scenario, *thresholds: Any, strict: bool = False) -> Summary:
    scripts = {script.name: Script(script)}
    return judge_run(calls, thresholds, target="t", ending=Ending(), scripts=scripts, strict=strict)


def fast(script: Scenario, count: int = 1, **values: Any) -> list[CallResult]:
    return [judged(call(turn(ttfa_ms=400.0), **values), script) for _ in range(count)]


def slow(script: Scenario, count: int = 1) -> list[CallResult]:
    return [judged(call(turn(ttfa_ms=900.0)), script) for _ in range(count)]


def unfit(script: Scenario, count: int = 1) -> list[CallResult]:
    return [judged(call(turn(fit=False, unfit_why=[LATE])), script) for _ in range(count)]


def silent(script: Scenario, kind: FailureKind = "agent.no_reply", number: int = 1) -> CallResult:
    """A call in which that happened in that turn."""
    turns = [turn(each, ttfa_ms=None if each == number else 400.0) for each in range(1, len(script.turns) + 1)]
    seen = FailureSeen(kind=kind, what="no voice", turn=number)
    return judged(call(*turns, ok=False, failure=kind, failures=[seen]), script)


def only(summary: Summary) -> PassRateResult:
    (found,) = [each for each in summary.pass_rates if each.limit is not None]
    return found


def reasons(summary: Summary) -> list[tuple[int, str]]:
    return [(reason.code, str(reason.what)) for reason in summary.reasons]


# -- k of n ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ALL_LEVELS)
@pytest.mark.parametrize(
    ("passed", "failed", "code"),
    [(10, 0, 0), (9, 1, 0), (8, 2, 1), (0, 10, 1), (27, 3, 0), (26, 4, 1), (14, 1, 0), (13, 2, 1)],
)
def test_of_the_decided_calls_k_of_n_must_pass_scaled_to_all_of_them(
    script: Scenario, passed: int, failed: int, code: int
) -> None:
    summary = verdict(fast(script, passed) + slow(script, failed), script)
    assert summary.exit_code == code
    result = only(summary)
    assert (result.passed, result.decided, result.undecided, result.ok) == (passed, passed + failed, 0, code == 0)
    assert (result.low, result.high) == pytest.approx(wilson_interval(passed, passed + failed), abs=1e-4)
    assert summary.calls.failed == failed, "a call that failed is told, excused or not"


@pytest.mark.parametrize("script", ALL_LEVELS)
def test_a_pass_rate_that_held_excuses_its_failures_and_says_so(script: Scenario) -> None:
    summary = verdict(fast(script, 9) + slow(script), script)
    assert (summary.reasons, summary.excused) == ([], {"expectation ttfa <500ms": 1})


@pytest.mark.parametrize("script", ALL_LEVELS)
def test_a_pass_rate_that_was_missed_excuses_nothing(script: Scenario) -> None:
    summary = verdict(fast(script, 7) + slow(script, 3), script)
    assert summary.excused == {}
    name = only(summary).name
    assert reasons(summary) == [
        (1, "expectation ttfa <500ms"),
        (1, f"pass rate of {name}: 7 of 10 calls passed; needed: 9/10"),
    ]


def test_the_names_of_what_must_pass_say_where_it_is() -> None:
    script = scenario(
        {"wait": "1s", "expect": {"agent_silent": True, "pass": "1/1"}},
        {"wait": "1s", "expect": {"agent_silent": {"limit": True, "pass": "1/1"}}},
        {"say": "x", "expect": {"reply": {"contains": ["nine", "open"], "pass": "1/1"}, "pass": "1/1"}},
        {"wait": "1s", "expect": {"agent_speaks": {"limit": "<900ms", "pass": "1/1"}}},
        greeting={"within": {"limit": "<2s", "pass": "1/1"}, "pass": "1/1"},
        **{"pass": "1/1"},
    )
    waits = [wait(None, after_turn=0), wait(None, after_turn=0), wait(500.0)]
    made = judged(call(turn(), greeting=greeting(), waits=waits), script)
    summary = verdict([made], script)
    assert [(each.of, each.ok) for each in summary.pass_rates] == [
        ("", True),
        ("greeting", True),
        ("greeting within", True),
        ("wait after greeting", True),
        ("wait 2 after greeting agent_silent", True),
        ("turn 1", True),
        ("turn 1 reply", True),
        ("wait after turn 1 agent_speaks", True),
    ]
    assert summary.exit_code == 0


@pytest.mark.parametrize("kept", ["warm_up", "canary"])
def test_calls_that_are_in_no_number_are_in_no_pass_rate(kept: str) -> None:
    script = scenario(TTFA)
    apart = [each.model_copy(update={kept: True}) for each in slow(script, 5)]
    assert only(verdict([*fast(script, 10), *apart], script)).decided == 10


def test_of_a_call_that_was_made_again_only_the_last_one_counts() -> None:
    script = scenario(TTFA)
    replaced = slow(script)[0].model_copy(update={"call": "0009-x"})
    again = fast(script, retry_of="0009-x")
    assert only(verdict([replaced, *again, *fast(script, 9)], script)).passed == 10


def test_a_cut_call_says_nothing() -> None:
    script = scenario(TTFA)
    cut = judged(call(turn(ttfa_ms=900.0), turn(2, cut=True), cut=True, ok=None), script)
    assert only(verdict([*fast(script, 10), cut], script)).undecided == 0


def test_a_call_that_loops_its_turns_counts_once() -> None:
    script = scenario(TTFA)
    looped = judged(call(*[turn(number, ttfa_ms=900.0 if number == 3 else 400.0) for number in range(1, 6)]), script)
    result = only(verdict([looped, *fast(script, 9)], script))
    assert (result.passed, result.decided) == (9, 10)


# -- what is not decided ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ALL_LEVELS)
def test_too_few_calls_that_we_could_measure_are_4_and_with_strict_1(script: Scenario) -> None:
    calls = fast(script, 9) + unfit(script)
    summary = verdict(calls, script)
    assert (summary.exit_code, only(summary).ok, only(summary).undecided) == (4, None, 1)
    name = only(summary).name
    told = f"pass rate of {name}: only 9 of the 10 calls that it needs were decided; needed: 9/10"
    assert reasons(summary) == [(4, told)]
    assert reasons(verdict(calls, script, strict=True)) == [(1, told)]
    assert verdict([*calls, *fast(script)], script).exit_code == 0


def test_calls_that_failed_already_decide_whatever_the_others_would_have_said() -> None:
    script = scenario(TTFA)
    summary = verdict(fast(script, 5) + slow(script, 2) + unfit(script), script)
    assert (summary.exit_code, only(summary).ok) == (1, False)
    # 2 of 8 failed; had the 12 others passed, 18 of 20 would have.
    few_unfit = verdict(fast(script, 6) + slow(script, 2) + unfit(script, 12), script)
    assert (few_unfit.exit_code, only(few_unfit).ok) == (4, None)


def test_what_the_agents_doing_left_undecided_is_explained_by_its_failures() -> None:
    script = scenario(PLAIN, TTFA)
    left = FailureSeen(kind="agent.left", what="it left", turn=1, ended=True)
    gone = judged(call(turn(ttfa_ms=400.0), ok=False, failure="agent.left", failures=[left]), script)
    both = [judged(call(turn(ttfa_ms=400.0), turn(2, ttfa_ms=400.0)), script) for _ in range(9)]
    summary = verdict([*both, gone], script)
    assert (reasons(summary), only(summary).undecided) == ([(1, "agent.left")], 1)
    excused = verdict([*both, gone], script, threshold("calls.failed", "rate<=0.1"))
    assert (excused.exit_code, reasons(excused)[0][1].startswith("pass rate of x turn 2 ttfa: only 9")) == (4, True)
    doubtful = judged(call(turn(ttfa_ms=400.0), turn(2, ttfa_ms=400.0, doubtful=[AFTER_SILENCE])), script)
    assert verdict([*both, doubtful], script).exit_code == 4


@pytest.mark.parametrize("script", ALL_LEVELS)
@pytest.mark.parametrize(("kind", "code"), [("session.timeout", 3), ("room.lost", 3), ("harness.bug", 4)])
def test_a_call_that_the_service_or_we_lost_is_no_failure_of_the_agent(
    script: Scenario, kind: FailureKind, code: int
) -> None:
    summary = verdict([*fast(script, 10), call(failure=kind)], script)
    assert (summary.exit_code, only(summary).ok, only(summary).undecided) == (code, True, 1)


def test_an_expectation_that_failed_because_the_room_was_lost_decides_nothing() -> None:
    script = scenario(TTFA)
    lost = silent(script, "room.lost")
    assert lost.turns[0].expectations[0].outcome == "failed"
    summary = verdict([*fast(script, 10), lost], script)
    assert (only(summary).decided, [code for code, _ in reasons(summary)]) == (10, [3])


def test_a_silence_at_which_we_were_late_is_undecided() -> None:
    script = scenario({"say": "x", "expect": {"pass": "9/10"}})
    late = silent(script)
    late.failures[0].fit = False
    summary = verdict([*fast(script, 9), late], script)
    assert (only(summary).ok, only(summary).undecided, summary.exit_code) == (None, 1, 4)


# -- which failures count for what -----------------------------------------------------------------------------------


def test_a_turns_pass_rate_covers_that_it_is_answered() -> None:
    script = scenario({"say": "x", "expect": {"pass": "9/10"}}, {"say": "y"})
    ok = [judged(call(turn(), turn(2)), script) for _ in range(9)]
    summary = verdict([*ok, silent(script)], script)
    assert (summary.exit_code, summary.excused, only(summary).passed) == (0, {"agent.no_reply": 1}, 9)
    other_turn = verdict([*ok, silent(script, number=2)], script)
    assert (other_turn.exit_code, only(other_turn).passed) == (1, 10)


def test_a_greetings_pass_rate_covers_that_there_is_one() -> None:
    script = scenario({"say": "x"}, greeting={"within": "<2s", "pass": "9/10"})
    seen = FailureSeen(kind="agent.no_greeting", what="none came")
    mute = call(turn(), ok=False, failure="agent.no_greeting", failures=[seen], greeting=greeting(None))
    ok = [judged(call(turn(), greeting=greeting()), script) for _ in range(9)]
    summary = verdict([*ok, judged(mute, script)], script)
    assert (summary.exit_code, only(summary).passed) == (0, 9)


def test_a_scenarios_pass_rate_covers_all_that_the_agent_does_in_a_call() -> None:
    script = scenario(PLAIN, **{"pass": "8/10"})
    summary = verdict([*fast(script, 8), *slow(script), call(failure="agent.never_joined")], script)
    assert (summary.exit_code, summary.excused) == (0, {"agent.never_joined": 1, "expectation ttfa <500ms": 1})


def test_a_failure_of_which_no_list_was_kept_is_not_excused() -> None:
    script = scenario(PLAIN, **{"pass": "9/10"})
    bare = call(turn(), ok=False, failure="agent.no_reply")
    bare.failures = []
    assert verdict([*fast(script, 9), bare], script).exit_code == 1


def test_the_innermost_pass_rate_alone_decides_about_what_it_covers() -> None:
    strict_call = scenario({"say": "x", "expect": {"ttfa": {"limit": "<500ms", "pass": "8/10"}}}, **{"pass": "10/10"})
    summary = verdict(fast(strict_call, 8) + slow(strict_call, 2), strict_call)
    assert [(each.of, each.passed, each.ok) for each in summary.pass_rates] == [
        ("", 10, True),
        ("turn 1 ttfa", 8, True),
    ]
    assert summary.exit_code == 0
    lenient_call = scenario({"say": "x", "expect": {"ttfa": {"limit": "<500ms", "pass": "9/10"}}}, **{"pass": "1/10"})
    summary = verdict(fast(lenient_call, 8) + slow(lenient_call, 2), lenient_call)
    assert (summary.exit_code, summary.excused) == (1, {})


def test_a_failure_that_ended_the_script_leaves_the_rest_of_the_call_open() -> None:
    script = scenario({"say": "x", "expect": {"pass": "9/10"}}, PLAIN, **{"pass": "9/9"})
    left = FailureSeen(kind="agent.left", what="it left", turn=1, ended=True)
    gone = judged(call(turn(), ok=False, failure="agent.left", failures=[left]), script)
    ok = [judged(call(turn(), turn(2, ttfa_ms=400.0)), script) for _ in range(9)]
    summary = verdict([*ok, gone], script)
    assert [(each.of, each.passed, each.undecided, each.ok) for each in summary.pass_rates] == [
        ("", 9, 1, True),
        ("turn 1", 9, 0, True),
    ]
    assert (summary.exit_code, summary.excused) == (0, {"agent.left": 1})


def test_each_tool_may_have_its_own_pass_rate() -> None:
    tools = [{"name": "menu"}, {"name": "book", "pass": "1/2"}]
    script = scenario({"say": "x", "expect": {"calls_tool": tools}})

    def calling(*names: str) -> CallResult:
        return judged(call(turn(tool_calls=[{"name": name} for name in names])), script)

    half = verdict([calling("menu", "book"), calling("menu")], script)
    assert (half.exit_code, only(half).of, only(half).passed) == (0, "turn 1 calls_tool book", 1)
    assert verdict([calling("menu", "book"), calling("book")], script).exit_code == 1


def test_a_barge_in_that_met_a_silent_agent_is_a_failure_of_its_turn() -> None:
    script = scenario({"say": "x"}, {"say": "y", "barge_in": "1s", "expect": {"pass": "1/2"}})
    met = judged(call(turn(), barge_in(2)), script)
    missed = judged(call(turn(), barge_in(2, exercised=False, stop_ms=None)), script)
    summary = verdict([met, missed], script)
    assert (summary.exit_code, only(summary).passed, only(summary).decided) == (0, 1, 2)


def test_thresholds_and_pass_rates_excuse_side_by_side() -> None:
    script = scenario(PLAIN, {"say": "y", "expect": {"ttfa": {"limit": "<500ms", "pass": "1/2"}}})
    calls = [judged(call(turn(ttfa_ms=first), turn(2, ttfa_ms=400.0)), script) for first in (400.0, 900.0)]
    assert verdict(calls, script).exit_code == 1
    assert verdict(calls, script, threshold("expectations.failed", "rate<=0.5")).exit_code == 0


# -- flicker and failure ---------------------------------------------------------------------------------------------


def test_what_sometimes_passes_is_told_apart_from_what_never_does() -> None:
    script = scenario(PLAIN, {"say": "y", "expect": {"ttfa": "<500ms"}})
    calls = [
        judged(call(turn(ttfa_ms=first), turn(2, ttfa_ms=900.0)), script) for first in (400.0, 400.0, 900.0, 400.0)
    ]
    summary = verdict(calls, script)
    assert [(str(reason.what), reason.count, reason.pattern) for reason in summary.reasons] == [
        ("expectation ttfa <500ms", 4, "failure"),
        ("expectation ttfa <500ms", 1, "flicker"),
    ]
    assert [(each.of, each.limit, each.passed, each.pattern) for each in summary.pass_rates] == [
        ("", None, 0, "failure"),
        ("turn 1 ttfa", None, 3, "flicker"),
        ("turn 2 ttfa", None, 0, "failure"),
    ]


def test_a_kind_of_failure_flickers_unless_each_call_fails_by_it() -> None:
    script = scenario(PLAIN)

    def patterns(*calls: CallResult) -> list[str | None]:
        return [reason.pattern for reason in verdict(calls, script).reasons]

    silence, unreached = call(failure="agent.no_reply"), call(failure="session.timeout")
    assert patterns(silence) == [None]
    assert patterns(silence, *fast(script)) == ["flicker"]
    assert patterns(silence, silence) == ["failure"]
    assert patterns(silence, unreached) == [None, None], "a call that did not reach the agent says nothing of it"
    assert patterns(unreached, *fast(script)) == ["flicker"]


def test_one_call_has_no_pattern_and_a_run_without_failures_no_rate() -> None:
    script = scenario(PLAIN)
    one = verdict(slow(script), script)
    assert ([reason.pattern for reason in one.reasons], one.pass_rates) == ([None], [])
    assert verdict(fast(script, 3), script).pass_rates == []


def test_a_pass_rate_without_one_decided_call_has_no_interval() -> None:
    script = scenario(TTFA)
    result = only(verdict(unfit(script, 2), script))
    assert (result.decided, result.low, result.high) == (0, None, None)


# -- a rate with a confidence ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passed", "failed", "code"), [(29, 0, 0), (45, 1, 0), (44, 1, 1), (29, 1, 1), (28, 0, 4), (26, 2, 1)]
)
def test_a_rate_must_be_shown_with_its_confidence(passed: int, failed: int, code: int) -> None:
    script = scenario(PLAIN, **{"pass": {"rate": 0.9, "confidence": "95%"}})
    undecided = unfit(script, max(0, 29 - passed - failed))
    summary = verdict(fast(script, passed) + slow(script, failed) + undecided, script)
    assert summary.exit_code == code
    result = only(summary)
    assert (result.limit, result.needed) == ("rate 0.9 with confidence 0.95", 29)
    assert result.bound == pytest.approx(lower_bound(passed, passed + failed, 0.95), abs=1e-4)


def test_a_rate_that_was_not_shown_says_what_was() -> None:
    script = scenario(PLAIN, **{"pass": {"rate": 0.5, "confidence": 0.95}})
    summary = verdict(fast(script, 5) + slow(script, 2), script)
    assert reasons(summary)[1][1] == (
        "pass rate of x: 5 of 7 calls passed, which shows a rate of 0.341; needed: rate 0.5 with confidence 0.95"
    )


def test_the_statistics_are_the_published_ones() -> None:
    # Wilson: Newcombe, Stat. Med. 17 (1998), table I, methods 3: 81/263, 15/148, 0/20 and 1/29.
    for (passed, of), bounds in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson_interval(passed, of) == pytest.approx(bounds, abs=1e-4)
    assert lower_bound(0, 0, 0.95) == lower_bound(0, 9, 0.95) == 0
    # If all pass, the exact bound is the n-th root of 1 - confidence.
    assert [least_calls(rate, 0.95) for rate in (0.5, 0.9, 0.95, 0.99)] == [5, 29, 59, 299]
    assert least_calls(0.1, 0.5) == 1


# -- before the run --------------------------------------------------------------------------------------------------


def test_a_plan_that_cannot_reach_its_pass_rates_is_refused_with_all_of_them(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "pass: {rate: 0.9}\ngreeting: {within: {limit: 2s, pass: 9/10}}\n"
        "turns:\n  - say: hello\n    expect: {ttfa: 2s, pass: 1/2, calls_tool: [{name: a, pass: 3/4}]}\n"
    )
    loaded = load_scenario(file)
    check_enough_calls([loaded], {"s": 29})
    with pytest.raises(SeveralErrors) as caught:
        check_enough_calls([loaded], {"s": 3})
    told = [(str(each.where).removeprefix(f"{tmp_path}/"), each.what) for each in caught.value.errors]
    planned = ", but 3 calls of s are planned"
    assert told == [
        ("s.yaml:1:1", f"pass rate 0.9 with confidence 0.95 of s needs at least 29 calls, all of which pass{planned}"),
        ("s.yaml:2:32", f"pass 9/10 of s greeting within needs at least 10 decided calls{planned}"),
        ("s.yaml:5:35", f"pass 3/4 of s turn 1 calls_tool a needs at least 4 decided calls{planned}"),
    ]
    with pytest.raises(UsageError, match="but 1 call of s is planned"):
        check_enough_calls([loaded], {"s": 1})


def test_a_capacity_search_judges_no_pass_rate() -> None:
    script = scenario(TTFA)
    summary = judge_run(
        slow(script, 3), [], target="t", ending=Ending(decided=[]), scripts={"x": Script(script, {"a": "b"})}
    )
    assert (summary.pass_rates, summary.exit_code) == ([], 0)


def test_a_pass_rate_says_where_it_is_written() -> None:
    script = scenario(TTFA, {"say": "y", "expect": {"calls_tool": {"name": "a", "pass": "1/2"}}}, **{"pass": "1/2"})
    places = {"pass": "s.yaml:1:1", "turns.0.expect.ttfa.pass": "s.yaml:2:9", "turns.1.expect.calls_tool": "s.yaml:3:9"}
    calls = [judged(call(turn(), turn(2)), script)]
    summary = judge_run(calls, [], target="t", ending=Ending(), scripts={"x": Script(script, places)})
    assert [each.place for each in summary.pass_rates] == ["s.yaml:1:1", "s.yaml:2:9", "s.yaml:3:9"]
