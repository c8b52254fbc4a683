"""What failed, at its line: for GitHub's runner and GitLab's Code Quality."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.errors import Place
from harness.judge.verdict import judge_run
from harness.record.reason import InWords
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult
from harness.record.summary import Ending, PassRateResult, Reason
from harness.report.annotations import SHOWN_OF_A_LEVEL, checkout, github_lines, render_code_quality
from harness.report.findings import Finding, findings
from tests.judge.made import call, threshold, turn
from tests.report.sample_run import bare_settings

ROOT = Path("/checkout")


def failed(
    expect: str = "ttfa", place: str = "scenarios/x.yaml:8:7", why: str = "it took 2,000 ms"
) -> ExpectationResult:
    return ExpectationResult(expect=expect, limit="<1s", value=2000.0, outcome="failed", why=why, place=place)


def run_of(*calls: CallResult, limits: tuple[tuple[str, str], ...] = (), ending: Ending | None = None) -> RecordedRun:
    summary = judge_run(calls, [threshold(*one) for one in limits], target="x", ending=ending or Ending())
    written = [{"metric": metric, "limit": limit, "where": "scenarios/x.yaml:20:3"} for metric, limit in limits]
    settings = bare_settings(scenarios={"x": {"path": "scenarios/x.yaml"}}, thresholds=written)
    return RecordedRun(Path("run"), settings, list(calls), summary)


def test_an_expectation_that_failed_in_several_calls_is_one_finding_at_its_line() -> None:
    calls = [call(turn(1, expectations=[failed()]), call=f"000{n}-x", ok=False) for n in (1, 2, 3)]
    (one,) = findings(run_of(*calls))
    assert (one.level, one.count, one.place) == ("error", 3, Place("scenarios/x.yaml", 8, 7))
    (line,) = github_lines([one], ROOT)
    assert line == (
        "::error title=x turn 1%3A ttfa <1s,file=scenarios/x.yaml,line=8,col=7"
        "::0001-x: it took 2,000 ms%0Aand in 2 other calls"
    )


def test_a_pass_rate_that_was_missed_is_at_its_line_and_what_one_excused_is_no_finding() -> None:
    run = run_of(*[call(turn(1, step=0, expectations=[failed()]), call=f"000{n}-x", ok=False) for n in (1, 2)])
    assert run.summary is not None
    known = {"scenario": "x", "decided": 9, "needed": 9, "limit": "7/9"}
    run.summary.pass_rates = [
        PassRateResult(**known, step=0, expect="ttfa", of="turn 1 ttfa", passed=7, ok=True),
        PassRateResult(**known, passed=2, ok=False, pattern="flicker", place="scenarios/x.yaml:2:1"),
    ]
    (one,) = findings(run)
    assert (one.name, str(one.place)) == ("pass rate x", "scenarios/x.yaml:2:1")
    assert one.message == "2 of 9 calls passed, needed: 7/9, sometimes passes"


def test_a_failed_threshold_is_at_its_line_and_a_failed_call_at_that_of_its_turn_or_its_scenario() -> None:
    left = call(turn(1, expectations=[failed().model_copy(update={"outcome": "held"})]), failure="agent.left")
    left.failures[0].turn = 1
    no_session = call(call="0002-x", failure="session.timeout")
    found = findings(run_of(left, no_session, limits=(("turn.ttfa", "max<900ms"),)))
    assert [(one.title, str(one.place)) for one in found] == [
        ("threshold turn.ttfa max<900ms", "scenarios/x.yaml:20:3"),
        ("x turn 1: agent.left", "scenarios/x.yaml:8:7"),
        ("x: session.timeout", "scenarios/x.yaml:1"),
    ]


@pytest.mark.parametrize(("code", "level"), [(4, "warning"), (130, "warning"), (3, "error")])
def test_an_unfit_run_is_a_warning_and_no_error(code: int, level: str) -> None:
    ending = Ending(extra=[Reason(code=code, what=InWords("it was so"))])
    found = findings(run_of(call(turn(1, expectations=[failed()]), ok=False), ending=ending))
    assert {one.level for one in found} == {level}
    assert (found[0].message, found[0].place) == ("it was so", None)


def test_a_run_that_passed_has_no_finding() -> None:
    excused = run_of(call(turn(1)), call(call="0002-x", failure="agent.left"), limits=(("calls.failed", "rate<=50%"),))
    assert findings(excused) == []
    cut = call(turn(1, expectations=[failed()]), call="0002-x", ok=None, cut=True)
    assert findings(run_of(call(turn(1)), cut)) == []


def test_a_run_that_did_not_pass_has_a_finding_whatever_the_reason() -> None:
    (empty,) = findings(run_of())
    assert (empty.level, empty.message) == ("error", "no call could start")
    no_sample = run_of(call(turn(1)), limits=(("turn.echo", "max<1s"),))
    assert no_sample.summary is not None
    assert no_sample.summary.exit_code == 1
    assert "there is no sample" in findings(no_sample)[0].message


def test_a_call_lost_by_the_harness_is_a_warning() -> None:
    found = findings(
        run_of(call(failure="harness.bug"), *[call(call=f"{n}", failure="agent.left") for n in range(200)])
    )
    assert {one.name: one.level for one in found} == {"agent.left": "error", "harness.bug": "warning"}


def test_github_shows_ten_of_a_level_so_the_last_counts_the_rest() -> None:
    many = [Finding("error", "n", f"title {number}", "m") for number in range(25)]
    lines = github_lines(many, ROOT)
    assert len(lines) == SHOWN_OF_A_LEVEL
    assert lines[-1] == "::error title=voice-harness::and 16 other errors: see the report"
    assert len(github_lines(many[:10], ROOT)) == 10


def test_paths_are_counted_from_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "voice").mkdir()
    monkeypatch.chdir(tmp_path / "voice")
    root = checkout({"GITHUB_WORKSPACE": str(tmp_path)})
    inside = Finding("error", "n", "t", "m", Place("scenarios/a,b.yaml", 3))
    (line,) = github_lines([inside], root)
    assert line == "::error title=t,file=voice/scenarios/a%2Cb.yaml,line=3::m"
    elsewhere = Finding("error", "n", "t", "m", Place("/elsewhere/a.yaml", 3))
    assert "file=/elsewhere/a.yaml," in github_lines([elsewhere], root)[0]
    assert checkout({"CI_PROJECT_DIR": "/builds/x"}) == Path("/builds/x")


def test_gitlab_knows_a_finding_again_by_its_fingerprint() -> None:
    first = run_of(call(turn(1, expectations=[failed()]), ok=False))
    later = run_of(call(turn(1, expectations=[failed(why="it took 3,000 ms")]), call="0009-x", ok=False))
    one, again = (json.loads(render_code_quality(findings(run), ROOT)) for run in (first, later))
    assert one[0]["fingerprint"] == again[0]["fingerprint"]
    assert one[0]["location"] == {"path": "scenarios/x.yaml", "lines": {"begin": 8}}
    assert one[0]["severity"] in ("info", "minor", "major", "critical", "blocker")
    assert re.fullmatch(r"[0-9a-f]{64}", one[0]["fingerprint"])
    assert json.loads(render_code_quality(findings(run_of()), ROOT)) == [], "the whole run has no place"
