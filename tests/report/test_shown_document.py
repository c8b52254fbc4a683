"""What the page shows beyond the files of a run: its numbers are those of the summary, its groups lead to the calls."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness.judge.verdict import judge_run
from harness.metrics.percentiles import percentile
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, TurnResult
from harness.record.run_directory import read_run
from harness.record.summary import Ending, MetricSummary, Summary
from harness.record.unfit import Unfit
from harness.report.hints import failed_kinds
from harness.report.shown.detailed import detailed
from harness.report.shown.distributions import MOST_VALUES, shown_metrics, thinned
from harness.report.shown.document import shown
from harness.report.shown.failures import failed_expectations
from tests.report.sample_run import good_call, no_reply_call, no_session_call, sample_run, settings, summary

RECORDED = Path(__file__).parents[1] / "recorded"


@pytest.mark.parametrize("name", ["talk-light", "load", "capacity", "faults-light"])
def test_distributions_are_of_the_samples_that_the_summary_has(name: str) -> None:
    found = shown_metrics(read_run(RECORDED / name).calls)
    metrics = Summary.model_validate_json((RECORDED / name / "summary.json").read_text(encoding="utf-8")).metrics
    assert found.keys() == metrics.keys()
    for metric, told in metrics.items():
        if not isinstance(told, MetricSummary):
            assert found[metric].is_rate
            continue
        values = found[metric].values
        assert (values[0], values[-1]) == (told.min, told.max), metric
        if len(values) == told.count and told.p50 is not None:
            assert percentile(values, 50) == pytest.approx(told.p50, abs=0.001), metric


def test_many_samples_keep_their_percentiles_and_their_ends() -> None:
    source = random.Random(7)
    values = [source.lognormvariate(7, 0.5) for _ in range(8000)]
    found = thinned(values)
    assert len(found) == MOST_VALUES + 1
    assert (found[0], found[-1]) == (min(values), max(values))
    for share in (50, 90, 95, 99):
        assert found[share * MOST_VALUES // 100] == percentile(values, share)


def test_calls_that_do_not_count_are_in_no_distribution() -> None:
    warm, canary, first, again = (good_call(f"000{number}") for number in range(4))
    warm.warm_up, canary.canary, again.retry_of = True, True, "0002"
    unfit = good_call("0004")
    unfit.turns[0].fit = False
    calls = [warm, canary, first, again, unfit]
    judged = judge_run(calls, [], target="", ending=Ending())
    told = judged.metrics["turn.ttfa"]
    assert isinstance(told, MetricSummary)
    assert len(shown_metrics(calls)["turn.ttfa"].values) == told.count == 5


def test_what_was_run_is_told(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    facts = {fact.name: fact.value for fact in shown(run, run.calls).about}
    assert facts["target"] == "staging (https://voice.example/api/agents/agent-session/)"
    assert facts["started"] == "2026-11-24 10:15:00 UTC"
    assert facts["seed"] == "4711"
    assert facts["calls"] == "4 at once, repeated 2 times, 8 in all"
    assert facts["command"].startswith("voice-harness run scenarios/opening-hours.yaml --threshold 'turn.ttfa:")
    assert facts["made with"].startswith("voice-harness 0.1.0 · Python 3.11.9")


def test_thresholds_have_their_value_with_its_unit_and_the_limit_if_it_is_one_of_samples(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    told = [(each.value.replace("\xa0", " "), each.limit) for each in shown(run, run.calls).thresholds]
    assert told == [("2,140 ms", 1500), ("0", 0.1), ("–", 1000)]  # noqa: RUF001 - as a missing value is shown


def test_failures_by_kind_lead_to_their_calls() -> None:
    calls = [no_reply_call("0003"), no_session_call("0004"), no_reply_call("0005"), good_call("0006")]
    reply, session = failed_kinds(calls)
    assert (reply.kind, reply.count, reply.calls) == ("agent.no_reply", 2, ["0003", "0005"])
    assert reply.what == "no voice within 15 s of turn 1"
    assert reply.hints
    assert (session.kind, session.calls) == ("session.unauthorized", ["0004"])
    assert [kind.count for kind in failed_kinds(calls, {"agent.no_reply": 1})] == [1]


def test_an_expectation_that_failed_says_in_how_many_of_its_calls() -> None:
    calls = [good_call("0001"), no_reply_call("0002"), no_reply_call("0003"), no_reply_call("0004")]
    for call in calls:
        call.turns[0].expectations[0].place = "a.yaml:8:40"
    calls[3].canary = True
    (found,) = failed_expectations(calls)
    assert (found.scenario, found.turn, found.expect, found.limit) == ("opening-hours", 1, "ttfa", "<2s")
    assert (found.failed, found.judged, found.calls) == (2, 3, ["0002", "0003"])
    assert found.why == "there was no reply"


def test_what_is_in_no_percentile_says_why() -> None:
    call = good_call("0001")
    call.turns[1].fit, call.turns[1].unfit_why = False, [Unfit(kind="packet_late", figure=132)]
    again = CallResult(call="0002", scenario="x", started="", ok=True, retry_of="0001", turns=[late_turn()])
    calls = [call, again]
    found = shown(RecordedRun(Path(), settings(), calls, summary(calls)), calls).calls
    assert found["0001"].repeated_as == "0002"
    assert [(each.turn, each.unfit) for each in found["0001"].doubted] == [(2, ["a packet left 132 ms late"])]
    assert found["0002"].doubted[0].unfit == ["the harness was late"]


def late_turn() -> TurnResult:
    return TurnResult(turn=1, kind="type", text="x", fit=False)


def test_a_call_has_the_frames_of_its_timeline_at_their_positions() -> None:
    run = read_run(RECORDED / "talk-light")
    call = next(call for call in detailed(run.folder, run.calls).calls if call.call == "0001-smoke")
    frames = [event for event in call.events if event.event == "text"]
    assert [frame.fields["role"] for frame in frames][:3] == ["reply", "transcript", "reply"]
    turn = run.calls[0].turns[0]
    assert turn.caller_end_ms is not None
    assert turn.transcript_ms is not None
    assert frames[1].at_ms == pytest.approx(turn.caller_end_ms + turn.transcript_ms, abs=1)
    spoke = next(event for event in call.events if event.event == "caller.spoke")
    assert spoke.fields["voiced_end_ms"] == pytest.approx(turn.caller_end_ms, abs=1)
    assert not {"second", "media", "heard"} & {event.event for event in call.events}
