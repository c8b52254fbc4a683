"""`capacity` against the real stack: one step, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.record.run_directory import CAPACITY_FILE
from tests.live.conftest import LiveStack, Ran, harness, until_fit
from tests.report.page_data import document_in

pytestmark = pytest.mark.live

TYPED = """
name: typed
agent: light
timeouts: {end_silence: 500ms}
turns:
  - type: Do you have parking?
"""


def test_a_step_is_held_and_judged_by_what_was_said_while_all_calls_talked(stack: LiveStack, tmp_path: Path) -> None:
    scenario = tmp_path / "typed.yaml"
    scenario.write_text(TYPED)
    slo, few = ("--slo", "turn.ttfa: p(95)<9s"), ("--start", "2", "--max", "2", "--max-time", "1s")

    def search(attempt: int) -> tuple[Ran, dict[str, Any]]:
        folder = tmp_path / f"run-{attempt}"
        done = harness("capacity", str(scenario), "--target", stack.session_url, *slo, *few, "--out", str(folder))
        return Ran(done.returncode, done.stdout, folder), json.loads((folder / CAPACITY_FILE).read_text())

    # A search whose time was up exits with 4 by itself: whether this machine was fit is told by the step.
    ran, found = until_fit(search, lambda made: made[1]["steps"][0]["verdict"] != "unfit", "a step of two calls")
    folder = ran.folder
    assert (ran.code, ran.summary["exit_code"]) == (4, 4), ran.out
    (step,) = found["steps"]
    assert (step["calls"], step["verdict"], found["answer"]["ended"]) == (2, "met", "time")
    assert step["call_ids"] == sorted(call["call"] for call in ran.lines)
    assert len(step["call_ids"]) == 2
    assert 10 <= step["turns"] <= sum(len(call["turns"]) for call in ran.lines)
    assert step["talk_share"] > 0.9
    assert "(--max-time)" in ran.out
    assert document_in((folder / "report.html").read_text(encoding="utf-8")).published.capacity is not None
    assert harness("report", str(folder)).returncode == 4, "a search is not judged again by its calls"
