from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from sample_run import HOSTILE, good_call, held, no_reply_call, sample_run, settings, summary

from harness.judge.summary import Reason
from harness.measure.result import CallResult, WaitResult
from harness.report.junit import render_junit
from harness.report.recorded import RecordedRun


def parsed(run: RecordedRun) -> ET.Element:
    return ET.fromstring(render_junit(run).encode())


def run_of(folder: Path, *calls: CallResult) -> RecordedRun:
    return RecordedRun(folder=folder, settings=settings(), calls=list(calls), summary=summary(list(calls)))


def suite(root: ET.Element, name: str) -> ET.Element:
    (found,) = root.findall(f"testsuite[@name='{name}']")
    return found


def case(root: ET.Element, name: str) -> ET.Element:
    (found,) = [element for element in root.iter("testcase") if element.get("name") == name]
    return found


def outcome(element: ET.Element) -> tuple[str, str | None]:
    (child,) = [child for child in element if child.tag in ("failure", "error", "skipped")]
    return child.tag, child.get("type")


def test_each_scenario_is_a_suite_and_thresholds_are_one(tmp_path: Path) -> None:
    root = parsed(sample_run(tmp_path))
    assert root.tag == "testsuites"
    assert [found.get("name") for found in root] == ["opening-hours", "smoke", "barge-in", "thresholds"]


def test_each_call_and_each_expectation_is_a_case_of_its_scenario(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    found = [element for element in parsed(run).iter("testcase") if element.get("classname") != "thresholds"]
    assert len(found) == len(run.calls) + sum(len(call.expectations()) for call in run.calls)
    for element in suite(parsed(run), "barge-in").iter("testcase"):
        assert element.get("classname") == "barge-in"


def test_names_tell_call_turn_expectation_and_limit(tmp_path: Path) -> None:
    names = [element.get("name") for element in parsed(run_of(tmp_path, good_call("0001"))).iter("testcase")]
    assert names[:9] == [
        "call 0001",
        "call 0001 greeting within <5s",
        "call 0001 turn 1 ttfa <2s",
        'call 0001 turn 1 contains_any nine, "9"',
        "call 0001 turn 1 wer <=0.3",
        "call 0001 turn 2 echo <500ms",
        "call 0001 turn 3 stops_within <1s",
        "call 0001 wait after turn 3 agent_silent true",
        "turn.ttfa p(95)<1500ms",
    ]


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    call = good_call("0001")
    call.waits.append(WaitResult(after_turn=3, expectations=[held("agent_silent", "true", None, "a.yaml:20")]))
    names = [element.get("name") for element in parsed(run_of(tmp_path, call)).iter("testcase")]
    assert len(names) == len(set(names))
    assert "call 0001 wait after turn 3 agent_silent true (2)" in names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("call 0003", ("failure", "agent.no_reply")),
        ("call 0004", ("error", "session.unauthorized")),
        ("call 0005", ("error", "room.lost")),
        ("call 0008", ("error", "harness.bug")),
        ("call 0007", ("skipped", "cut")),
        ("call 0002 turn 1 ttfa <1s", ("skipped", "expectation.ttfa")),
        ("call 0002 turn 2 echo <5ms", ("failure", "expectation.echo")),
        ("turn.ttfa p(95)<1500ms", ("failure", "threshold")),
        ("bargein.stop max<1s", ("skipped", "threshold")),
    ],
)
def test_failures_errors_and_skipped_are_told_apart(tmp_path: Path, name: str, expected: tuple[str, str]) -> None:
    found = case(parsed(sample_run(tmp_path)), name)
    assert outcome(found) == expected
    assert found[0].get("message")


def test_a_silence_at_which_we_were_late_is_an_error_and_no_failure_of_the_agent(tmp_path: Path) -> None:
    call = no_reply_call("0003")
    for seen in call.failures:
        seen.fit = False
    assert outcome(case(parsed(run_of(tmp_path, call)), "call 0003")) == ("error", "agent.no_reply")


def test_messages_say_what_was_measured_and_where(tmp_path: Path) -> None:
    root = parsed(sample_run(tmp_path))
    assert "401" in (case(root, "call 0004")[0].get("message") or "")
    echo = case(root, "call 0002 turn 2 echo <5ms")[0]
    assert echo.get("message") == "the echo came after 9.4 ms"
    assert "a.yaml:10" in (echo.text or "")
    lost = case(root, "call 0005")[0].text or ""
    assert "agent.no_reply" in lost
    assert "room.lost: the connection was lost (at 21.5 s, ended the call)" in lost


def test_a_call_of_which_only_expectations_failed_passes_as_a_call(tmp_path: Path) -> None:
    found = case(parsed(sample_run(tmp_path)), "call 0006")
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
    assert case(root, "call 0001").get("time") == "29.840"
    assert case(root, "call 0001 turn 1 ttfa <2s").get("time") == "1.103"
    assert case(root, "call 0001 turn 1 wer <=0.3").get("time") == "0.000"


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
    assert "<script>alert('agent')</script>" in (case(root, "call 0001").findtext("system-out") or "")


def test_a_verdict_that_no_case_tells_is_a_case(tmp_path: Path) -> None:
    run = run_of(tmp_path, good_call("0001"))
    assert run.summary is not None
    run.summary.thresholds = []
    run.summary.verdict, run.summary.exit_code = "unfit", 4
    run.summary.reasons = [Reason(code=4, what="8 of 40 turns were measured late")]
    found = case(parsed(run), "verdict")
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
    root = parsed(RecordedRun(folder=tmp_path, settings={}))
    assert (root.tag, len(root), root.get("tests")) == ("testsuites", 0, "0")
