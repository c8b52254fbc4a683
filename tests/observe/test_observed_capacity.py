"""A capacity search beside what the agent's hosts did in each of its steps."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.capacity.observed import with_observed
from harness.record.capacity import Answer, Capacity, CurvePoint, Hold, Recovery
from harness.record.observed import Observed
from harness.record.run_directory import RunDirectory
from harness.report.capacity_table import print_capacity

RECORDED = Path(__file__).parents[1] / "recorded"


def hold(step: int, calls: int, started: str, **more: Any) -> Hold:
    """A hold whose window is from 10 s to 30 s after its start."""
    values = {"step": step, "calls": calls, "full": True, "started": f"2030-01-01T00:{started}.000Z", "set_up_s": 10.0}
    return Hold.model_validate(
        values | {"window_s": 20.0, "talk_share": 1.0, "turns": 3, "verdict": "met", "ttfa": {"count": 3}} | more
    )


def point(calls: int) -> CurvePoint:
    return CurvePoint(calls=calls, holds=1, met=1, unfit=0, turns=3, ttfa_p50=600, ttfa_p95=None, failed=0.0, wrong=0.0)


def searched() -> Capacity:
    answer = Answer(calls=4, interval=(4, 4), limited_by="agent", ended="found", words="4 calls", exit_code=0)
    steps = [hold(1, 2, "00:05"), hold(2, 4, "01:00"), hold(3, 4, "02:00")]
    recovery = Recovery(calls=2, before_ms=1, after_ms=1, step=hold(4, 2, "03:00"))
    return Capacity(
        answer=answer, objectives=[], turns_wanted={}, curve=[point(2), point(4)], steps=steps, recovery=recovery
    )


def observed(*names: str) -> Observed:
    """Each query is the number of the minute in one series, and 10 more in another; at 2:20 nothing is known."""
    values: list[tuple[float, float | None]] = [(float(at_s), at_s // 60) for at_s in range(0, 240, 5)]
    values = [(at_s, None if at_s == 140 else value) for at_s, value in values]
    higher = [(at_s, None if value is None else value + 10) for at_s, value in values]
    series = [{"points": values}, {"points": higher}]
    queries = [{"name": name, "query": "q", "series": series} for name in names]
    queries.append({"name": "failed", "query": "q", "error": "it was refused"})
    return Observed.model_validate(
        {"prometheus": "x", "started": "2030-01-01T00:00:00Z", "until_s": 240, "step_s": 5, "queries": queries}
    )


def test_each_step_has_what_was_observed_in_its_window() -> None:
    found = with_observed(searched(), observed("queue"))
    told = [[(each.query, each.mean, each.max) for each in step.observed] for step in found.steps]
    # The windows are 15 to 35, 70 to 90 and 130 to 150 s.
    assert told == [[("queue", 5, 10)], [("queue", 6, 11)], [("queue", 7, 12)]]
    assert [[(each.mean, each.max) for each in at.observed] for at in found.curve] == [[(5, 10)], [(6.44444, 12)]]
    assert found.recovery is not None
    assert found.recovery.step is not None
    assert [(each.mean, each.max) for each in found.recovery.step.observed] == [(8, 13)]


def test_a_step_in_which_nothing_was_scraped_has_no_values() -> None:
    late = observed("queue")
    for series in late.queries[0].series:
        series.points = [(at_s, value) for at_s, value in series.points if at_s < 60]
    found = with_observed(searched(), late)
    assert [[each.mean for each in step.observed] for step in found.steps] == [[5], [None], [None]]


def test_a_search_of_which_nothing_was_observed_is_as_before() -> None:
    assert with_observed(searched(), observed()) == searched()
    nowhere = observed("queue").model_copy(update={"started": "?"})
    assert with_observed(searched(), nowhere) == searched()


def test_a_capacity_file_from_before_is_read() -> None:
    older = RunDirectory(RECORDED / "capacity").read_capacity()
    assert older is not None
    assert [step.observed for step in older.steps] == [[] for _ in older.steps]


def printed(capacity: Capacity, folder: Path) -> str:
    console = Console(file=io.StringIO(), width=160, highlight=False, markup=False, soft_wrap=True)
    print_capacity(console, capacity, folder, target="staging")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_terminal_has_a_column_for_the_first_queries_and_counts_the_others(tmp_path: Path) -> None:
    lines = printed(with_observed(searched(), observed("a [red]b", "\x1b[2Jb", "c", "d", "e")), tmp_path).splitlines()
    head = next(line for line in lines if "calls failed" in line)
    assert "a [red]b, mean / max" in head
    assert "\x1b" not in head
    assert "d, mean" not in head
    assert any("6.444 / 12" in line for line in lines)
    assert "2 more columns of observed queries in the report" in lines


def test_the_terminal_is_as_before_without_queries(tmp_path: Path) -> None:
    assert "mean / max" not in printed(searched(), tmp_path)
