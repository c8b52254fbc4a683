"""A CI server shows red if and only if the run's exit code is not 0, whatever happened in the run."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import junitparser
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from harness.judge.verdict import judge_run
from harness.record.capacity import Answer, Capacity
from harness.record.reason import InWords, StackFell
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult, FailureSeen, WaitResult
from harness.record.self_fault import SelfFaultSeen
from harness.record.summary import Ending, Reason
from harness.record.unfit import Doubt, Unfit
from harness.report.junit import render_junit
from tests.judge.made import call, greeting, threshold, turn
from tests.report.junit_rules import broken_rules
from tests.report.sample_run import bare_settings, sample_run

SCENARIOS = ("x", "y")
KINDS = ("session.timeout", "room.lost", "agent.no_reply", "agent.left", "harness.bug", "harness.shard_died")
LIMITS = (
    ("calls.failed", "rate<=50%"),
    ("calls.failed{scenario:x}", "rate<=0"),
    ("calls.failed", "count<3"),
    ("expectations.failed", "rate<=50%"),
    ("expectations.failed{expect:ttfa}", "rate<=90%"),
    ("turn.ttfa", "p(95)<1500ms"),
    ("turn.ttfa{scenario:y}", "max<900ms"),
    ("turn.wer", "avg<=0.1"),
    ("turns.unfit", "rate<=20%"),
)
outcomes = st.builds(
    ExpectationResult,
    expect=st.sampled_from(["ttfa", "contains", "calls_tool"]),
    limit=st.just("<1s"),
    value=st.none() | st.just(1234.0),
    outcome=st.sampled_from(["held", "held", "failed", "undecided"]),
    why=st.sampled_from(["", "it was so"]),
    place=st.just("x.yaml:3:5"),
    by_agent=st.booleans(),
)
turns = st.builds(
    turn,
    ttfa_ms=st.none() | st.sampled_from([800.0, 2000.0]),
    cut=st.sampled_from([False, False, False, True]),
    unfit_why=st.lists(st.just(Unfit(kind="packet_late", figure=132)), max_size=1),
    doubtful=st.lists(st.sampled_from([Doubt(kind="late_answer"), Doubt(kind="wrong_voice")]), max_size=1),
    expectations=st.lists(outcomes, max_size=2),
)
failures = st.builds(
    FailureSeen, kind=st.sampled_from(KINDS), what=st.just("it went wrong"), ended=st.booleans(), fit=st.booleans()
)


@st.composite
def calls(draw: st.DrawFn) -> list[CallResult]:
    """Up to six calls: ok, failed, cut, repeated, of the warm-up, canaries."""
    made = []
    for number in range(draw(st.integers(0, 6))):
        seen = draw(st.lists(failures, max_size=2))
        done = draw(st.lists(turns, max_size=3))
        for index, one in enumerate(done, 1):
            one.turn, one.fit = index, not one.unfit_why
        wrong = any(e.outcome == "failed" for one in done for e in one.expectations)
        cut = draw(st.sampled_from([False, False, False, True]))
        fault = SelfFaultSeen.read("audio_too_fast: 2 s in 1 s")
        made.append(
            call(
                *done,
                call=f"{number:04d}",
                scenario=draw(st.sampled_from(SCENARIOS)),
                failures=seen,
                failure=seen[0].kind if seen else None,
                ok=None if cut else not (seen or wrong),
                cut=cut,
                warm_up=draw(st.sampled_from([False] * 5 + [True])),
                canary=draw(st.sampled_from([False] * 5 + [True])),
                retry_of=f"{number - 1:04d}" if number and draw(st.integers(0, 4)) == 0 else None,
                room_connect_ms=draw(st.none() | st.just(90.0)),
                greeting=draw(st.none() | st.just(greeting())),
                waits=[WaitResult(after_turn=1, expectations=draw(st.lists(outcomes, max_size=1)))],
                self_faults=[fault] if draw(st.integers(0, 5)) == 0 else [],
            )
        )
    return made


endings = st.builds(
    Ending,
    dropped=st.sampled_from([0, 0, 0, 1, 3]),
    interrupted=st.sampled_from([False] * 5 + [True]),
    extra=st.lists(st.just(Reason(code=3, what=StackFell("it ended"))), max_size=1),
    decided=st.none() | st.lists(st.sampled_from([1, 4]).map(lambda code: Reason(code=code, what=InWords("so")))),
)


def red(text: str) -> int:
    root = ET.fromstring(text.encode())
    counted = sum(1 for _ in root.iter("failure")) + sum(1 for _ in root.iter("error"))
    assert counted == int(root.attrib["failures"]) + int(root.attrib["errors"])
    return counted


def run_of(made: list[CallResult], limits: list[tuple[str, str]], ending: Ending) -> RecordedRun:
    summary = judge_run(made, [threshold(*limit) for limit in limits], target="x", ending=ending)
    settings = bare_settings(scenarios={name: {} for name in SCENARIOS}, started="2030-01-01T00:00:00Z")
    return RecordedRun(Path("run"), settings, made, summary)


@example_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(made=calls(), limits=st.lists(st.sampled_from(LIMITS), unique=True, max_size=3), ending=endings)
def test_it_is_red_if_and_only_if_the_exit_code_is_not_0(
    made: list[CallResult], limits: list[tuple[str, str]], ending: Ending
) -> None:
    run = run_of(made, limits, ending)
    assert run.summary is not None
    text = render_junit(run)
    assert (red(text) > 0) == (run.summary.exit_code != 0)
    assert broken_rules(ET.fromstring(text.encode())) == []


@pytest.mark.parametrize("exit_code", [0, 1, 3, 4, 130])
def test_a_capacity_search_is_red_by_its_answer_and_not_by_the_calls_that_it_made_fail(exit_code: int) -> None:
    decided = [Reason(code=exit_code, what=InWords("so"))] if exit_code else []
    failed = call(turn(1, ttfa_ms=3000.0), failure="agent.no_reply")
    run = run_of([failed], [("turn.ttfa", "max<1s")], Ending(decided=decided))
    answer = Answer(calls=4, interval=(4, 5), limited_by="agent", ended="found", words="4 calls", exit_code=exit_code)
    search = Capacity(answer=answer, objectives=["turn.ttfa: max<1s"], turns_wanted={}, curve=[], steps=[])
    found = RecordedRun(run.folder, run.settings, run.calls, run.summary, search)
    assert (red(render_junit(found)) > 0) == (exit_code != 0)


def test_a_failed_expectation_of_a_call_that_was_cut_does_not_count() -> None:
    missed = ExpectationResult(expect="ttfa", limit="<1s", value=1200.0, outcome="failed", why="it took 1,200 ms")
    cut = call(turn(1, expectations=[missed]), call="0002-x", ok=None, cut=True)
    run = run_of([call(turn(1)), cut], [], Ending())
    assert run.summary is not None
    assert run.summary.exit_code == 0
    root = ET.fromstring(render_junit(run).encode())
    (skipped,) = [one for one in root.iter("skipped") if one.get("type") == "expectation.ttfa"]
    assert skipped.get("message") == "the call was cut short on request: it took 1,200 ms"


@pytest.mark.parametrize(("code", "words"), [(130, "the run was killed"), (4, "8 of 40 turns were measured late")])
def test_an_interrupted_or_unfit_run_says_so_even_if_a_call_failed_too(code: int, words: str) -> None:
    run = run_of([call(failure="agent.left")], [], Ending(extra=[Reason(code=code, what=InWords(words))]))
    root = ET.fromstring(render_junit(run).encode())
    (verdict,) = root.findall("testsuite[@name='run']/testcase/error")
    assert words in (verdict.get("message") or "")


def test_unfit_turns_below_the_share_pass_with_a_note_and_so_does_a_call_that_was_repeated() -> None:
    late = turn(1, fit=False, unfit_why=[Unfit(kind="packet_late", figure=132)])
    undecided = ExpectationResult(expect="ttfa", limit="<1s", outcome="undecided", why="the harness was late")
    again = call(late.model_copy(update={"expectations": [undecided]}), call="0002-x", retry_of="0001-x")
    decided = ExpectationResult(expect="ttfa", limit="<1s", value=800.0, outcome="held")
    lost = call(call="0001-x", failure="agent.no_reply")
    run = run_of([lost, again, *[call(turn(1, expectations=[decided]), call=f"{n}-x") for n in range(9)]], [], Ending())
    assert run.summary is not None
    assert run.summary.exit_code == 0
    text = render_junit(run)
    assert red(text) == 0
    assert "note: turn 1 is left out of the metrics: a packet left 132 ms late" in text
    assert "note: repeats call 0001-x, which could not be measured" in text
    assert "call: 0001-x" not in text
    assert 'message="the harness was late"' in text


def test_an_empty_run_is_an_error() -> None:
    root = ET.fromstring(render_junit(run_of([], [], Ending())).encode())
    (verdict,) = root.findall("testsuite[@name='run']/testcase/error")
    assert (verdict.get("type"), verdict.get("message")) == ("infrastructure", "no call could start")


def test_junitparser_reads_the_same_numbers(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text(render_junit(sample_run(tmp_path)), encoding="utf-8")
    root = ET.parse(file).getroot()
    assert broken_rules(root) == []
    read = junitparser.JUnitXml.fromfile(str(file))
    assert [suite.name for suite in read] == [suite.get("name") for suite in root]
    for suite, element in zip(read, root, strict=True):
        cases = list(suite)
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == tuple(
            int(element.attrib[name]) for name in ("tests", "failures", "errors", "skipped")
        )
        results = [result for one in cases for result in one.result]
        assert sum(isinstance(one, junitparser.Failure) for one in results) == suite.failures
        assert sum(isinstance(one, junitparser.Error) for one in results) == suite.errors
        assert sum(isinstance(one, junitparser.Skipped) for one in results) == suite.skipped


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("<testsuites><testsuite name='a' tests='1' failures='0'/></testsuites>", "<testsuite> lacks errors"),
        ("<testsuites skipped='1'/>", "<testsuites> may not have skipped"),
        ("<testsuites time='1e3'/>", "<testsuites time> is '1e3'"),
        ("<testsuites><testcase name='a'/></testsuites>", "<testsuites> may not have <testcase>"),
        ("<testsuites>text</testsuites>", "<testsuites> may not have text"),
    ],
)
def test_the_rules_find_what_is_wrong(text: str, broken: str) -> None:
    assert broken_rules(ET.fromstring(text)) == [broken]
