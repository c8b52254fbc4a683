from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from harness.record.reason import InWords
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, WaitResult
from harness.record.summary import PassRateResult, Reason, ThresholdResult
from harness.report.junit import render_junit
from tests.report.sample_run import (
    HOSTILE,
    bare_settings,
    good_call,
    held,
    no_reply_call,
    sample_run,
    settings,
    summary,
)


def parsed(run: RecordedRun) -> ET.Element:
    return ET.fromstring(render_junit(run).encode())


def run_of(folder: Path, *calls: CallResult) -> RecordedRun:
    return RecordedRun(folder=folder, settings=settings(), calls=list(calls), summary=summary(list(calls)))


def suite(root: ET.Element, name: str) -> ET.Element:
    (found,) = root.findall(f"testsuite[@name='{name}']")
    return found


def case(root: ET.Element, name: str, call: str = "") -> ET.Element:
    """The case of that name; of which call, where several have it."""
    named = [element for element in root.iter("testcase") if (element.get("name") or "").partition(" (")[0] == name]
    (found,) = [element for element in named if not call or f"call: {call}" in "".join(element.itertext())]
    return found


def outcome(element: ET.Element) -> tuple[str, str | None]:
    (child,) = [child for child in element if child.tag in ("failure", "error", "skipped")]
    return child.tag, child.get("type")


def test_each_scenario_is_a_suite_and_thresholds_are_one(tmp_path: Path) -> None:
    root = parsed(sample_run(tmp_path))
    assert root.tag == "testsuites"
    assert [found.get("name") for found in root] == [
        "opening-hours",
        "smoke",
        "barge-in",
        "thresholds",
        "pass rates",
    ]


def test_each_call_and_each_expectation_is_a_case_of_its_scenario(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    apart = ("thresholds", "pass rates")
    found = [element for element in parsed(run).iter("testcase") if element.get("classname") not in apart]
    assert len(found) == len(run.calls) + sum(len(call.expectations()) for call in run.calls)
    for element in suite(parsed(run), "barge-in").iter("testcase"):
        assert element.get("classname") == "barge-in"


def test_names_tell_turn_and_expectation(tmp_path: Path) -> None:
    names = [element.get("name") for element in parsed(run_of(tmp_path, good_call("0001"))).iter("testcase")]
    assert names[:10] == [
        "call",
        "greeting within",
        "turn 1 ttfa",
        "turn 1 contains_any",
        "turn 1 wer",
        "turn 2 echo",
        "turn 2 calls_tool",
        "turn 3 stops_within",
        "wait after turn 3 agent_silent",
        "turn.ttfa p(95)",
    ]


def test_names_stay_when_calls_have_other_numbers_and_limits_are_moved(tmp_path: Path) -> None:
    def names(call: CallResult) -> list[str | None]:
        return [element.get("name") for element in parsed(run_of(tmp_path, call)).iter("testcase")]

    later = good_call("0815")
    for _, expectation in later.expectations():
        expectation.limit = "<9s"
    assert names(later) == names(good_call("0001"))


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    call = good_call("0001")
    call.waits.append(WaitResult(after_turn=3, expectations=[held("agent_silent", "true", None, "a.yaml:20")]))
    names = [element.get("name") for element in parsed(run_of(tmp_path, call)).iter("testcase")]
    assert len(names) == len(set(names))
    assert "wait after turn 3 agent_silent (2)" in names


@pytest.mark.parametrize(
    ("call", "name", "expected"),
    [
        ("0003", "call", ("failure", "agent.no_reply")),
        ("0004", "call", ("error", "session.unauthorized")),
        ("0005", "call", ("error", "room.lost")),
        ("0008", "call", ("error", "harness.bug")),
        ("0007", "call", ("skipped", "cut")),
        ("0002", "turn 1 ttfa", ("skipped", "expectation.ttfa")),
        ("0002", "turn 2 echo", ("failure", "expectation.echo")),
        (None, "turn.ttfa p(95)", ("failure", "threshold")),
        (None, "bargein.stop max", ("skipped", "threshold")),
    ],
)
def test_failures_errors_and_skipped_are_told_apart(
    tmp_path: Path, call: str | None, name: str, expected: tuple[str, str]
) -> None:
    root = parsed(sample_run(tmp_path))
    found = case(suite(root, "thresholds"), name, "") if call is None else case(root, name, call)
    assert outcome(found) == expected
    assert found[0].get("message")


def test_what_a_threshold_excused_is_skipped_and_says_by_which(tmp_path: Path) -> None:
    run = run_of(tmp_path, good_call("0001"), no_reply_call("0003"))
    assert run.summary is not None
    run.summary.thresholds = [
        ThresholdResult(metric="calls.failed", limit="rate<=0.5", value=0.5, samples=2, ok=True),
        ThresholdResult(metric="expectations.failed", limit="rate<=0.5", value=0.1, samples=9, ok=True),
    ]
    run.summary.verdict, run.summary.exit_code, run.summary.reasons = "pass", 0, []
    root = parsed(run)
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    found = case(root, "call", "0003")
    assert outcome(found) == ("skipped", "agent.no_reply")
    assert "excused by calls.failed rate<=0.5" in (found[0].get("message") or "")


def test_what_a_pass_rate_excused_is_skipped_and_says_by_which_and_how_often_it_passed(tmp_path: Path) -> None:
    failed = no_reply_call("0003")
    failed.failures[0].turn, failed.turns[0].step = 1, 0
    run = run_of(tmp_path, good_call("0001"), failed)
    assert run.summary is not None
    run.summary.thresholds = []
    run.summary.verdict, run.summary.exit_code, run.summary.reasons = "pass", 0, []
    known = {"scenario": "opening-hours", "step": 0, "passed": 1, "decided": 2, "low": 0.09, "high": 0.91}
    run.summary.pass_rates = [
        PassRateResult(**known, of="turn 1", limit="1/2", ok=True, needed=2, pattern="flicker"),
        PassRateResult(**known, expect="ttfa", of="turn 1 ttfa", pattern="flicker"),
    ]
    root = parsed(run)
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    for name, kind in (("call", "agent.no_reply"), ("turn 1 ttfa", "expectation.ttfa")):
        found = case(root, name, "0003")
        assert outcome(found) == ("skipped", kind)
        assert "excused by pass 1/2 of opening-hours turn 1" in (found[0].get("message") or "")
    assert "1 of 2 calls passed" in (case(root, "turn 1 ttfa", "0003")[0].text or "")
    assert "calls passed" not in "".join(case(root, "turn 1 ttfa", "0001").itertext())


def test_a_pass_rate_that_was_missed_is_a_failure_and_one_that_is_open_is_skipped(tmp_path: Path) -> None:
    root = parsed(sample_run(tmp_path))
    rates = suite(root, "pass rates")
    assert outcome(case(rates, "opening-hours")) == ("failure", "pass.flicker")
    assert outcome(case(rates, "smoke turn 2")) == ("skipped", "pass.undecided")
    assert {child.tag for child in case(rates, "opening-hours turn 1 ttfa")} == {"system-out"}
    assert len(rates.findall("testcase")) == 3, "what has no limit is no case"


def test_a_case_says_which_call_it_was_and_where_its_report_and_recording_are(tmp_path: Path) -> None:
    call = good_call("0001")
    call.recording = "audio/0001.wav"
    text = "".join(case(parsed(run_of(tmp_path, call)), "turn 1 ttfa", "0001").itertext())
    assert f"report: {tmp_path / 'report.html'}" in text
    assert f"recording: {tmp_path / 'audio/0001.wav'}" in text


def test_a_suite_names_the_agents_that_its_calls_reached(tmp_path: Path) -> None:
    call = good_call("0001")
    call.agent = "reception-b"
    root = parsed(run_of(tmp_path, call))
    found = {element.get("name"): element.get("value") for element in suite(root, call.scenario).iter("property")}
    assert found["agent"] == "reception-b"
    others = [element.get("name") for element in suite(root, "thresholds").iter("property")]
    assert "agent" not in others


def test_a_silence_at_which_we_were_late_is_an_error_and_no_failure_of_the_agent(tmp_path: Path) -> None:
    call = no_reply_call("0003")
    for seen in call.failures:
        seen.fit = False
    assert outcome(case(parsed(run_of(tmp_path, call)), "call", "0003")) == ("error", "agent.no_reply")


def test_messages_say_what_was_measured_and_where(tmp_path: Path) -> None:
    root = parsed(sample_run(tmp_path))
    assert "401" in (case(root, "call", "0004")[0].get("message") or "")
    echo = case(root, "turn 2 echo", "0002")[0]
    assert echo.get("message") == "the echo came after 9.4 ms"
    assert "a.yaml:10" in (echo.text or "")
    lost = case(root, "call", "0005")[0].text or ""
    assert "agent.no_reply" in lost
    assert "room.lost: the connection was lost (at 21.5 s, ended the call)" in lost


def test_a_call_of_which_only_expectations_failed_passes_as_a_call(tmp_path: Path) -> None:
    found = case(parsed(sample_run(tmp_path)), "call", "0006")
    assert {child.tag for child in found} == {"system-out"}


def test_counts_and_times_add_up(tmp_path: Path) -> None:
    root = parsed(sample_run(tmp_path))
    totals = {"tests": 0, "failures": 0, "errors": 0}
    for found in root:
        cases = found.findall("testcase")
        assert int(found.attrib["tests"]) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(found.attrib[attribute]) == sum(element.find(tag) is not None for element in cases)
        for attribute in totals:
            totals[attribute] += int(found.attrib[attribute])
    assert {attribute: int(root.attrib[attribute]) for attribute in totals} == totals
    assert suite(root, "smoke").get("time") == "59.856"
    assert case(root, "call", "0001").get("time") == "29.840"
    assert case(root, "turn 1 ttfa", "0001").get("time") == "1.103"
    assert case(root, "turn 1 wer", "0001").get("time") == "0.000"


def test_a_suite_has_when_and_of_what(tmp_path: Path) -> None:
    found = suite(parsed(sample_run(tmp_path)), "opening-hours")
    assert found.get("timestamp") == "2026-11-24T10:15:00"
    properties = {element.get("name"): element.get("value") for element in found.iter("property")}
    assert properties["target"] == "staging (https://voice.example/api/agents/agent-session/)"
    assert properties["seed"] == "4711"
    assert (properties["verdict"], properties["exit_code"]) == ("infrastructure", "3")


def test_the_order_in_which_calls_ended_changes_nothing(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    turned = RecordedRun(run.folder, run.settings, run.calls[::-1], run.summary)
    assert render_junit(turned) == render_junit(run)


def test_hostile_texts_stay_text(tmp_path: Path) -> None:
    call = good_call("0001")
    call.scenario = f"s {HOSTILE}"
    call.notes = [HOSTILE]
    text = render_junit(run_of(tmp_path, call))
    root = ET.fromstring(text.encode())
    assert not list(root.iter("script"))
    assert "<script>alert('agent')</script>" in (case(root, "call", "0001").findtext("system-out") or "")


def test_a_verdict_that_no_case_tells_is_a_case(tmp_path: Path) -> None:
    run = run_of(tmp_path, good_call("0001"))
    assert run.summary is not None
    run.summary.thresholds = []
    run.summary.verdict, run.summary.exit_code = "unfit", 4
    run.summary.reasons = [Reason(code=4, what=InWords("8 of 40 turns were measured late"))]
    (found,) = suite(parsed(run), "run").iter("testcase")
    assert outcome(found) == ("error", "unfit")
    assert found[0].get("message") == "8 of 40 turns were measured late"


def test_a_run_that_passed_has_nothing_red(tmp_path: Path) -> None:
    run = run_of(tmp_path, good_call("0001"))
    assert run.summary is not None
    run.summary.thresholds = []
    run.summary.verdict, run.summary.exit_code, run.summary.reasons = "pass", 0, []
    root = parsed(run)
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert [found.get("name") for found in root] == ["opening-hours", "smoke", "barge-in"]


def test_a_run_without_summary_or_calls_is_still_a_file(tmp_path: Path) -> None:
    root = parsed(RecordedRun(folder=tmp_path, settings=bare_settings()))
    assert (root.tag, len(root), root.get("tests")) == ("testsuites", 0, "0")
