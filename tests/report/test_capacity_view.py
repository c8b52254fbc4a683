"""A search for the capacity in the reports."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from harness.record.capacity import Answer, Capacity, CurvePoint
from harness.report.capacity_table import print_capacity
from harness.report.capacity_view import capacity_view
from harness.report.console import make_console
from harness.report.html import render_html
from harness.report.junit import render_junit
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


def test_the_curve_marks_what_was_missed_and_a_point_without_a_p95_has_none() -> None:
    view = capacity_view(searched())
    half, most = view.series
    assert [dot.missed for dot in half.dots] == [False, False, True]
    assert len(most.dots) == 2
    assert most.dots[0].y > most.dots[1].y, "slower is higher"
    assert view.band is not None
    assert view.band[0] < most.dots[0].x < most.dots[1].x <= view.band[0] + view.band[1]


def test_the_page_has_the_answer_and_takes_no_markup_from_it(tmp_path: Path) -> None:
    run = replace(sample_run(tmp_path), capacity=searched(why=" <script>alert(1)</script>"))
    page = render_html(run)
    assert "6 calls, 95 % interval [6, 7]" in page
    assert "<script>alert(1)" not in page


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
