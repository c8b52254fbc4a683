"""Two versions of a real agent called in turns: a slower one is found, the same one twice is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import LiveStack, Ran, run, until_fit

pytestmark = pytest.mark.live

SCENARIO = """
name: typed
greeting: {within: 10s}
timeouts: {end_silence: 500ms}
turns:
  - type: When do you open?
  - type: And on Saturday?
"""
# Slots that begin with different versions, and blocks of ten a side.
CALLS = ("--engine", "light", "--calls", "4", "--record", "none")


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "typed.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def called(stack: LiveStack, folder: Path, scenario: Path, *options: str) -> Ran:
    return until_fit(
        lambda attempt: run(stack, folder / f"run-{attempt}", [scenario], *CALLS, *options), lambda ran: ran.fit, "both"
    )


def comparison(ran: Ran) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ran.folder / "comparison.json").read_text(encoding="utf-8"))
    return found


def ttfa(ran: Ran) -> dict[str, Any]:
    return next(one for one in comparison(ran)["compared"] if one["metric"] == "turn.ttfa" and one["turn"] is None)


def test_an_agent_that_answers_300_ms_later_is_a_regression(stack: LiveStack, tmp_path: Path, scenario: Path) -> None:
    ran = called(stack, tmp_path, scenario, "--agent", "slowed", "--against-agent", "steady", "--repeat", "4")
    assert ran.code == 1, ran.out
    assert "regression of turn.ttfa" in ran.out
    found = ttfa(ran)
    assert (found["verdict"], comparison(ran)["method"]) == ("regression", "paired")
    assert 200 < found["effect"] < 400
    lines = [json.loads(line) for line in (ran.folder / "calls.jsonl").read_text().splitlines()]
    agents = {side: {line["agent"] for line in lines if line["side"] == side} for side in ("baseline", "run")}
    assert agents == {"baseline": {"steady"}, "run": {"slowed"}}
    blocks = [sorted(line["side"] for line in lines if line["block"] == block) for block in range(16)]
    assert blocks == [["baseline", "run"]] * 16
    assert ran.summary["calls"]["total"] == 16


def test_the_same_agent_twice_is_no_regression(stack: LiveStack, tmp_path: Path, scenario: Path) -> None:
    ran = called(stack, tmp_path, scenario, "--agent", "steady", "--against-agent", "steady", "--repeat", "4")
    assert ran.code == 0, ran.out
    assert ttfa(ran)["verdict"] == "same"


def test_calls_end_once_the_comparison_is_decided(stack: LiveStack, tmp_path: Path, scenario: Path) -> None:
    # Any difference is smaller than what matters here, so the first look decides; rates would need more calls.
    options = ("--smallest-effect", "5s,90pp,95%", "--repeat", "auto", "--max-sessions", "400")
    ran = called(stack, tmp_path, scenario, "--agent", "slowed", "--against-agent", "steady", *options)
    assert ran.code == 0, ran.out
    assert "look 1 of 5" in ran.out
    assert len((ran.folder / "calls.jsonl").read_text().splitlines()) < 400
    assert comparison(ran)["look"]["planned"] == [12, 24, 48, 96, 200]


def test_a_version_that_cannot_be_called_is_named(stack: LiveStack, tmp_path: Path, scenario: Path) -> None:
    options = ("--agent", "steady", "--against-agent", "server_error")
    ran = run(stack, tmp_path / "run", [scenario], *CALLS, *options)
    assert ran.code == 3, ran.out
    assert "agent server_error, to compare with: session." in ran.out


def test_a_run_that_called_two_versions_is_judged_again_alike(stack: LiveStack, tmp_path: Path, scenario: Path) -> None:
    from harness.run.finish import rebuild

    ran = run(stack, tmp_path / "run", [scenario], *CALLS, "--agent", "steady", "--against-agent", "slowed")
    before = (ran.folder / "comparison.json").read_bytes()
    rebuild(ran.folder, remeasure=True)
    assert (ran.folder / "comparison.json").read_bytes() == before
