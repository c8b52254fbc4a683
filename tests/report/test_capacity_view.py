"""A search for the capacity in the reports."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from harness.record.capacity import Answer, Capacity, CurvePoint, Recovery
from harness.report.capacity_table import print_capacity
from harness.report.console import make_console
from harness.report.junit import render_junit
from harness.report.shown.document import document
from harness.report.shown.headline import headline
from tests.report.sample_run import sample_run


def point(calls: int, *, met: int, p95: float | None) -> CurvePoint:
    return CurvePoint(
        calls=calls, holds=3, met=met, unfit=0, turns=60, ttfa_p50=600, ttfa_p95=p95, failed=0.0, wrong=0.25
    )


def searched(exit_code: int = 0, why: str = "") -> Capacity:
    words = f"6 calls, 95 % interval [6, 7]; limited by: agent{why}"
    answer = Answer(calls=6, interval=(6, 7), limited_by="agent", ended="found", words=words, exit_code=exit_code)
    curve = [point(2, met=3, p95=None), point(6, met=3, p95=700), point(7, met=0, p95=1800)]
    return Capacity(answer=answer, objectives=["turn.ttfa: p(95)<1500ms"], turns_wanted={}, curve=curve, steps=[])


def test_the_page_has_the_search_and_whether_latency_came_back(tmp_path: Path) -> None:
    recovery = Recovery(calls=2, before_ms=600, after_ms=630, came_back=True)
    run = replace(sample_run(tmp_path), capacity=searched().model_copy(update={"recovery": recovery}))
    found = document(run)
    assert found.published.capacity == run.capacity
    assert found.shown.recovery.startswith("after the last step latency came back")
    assert found.shown.over_time is None, "a search holds different loads one after the other"


def test_a_search_whose_time_ran_out_says_so(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    assert run.summary is not None
    run.summary.verdict = "unfit"
    capacity = searched()
    capacity.answer.ended = "time"
    assert headline(run.summary, capacity).words == "The time ran out (--max-time) before the answer was known"
    assert headline(run.summary, None).words.startswith("Not fit to measure")


@pytest.mark.parametrize(("exit_code", "outcome"), [(0, None), (1, "failure"), (4, "error")])
def test_calls_that_failed_to_find_out_how_many_fail_are_no_failed_cases(
    tmp_path: Path, exit_code: int, outcome: str | None
) -> None:
    run = sample_run(tmp_path)
    summary = run.summary
    assert summary is not None
    summary.thresholds = []
    root = ET.fromstring(render_junit(replace(run, capacity=searched(exit_code), summary=summary)))
    case = root.find("testsuite[@name='capacity']/testcase")
    assert case is not None
    assert case.get("name") == "turn.ttfa: p(95)<1500ms"
    assert [child.tag for child in case if child.tag != "system-out"] == ([outcome] if outcome else [])


def test_the_terminal_tells_what_can_be_done_about_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls = sample_run(tmp_path).calls
    print_capacity(make_console(), searched(), tmp_path, target="staging", calls=calls)
    told = capsys.readouterr().out
    assert "session.unauthorized in 1 call" in told
    assert "  hint: " in told


def test_the_terminal_ends_with_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_capacity(make_console(), searched(), tmp_path, target="staging")
    last = capsys.readouterr().out.rstrip().splitlines()[-1]
    assert last == "6 calls, 95 % interval [6, 7]; limited by: agent  target staging  exit 0"
