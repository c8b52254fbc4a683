"""The verdict: which exit code, by which reasons, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest
from made import barge_in, call, judged, scenario, threshold, turn

from harness.errors import Place, UsageError
from harness.failures import FailureKind
from harness.judge.thresholds import Threshold, check_possible, scenario_thresholds
from harness.judge.verdict import judge_run
from harness.metrics.threshold import read_threshold
from harness.record.ran_out import RanOut
from harness.record.reason import InWords
from harness.record.result import CallResult, FailureSeen
from harness.record.summary import Ending, MetricSummary, RateSummary, Reason, Summary
from harness.record.unfit import Doubt, Unfit

LATE = Unfit(kind="packet_late", figure=120)
REPLIES = scenario({"say": "x", "expect": {"ttfa": "<2s", "reply": {"contains": "nine"}}})
SLOW = scenario({"say": "x", "expect": {"ttfa": "<500ms"}})


def verdict(calls: Sequence[CallResult], *thresholds: Threshold, ending: Ending | None = None) -> Summary:
    return judge_run(calls, thresholds, target="embedded", ending=ending or Ending())


def good(count: int = 1) -> list[CallResult]:
    return [call(turn()) for _ in range(count)]


def failed(kind: FailureKind, count: int = 1) -> list[CallResult]:
    return [call(failure=kind) for _ in range(count)]


def slow(count: int = 1) -> list[CallResult]:
    """Calls whose only fault is an expectation on ttfa that failed."""
    return [judged(call(turn()), SLOW) for _ in range(count)]


def fast(count: int = 1) -> list[CallResult]:
    """Calls of the same script, in which the expectation held."""
    return [judged(call(turn(ttfa_ms=400.0)), SLOW) for _ in range(count)]


def unfit(count: int) -> list[CallResult]:
    return [call(turn(fit=False, unfit_why=[LATE])) for _ in range(count)]


def test_all_well_is_0() -> None:
    summary = verdict(good(3))
    assert (summary.verdict, summary.exit_code, summary.reasons, summary.target) == ("pass", 0, [], "embedded")
    assert (summary.calls.total, summary.calls.ok, summary.calls.failed) == (3, 3, 0)


@pytest.mark.parametrize(
    ("kind", "code", "name"),
    [
        ("session.unauthorized", 3, "infrastructure"),
        ("session.timeout", 3, "infrastructure"),
        ("room.lost", 3, "infrastructure"),
        ("room.publish_failed", 3, "infrastructure"),
        ("agent.never_joined", 1, "fail"),
        ("agent.no_reply", 1, "fail"),
        ("agent.call_too_long", 1, "fail"),
        ("harness.bug", 4, "unfit"),
        ("harness.disk", 4, "unfit"),
    ],
)
def test_each_family_of_failures_has_its_code(kind: FailureKind, code: int, name: str) -> None:
    summary = verdict(good() + failed(kind))
    assert (summary.exit_code, summary.verdict) == (code, name)
    assert summary.failures == {kind: 1}
    assert any(kind in str(reason.what) and reason.code == code for reason in summary.reasons)


def test_a_failed_expectation_is_1() -> None:
    summary = verdict(good() + slow(2))
    assert (summary.exit_code, summary.calls.failed) == (1, 2)
    assert [(reason.code, str(reason.what), reason.count) for reason in summary.reasons] == [
        (1, "expectation ttfa <500ms", 2)
    ]
    assert summary.expectations["ttfa"].failed == 2


ACCIDENTS: dict[int, list[CallResult]] = {
    1: failed("agent.no_reply"),
    3: failed("session.timeout"),
    4: failed("harness.bug"),
}
ORDER = [130, 2, 4, 3, 1]


@pytest.mark.parametrize("codes", [pair for count in (2, 3, 4, 5) for pair in combinations(sorted(ORDER), count)])
def test_where_several_hold_the_order_decides_and_all_are_listed(codes: tuple[int, ...]) -> None:
    calls = [one for code in codes for one in ACCIDENTS.get(code, [])]
    extra = [Reason(code=2, what=InWords("a key is not set"))] if 2 in codes else []
    summary = verdict(calls, ending=Ending(interrupted=130 in codes, extra=extra))
    assert summary.exit_code == next(code for code in ORDER if code in codes)
    assert [reason.code for reason in summary.reasons] == [code for code in ORDER if code in codes]


def test_an_interrupted_run_is_130_and_cut_calls_are_outside_the_total() -> None:
    cut = call(turn(), cut=True, ok=None)
    summary = verdict([*good(2), cut], ending=Ending(interrupted=True))
    assert (summary.exit_code, summary.verdict) == (130, "interrupted")
    assert (summary.calls.total, summary.calls.ok, summary.calls.cut) == (2, 2, 1)
    assert summary.failures == {}


def test_a_run_in_which_no_call_could_start_is_3() -> None:
    assert verdict([]).exit_code == 3
    assert verdict(failed("session.unreachable", 3)).exit_code == 3
    assert verdict(failed("session.unreachable", 3), threshold("turn.ttfa", "max<2s")).exit_code == 3
    assert verdict(failed("session.unauthorized", 2), threshold("calls.failed", "count<=2")).exit_code == 3


@pytest.mark.parametrize(
    "limits", [[], [("turn.ttfa", "p(95)<2s")], [("calls.failed", "rate<0.1")], [("turn.ttfa", "count>=0")]]
)
def test_an_empty_run_is_3_whatever_was_asked_of_it(limits: list[tuple[str, str]]) -> None:
    asked = [Threshold(*read_threshold(*limit), "--threshold") for limit in limits]
    apart = [good()[0].model_copy(update={mark: True}) for mark in ("warm_up", "canary")]
    for calls in ([], apart):
        summary = verdict(calls, *asked)
        assert (summary.exit_code, [str(reason.what) for reason in summary.reasons]) == (3, ["no call could start"])
    excused = verdict(failed("session.unreachable", 2), *asked, threshold("calls.failed", "count<=2"))
    assert excused.exit_code == 3
    assert verdict([], *asked, ending=Ending(interrupted=True)).exit_code == 130


OLDER = Doubt(kind="older_answer", detail="it may be the greeting")
AFTER_SILENCE = Doubt(kind="late_answer", detail="it may be the answer to turn 1")


def test_what_an_agents_failures_left_open_is_no_pass_where_they_are_excused() -> None:
    open_ones = [judged(call(turn(ttfa_ms=1000.0, doubtful=[AFTER_SILENCE])), REPLIES) for _ in range(3)]
    assert verdict(open_ones).exit_code == 4
    excused = [*failed("agent.no_reply"), call(turn(doubtful=[AFTER_SILENCE]))]
    limits = (threshold("calls.failed", "rate<=60%"), threshold("turn.ttfa", "p(95)<2s"))
    assert verdict(excused, *limits).exit_code == 4


def test_turns_that_are_doubtful_without_a_failure_count_as_unfit_ones_do() -> None:
    assert verdict([*good(30), *(call(turn(doubtful=[OLDER])) for _ in range(30))]).exit_code == 4


def test_a_first_voice_that_was_too_late_is_a_failure_whosever_answer_it_is() -> None:
    late = judged(call(turn(ttfa_ms=3500.0, doubtful=[OLDER])), REPLIES)
    assert [each.outcome for _, each in late.expectations()] == ["failed", "held"]
    fast = judged(call(turn(ttfa_ms=300.0, doubtful=[OLDER])), REPLIES)
    assert fast.turns[0].expectations[0].outcome == "undecided"


@pytest.mark.parametrize("limit", ["count<1", "rate<1%"])
def test_a_count_of_no_fit_sample_is_no_pass(limit: str) -> None:
    late = [call(turn(fit=False, unfit_why=[LATE], talk_over_ms=0.0, interrupted=True))]
    assert verdict(late, threshold("turn.interrupted", limit)).exit_code == 4


def test_a_share_that_is_just_reached_is_held_whatever_its_decimals() -> None:
    calls = [*good(993), *failed("agent.no_reply", 7)]
    assert verdict(calls, threshold("calls.failed", "rate<=0.7%")).exit_code == 0


def test_a_cut_turn_counts_in_all_that_was_awaited() -> None:
    slow_cut = [call(turn(cut=True, ttfa_ms=None, awaited_ms=8800.0), cut=True, ok=None) for _ in range(20)]
    answered = [call(turn(first_sound_ms=1000.0, dead_air_ms=1000.0)) for _ in range(20)]
    for metric in ("turn.ttfa", "turn.first_sound", "turn.dead_air"):
        assert verdict([*answered, *slow_cut], threshold(metric, "p(95)<2s")).exit_code == 1


# -- thresholds ------------------------------------------------------------------------------------------------------


def test_a_threshold_on_failed_calls_alone_decides_about_them() -> None:
    calls = good(9) + failed("agent.no_reply")
    assert verdict(calls).exit_code == 1
    assert verdict(calls, threshold("calls.failed", "rate<=0.1")).exit_code == 0
    summary = verdict(calls, threshold("calls.failed", "rate<0.1"))
    assert summary.exit_code == 1
    assert any("threshold calls.failed" in str(reason.what) for reason in summary.reasons)
    assert summary.failures == {"agent.no_reply": 1}, "excused or not, it is told"


def test_a_threshold_on_failed_calls_excuses_infrastructure_as_well() -> None:
    calls = good(9) + failed("session.timeout")
    assert verdict(calls, threshold("calls.failed", "rate<=0.1")).exit_code == 0


def test_a_threshold_on_failed_calls_does_not_excuse_a_failed_expectation() -> None:
    assert verdict(good(9) + slow(), threshold("calls.failed", "rate<=0.99")).exit_code == 1


def test_a_threshold_of_another_scenario_excuses_nothing() -> None:
    calls = [*good(9), call(scenario="y"), call(failure="agent.no_reply", scenario="y")]
    assert verdict(calls, threshold("calls.failed{scenario:x}", "rate<0.5")).exit_code == 1
    assert verdict(calls, threshold("calls.failed{scenario:y}", "rate<=0.99")).exit_code == 0


def test_a_threshold_on_failed_expectations_alone_decides_about_those_of_its_tag() -> None:
    calls = fast(9) + slow()
    assert verdict(calls, threshold("expectations.failed", "rate<=0.99")).exit_code == 0
    assert verdict(calls, threshold("expectations.failed{expect:ttfa}", "rate<=0.99")).exit_code == 0
    assert verdict(calls, threshold("expectations.failed{expect:ttfa}", "count<1")).exit_code == 1
    script = scenario({"say": "x", "expect": {"reply": {"contains": "ten"}, "ttfa": "<500ms"}})
    both = [judged(call(turn()), script)]
    assert verdict(both, threshold("expectations.failed{expect:ttfa}", "rate<=0.99")).exit_code == 1


def test_a_threshold_on_expectations_does_not_excuse_a_failed_call() -> None:
    calls = fast(9) + failed("agent.no_reply")
    summary = verdict([*calls, *slow()], threshold("expectations.failed", "rate<=0.99"))
    assert summary.exit_code == 1
    assert [str(reason.what) for reason in summary.reasons] == ["agent.no_reply"]


def test_thresholds_judge_any_number_of_samples_from_one_on() -> None:
    summary = verdict(good(), threshold("turn.ttfa", "p(95)<2s"), threshold("turn.ttfa", "p(95)<900ms"))
    assert [(one.value, one.samples, one.ok) for one in summary.thresholds] == [(1000, 1, True), (1000, 1, False)]
    assert summary.exit_code == 1


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("min<2s", 100),
        ("max<2s", 400),
        ("avg<2s", 250),
        ("med<2s", 200),
        ("p(50)<2s", 200),
        ("p(90)<2s", 400),
        ("count<9", 4),
    ],
)
def test_each_aggregate(limit: str, value: float) -> None:
    calls = [call(turn(ttfa_ms=float(ttfa))) for ttfa in (100, 200, 300, 400)]
    assert verdict(calls, threshold("turn.ttfa", limit)).thresholds[0].value == pytest.approx(value)


def test_a_percentile_of_few_samples_does_not_pass_below_the_slowest_and_says_so() -> None:
    calls = [call(turn(ttfa_ms=float(ttfa))) for ttfa in (1000, 1100, 1200, 2400)]
    summary = verdict(calls, threshold("turn.ttfa", "p(95)<2s"))
    assert (summary.exit_code, summary.thresholds[0].value) == (1, 2400)
    assert summary.thresholds[0].why == "of 4 samples p(95) is the largest"


def cut_short(awaited_ms: float | None = None, **given: Any) -> CallResult:
    """A call that was cut in its second turn, after so long a wait for its reply."""
    return call(turn(), turn(2, cut=True, ttfa_ms=None, awaited_ms=awaited_ms, **given), cut=True, ok=None)


def test_calls_that_were_all_cut_pass_by_the_turns_that_had_ended() -> None:
    fast = threshold("turn.ttfa", "p(95)<2s")
    summary = verdict([cut_short(), cut_short()], fast)
    assert (summary.exit_code, summary.thresholds[0].samples) == (0, 2)
    assert verdict([cut_short(), cut_short()]).exit_code == 0


def test_calls_that_were_all_cut_say_nothing_of_how_many_fail() -> None:
    summary = verdict([cut_short(), cut_short()], threshold("calls.failed", "rate<0.1"))
    assert summary.exit_code == 4
    assert "every call was cut" in str(summary.reasons[0].what)
    before = verdict([call(turn(cut=True, ttfa_ms=None), cut=True, ok=None)] * 2)
    assert (before.exit_code, str(before.reasons[0].what)) == (4, "every call was cut before its first turn had ended")


def test_a_turn_that_was_cut_while_its_reply_was_awaited_hides_no_slow_one() -> None:
    """Eight replies within 1.7 s; two that had not come after 8.8 s when the calls were cut."""
    replied = [call(turn(ttfa_ms=1000.0 + 100 * number)) for number in range(8)]
    slow = [cut_short(8800.0), cut_short(8800.0)]
    summary = verdict(replied + slow, threshold("turn.ttfa", "p(95)<2s"))
    (result,) = summary.thresholds
    assert (summary.exit_code, result.ok, result.value) == (1, False, 8800)
    assert "2 turns of 12 cut while the reply was awaited" in result.why
    metric = summary.metrics["turn.ttfa"]
    assert isinstance(metric, MetricSummary)
    assert (metric.count, metric.censored, metric.max) == (12, 2, 8800)


def test_a_percentile_that_a_cut_wait_leaves_open_is_4() -> None:
    replied = [call(turn(ttfa_ms=1000.0)) for _ in range(8)]
    summary = verdict([*replied, cut_short(1500.0)], threshold("turn.ttfa", "p(95)<2s"))
    assert (summary.exit_code, summary.thresholds[0].ok) == (4, None)


def test_waits_that_were_cut_are_no_count() -> None:
    (result,) = verdict([cut_short(9000.0, kind="type")], threshold("turn.ttfa{kind:type}", "count<5")).thresholds
    assert (result.value, result.ok) == (0.0, True)


def test_one_that_was_cut_before_the_callers_end_counts_for_nothing() -> None:
    (result,) = verdict([*good(3), cut_short(None)], threshold("turn.ttfa", "p(95)<2s")).thresholds
    assert (result.samples, result.ok) == (4, True)


def test_what_was_expected_and_not_once_decided_is_4() -> None:
    late = [judged(call(turn(fit=False, unfit_why=[LATE])), SLOW)]
    summary = verdict(late)
    assert summary.exit_code == 4
    assert "expectation ttfa <500ms was never decided" in str(summary.reasons[0].what)
    decided = judged(call(turn(ttfa_ms=400.0)), SLOW)
    assert verdict([*late, decided]).exit_code == 0


def test_a_pass_says_what_its_thresholds_excused() -> None:
    summary = verdict(good(9) + failed("agent.no_reply"), threshold("calls.failed", "rate<=0.1"))
    assert (summary.exit_code, summary.excused) == (0, {"agent.no_reply": 1})
    summary = verdict(fast(9) + slow(), threshold("expectations.failed", "rate<=0.5"))
    assert (summary.exit_code, summary.excused) == (0, {"expectation ttfa <500ms": 1})


def test_infrastructure_decides_and_does_not_hide_what_the_agent_did() -> None:
    summary = verdict(slow(6) + failed("session.rate_limited"))
    assert (summary.verdict, summary.also) == ("infrastructure", ["fail"])


def test_the_cause_that_is_told_is_that_of_the_most_turns() -> None:
    buffered = [call(turn(fit=False, unfit_why=[Unfit(kind="buffer_grew", figure=100 + n)])) for n in range(5)]
    packets = [call(turn(fit=False, unfit_why=[Unfit(kind="packet_late", figure=130)])) for _ in range(2)]
    assert "mostly: the jitter buffer grew)" in str(verdict(buffered + packets).reasons[0].what)


def test_what_ran_out_is_counted_by_its_cause_whatever_its_figure() -> None:
    late = [Unfit(kind="read_late", figure=23)]
    disk = [call(turn(fit=False, unfit_why=late, ran_out=str(RanOut("disk", figure=90 + n)))) for n in range(3)]
    stolen = [call(turn(fit=False, unfit_why=late, ran_out=str(RanOut("stolen", figure=12)))) for _ in range(2)]
    what = str(verdict(stolen + disk).reasons[0].what)
    assert "what ran out: a write to disk took long)" in what


def test_a_threshold_with_a_tag_judges_its_own_turns() -> None:
    calls = [call(turn(), turn(2, kind="type", ttfa_ms=90.0))]
    (result,) = verdict(calls, threshold("turn.ttfa{kind:type}", "max<100ms")).thresholds
    assert (result.value, result.samples, result.ok) == (90, 1, True)


def test_without_a_sample_the_failures_that_took_them_decide() -> None:
    summary = verdict(failed("session.timeout", 2), threshold("turn.ttfa", "max<2s"))
    assert [str(reason.what) for reason in summary.reasons] == ["session.timeout"]
    assert summary.thresholds[0].ok is None


def test_a_gate_never_passes_without_a_sample() -> None:
    no_echo = [call(turn(kind="type"))]
    assert verdict(no_echo, threshold("turn.echo", "max<1s")).exit_code == 1
    excused, silent = threshold("calls.failed", "rate<=0.9"), [call(turn(ttfa_ms=None))]
    calls = failed("agent.no_reply", 5) + silent
    assert verdict(calls, excused, threshold("turn.ttfa", "max<2s")).exit_code == 1


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("turn.echo", "max<1s"),
        ("turn.ttfa{kind:type}", "max<1s"),
        ("turn.ttfa{scenario:other}", "max<1s"),
        ("bargein.stop", "max<1s"),
        ("greeting.ttfa", "max<1s"),
        ("expectations.failed{expect:wer}", "rate<0.1"),
        ("turn.wer{kind:barge_in}", "avg<0.1"),
    ],
)
def test_a_threshold_for_which_the_script_can_give_no_sample_is_a_usage_error(name: str, limit: str) -> None:
    script = scenario({"say": "x", "expect": {"ttfa": "<2s"}}, {"wait": "1s"}, greeting=False)
    with pytest.raises(UsageError, match="can give a sample") as caught:
        check_possible([threshold(name, limit)], [script])
    assert caught.value.where == Place("s.yaml", 1, 1)


@pytest.mark.parametrize("tag", ["", "{expect:within}", "{expect:contains}"])
def test_what_is_expected_of_the_greeting_alone_can_have_a_threshold(tag: str) -> None:
    greeted = scenario({"say": "x"}, greeting={"within": "2s", "reply": {"contains": "cafe"}})
    check_possible([threshold(f"expectations.failed{tag}", "rate<0.1")], [greeted])


def test_a_cough_that_the_agent_shall_ignore_gives_no_stop() -> None:
    cough = {"say": "cough", "barge_in": "1s", "expect": {"keeps_talking": True}}
    with pytest.raises(UsageError, match=r"bargein\.stop"):
        check_possible([threshold("bargein.stop", "max<1s")], [scenario({"say": "x"}, cough)])
    check_possible([threshold("bargein.stop", "max<1s")], [scenario({"say": "x"}, {"say": "y", "barge_in": "1s"})])


def test_a_false_stop_takes_a_cough_and_an_interruption_a_turn_that_owes_a_reply() -> None:
    cough = {"say": "cough", "barge_in": "1s", "expect": {"keeps_talking": True}}
    false_stop, interrupted = threshold("bargein.false_stop", "rate<0.1"), threshold("turn.interrupted", "rate<0.1")
    check_possible([false_stop, interrupted], [scenario({"say": "x"}, cough)])
    with pytest.raises(UsageError, match=r"bargein\.false_stop"):
        check_possible([false_stop], [scenario({"say": "x"}, {"say": "y", "barge_in": "1s"})])
    for metric, limit in (("turn.interrupted", "rate<0.1"), ("turn.talk_over", "max<1s")):
        with pytest.raises(UsageError, match=metric.replace(".", r"\.")):
            check_possible([threshold(metric, limit)], [scenario({"type": "x"})])
    with pytest.raises(UsageError, match=r"turn\.interrupted"):
        check_possible([threshold("turn.interrupted{kind:barge_in}", "rate<0.1")], [scenario({"say": "x"}, cough)])


@pytest.mark.parametrize("name", ["turn.ttfa_ear", "audio.jitter_buffer"])
def test_what_only_a_jitter_buffer_gives_is_no_threshold_on_engine_light(name: str) -> None:
    check_possible([threshold(name, "max<1s")], [scenario({"say": "x"})])
    with pytest.raises(UsageError, match="engine light gives no sample of"):
        check_possible([threshold(name, "max<1s")], [scenario({"say": "x"})], engine="light")


def test_a_level_is_judged_in_dbfs() -> None:
    quiet = call(turn(), media={"level_dbfs": -42.0, "loss": 0.02})
    levels = [threshold("audio.level_dbfs", "min>-35"), threshold("audio.loss", "max<0.01")]
    summary = verdict([quiet], *levels)
    assert [(found.value, found.ok) for found in summary.thresholds] == [(-42.0, False), (0.02, False)]
    assert summary.exit_code == 1


def test_of_several_scenarios_each_judges_its_own_calls() -> None:
    script = scenario({"say": "x"}, thresholds={"turn.ttfa": "max<2s"})
    assert str(scenario_thresholds(script, lambda *_: "s.yaml", alone=True)[0].ref) == "turn.ttfa"
    assert str(scenario_thresholds(script, lambda *_: "s.yaml", alone=False)[0].ref) == "turn.ttfa{scenario:x}"


# -- the harness itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unfit_turns", "fit_turns", "code"),
    [(1, 0, 0), (1, 5, 0), (2, 0, 4), (2, 38, 0), (2, 37, 4), (5, 95, 0), (6, 94, 4)],
)
def test_unfit_takes_over_5_percent_of_the_turns_and_at_least_2(unfit_turns: int, fit_turns: int, code: int) -> None:
    summary = verdict(unfit(unfit_turns) + good(fit_turns))
    assert summary.exit_code == code
    rate = summary.metrics["turns.unfit"]
    assert isinstance(rate, RateSummary)
    assert rate.failed == unfit_turns


def test_an_unfit_run_says_how_it_was_late_and_what_ran_out() -> None:
    why = [Unfit(kind="packets_late", figure=7, of=610), Unfit(kind="read_late", figure=23)]
    stolen = "the machine's CPU time: its host gave 12 % of it to others"
    late = [call(turn(fit=False, unfit_why=why[:1], ran_out=stolen)) for _ in range(2)]
    other = call(turn(fit=False, unfit_why=[Unfit(kind="packets_late", figure=9, of=400), why[1]], ran_out=None))
    what = str(verdict([*late, other]).reasons[0].what)
    assert "mostly: packets left over 20 ms late; what ran out: the machine's CPU time)" in what


def test_unfit_turns_are_left_out_of_the_times() -> None:
    summary = verdict([*good(20), call(turn(fit=False, ttfa_ms=9000.0))], threshold("turn.ttfa", "max<2s"))
    assert summary.exit_code == 0
    assert summary.metrics["turn.ttfa"].count == 20


def test_a_judged_metric_without_one_fit_sample_is_4() -> None:
    summary = verdict(unfit(1), threshold("turn.ttfa", "max<2s"))
    assert (summary.exit_code, summary.thresholds[0].ok) == (4, None)
    assert "late harness" in str(summary.reasons[0].what)


@pytest.mark.parametrize(("lost", "well", "code"), [(1, 0, 4), (1, 98, 4), (1, 99, 0), (2, 198, 0), (3, 197, 4)])
def test_calls_lost_by_ourselves_decide_from_over_1_percent_on(lost: int, well: int, code: int) -> None:
    summary = verdict(good(well) + failed("harness.bug", lost))
    assert summary.exit_code == code
    assert summary.failures == {"harness.bug": lost}, "up to that they are listed and decide nothing"


def late_silence(count: int = 1) -> list[CallResult]:
    """Calls whose one fault is a turn without a reply at which the harness itself was late."""
    seen = FailureSeen(kind="agent.no_reply", what="no voice", turn=1, fit=False)
    late = turn(fit=False, unfit_why=[LATE], ttfa_ms=None, reply="")
    values = {"ok": False, "failure": "agent.no_reply", "failures": [seen]}
    return [judged(call(late.model_copy(), **values), REPLIES) for _ in range(count)]


def replying(count: int) -> list[CallResult]:
    """Calls of the same script, in which all is well."""
    return [judged(call(turn(reply="At nine.")), REPLIES) for _ in range(count)]


@pytest.mark.parametrize(("late", "well", "code"), [(1, 0, 4), (1, 98, 4), (1, 99, 0), (2, 198, 0), (3, 197, 4)])
def test_a_silence_at_which_we_were_late_is_never_the_agents(late: int, well: int, code: int) -> None:
    summary = verdict(replying(well) + late_silence(late))
    assert summary.exit_code == code
    assert {reason.code for reason in summary.reasons} <= {4}
    assert summary.failures == {"agent.no_reply": late}, "it stays listed"
    assert summary.calls.failed == late
    assert code == 0 or any("agent.no_reply while the harness was late" in str(one.what) for one in summary.reasons)


def test_a_silence_at_which_we_were_late_breaks_no_threshold_and_a_sure_one_does() -> None:
    limit = threshold("calls.failed", "rate<0.001")
    assert verdict(replying(150) + late_silence(), limit).exit_code == 0
    assert verdict(replying(150) + late_silence() + failed("agent.no_reply"), limit).exit_code == 1
    alone = verdict(late_silence(), limit)
    assert (alone.exit_code, alone.thresholds[0].ok) == (4, None)


@pytest.mark.parametrize(("dropped", "code"), [(0, 0), (1, 0), (2, 4)])
def test_over_1_percent_dropped_is_4(dropped: int, code: int) -> None:
    summary = verdict(good(100 - dropped), ending=Ending(dropped=dropped))
    assert summary.exit_code == code
    assert (summary.calls.total, summary.calls.dropped) == (100 - dropped, dropped)


def test_a_metric_without_samples_is_absent_and_a_percentile_of_few_is_null() -> None:
    summary = verdict([call(turn(), barge_in(2, ttfa_ms=None))])
    assert "turn.echo" not in summary.metrics
    ttfa = summary.metrics["turn.ttfa"]
    assert not isinstance(ttfa, RateSummary)
    assert (ttfa.count, ttfa.p50, ttfa.p95) == (1, 1000, None)
    assert summary.metrics["bargein.stop"].count == 1


def test_of_a_cut_calls_running_turn_the_onset_counts_and_nothing_else() -> None:
    cut = call(turn(), turn(2, cut=True, ttfa_ms=5.0, echo_ms=9.0), cut=True, ok=None)
    summary = verdict([*good(), cut], ending=Ending(interrupted=True))
    assert summary.metrics["turn.ttfa"].count == 3
    assert "turn.echo" not in summary.metrics
    assert summary.metrics["calls.failed"].count == 1


def wrong(count: int) -> list[CallResult]:
    """Calls in which the harness found itself wrong, each at another place."""
    faults = [
        f"heard against time: {96_000 + number:,} samples a second were heard, of 48,000" for number in range(count)
    ]
    return [call(turn(), self_faults=[fault]) for fault in faults]


@pytest.mark.parametrize(
    ("wrong_calls", "others", "code"),
    [(0, 10, 0), (1, 0, 0), (1, 10, 0), (2, 0, 4), (2, 197, 4), (2, 198, 0), (3, 198, 4)],
)
def test_a_harness_that_found_itself_wrong_in_over_1_percent_of_the_calls_and_in_two_is_unfit(
    wrong_calls: int, others: int, code: int
) -> None:
    summary = verdict(wrong(wrong_calls) + good(others))
    assert summary.exit_code == code
    said = [reason for reason in summary.reasons if "found itself wrong" in str(reason.what)]
    assert [reason.count for reason in said] == ([wrong_calls] if code else [])
    if said:
        assert f"{wrong_calls} of {wrong_calls + others} calls (heard against time)" in str(said[0].what)


def test_faults_of_a_warm_up_or_a_canary_decide_nothing() -> None:
    apart = [one.model_copy(update=mark) for one in wrong(2) for mark in ({"warm_up": True}, {"canary": True})]
    assert verdict(good(3) + apart).exit_code == 0


def test_turns_that_a_fault_made_unfit_name_it_without_its_figures() -> None:
    fault = Unfit(kind="self_fault", name=wrong(1)[0].self_faults[0].name)
    unfit = [call(turn(fit=False, unfit_why=[fault])) for _ in range(3)]
    assert any("mostly: heard against time)" in str(reason.what) for reason in verdict(unfit).reasons)


# -- strict ----------------------------------------------------------------------------------------------------------


def strictly(calls: Sequence[CallResult], *thresholds: Threshold) -> list[tuple[int, str]]:
    """The reasons of a strict run, of which a run that is not strict has none, or others."""
    summary = judge_run(calls, thresholds, target="t", ending=Ending(), strict=True)
    return [(reason.code, str(reason.what)) for reason in summary.reasons]


@pytest.mark.parametrize(
    ("limit", "calls", "enough"),
    [
        ("p(95)<2s", 19, False),
        ("p(95)<2s", 20, True),
        ("p(90)<2s", 9, False),
        ("p(90)<2s", 10, True),
        ("p(99)<2s", 99, False),
        ("p(99.9)<2s", 999, False),
        ("p(99.9)<2s", 1000, True),
        ("p(75)<2s", 3, False),
        ("p(75)<2s", 4, True),
        ("p(50)<2s", 1, True),
        ("p(100)<2s", 1, True),
        ("med<2s", 1, True),
        ("max<2s", 1, True),
    ],
)
def test_strict_takes_no_percentile_of_too_few_samples(limit: str, calls: int, enough: bool) -> None:
    assert verdict(good(calls), threshold("turn.ttfa", limit)).exit_code == 0
    found = strictly(good(calls), threshold("turn.ttfa", limit))
    assert [code for code, _ in found] == ([] if enough else [1])


def test_strict_lets_no_threshold_open_for_want_of_data() -> None:
    limit = threshold("turn.ttfa", "p(95)<2s")
    beyond = [*(call(turn(ttfa_ms=1000.0)) for _ in range(8)), cut_short(1500.0)]
    assert (verdict(beyond, limit).exit_code, [code for code, _ in strictly(beyond, limit)]) == (4, [1])


def test_strict_blames_no_agent_for_what_the_harness_or_nobody_measured() -> None:
    limit = threshold("turn.ttfa", "max<2s")
    assert [code for code, _ in strictly(unfit(1), limit)] == [4]
    assert [code for code, _ in strictly(unfit(3), limit)] == [4, 4]
    doubtful = [call(turn(doubtful=[AFTER_SILENCE]))]
    assert [code for code, _ in strictly(doubtful, limit)] == [4]
    assert [code for code, _ in strictly([])] == [3]
    assert strictly(good(3), limit) == []
