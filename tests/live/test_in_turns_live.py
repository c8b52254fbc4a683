"""Two versions of a real agent called in turns: a slower one is found, the same one twice is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.run.finish import rebuild
from tests.live.conftest import LiveStack, Ran, harness, run, until_fit

pytestmark = pytest.mark.live

SCENARIO = """
name: typed
greeting: {within: 10s}
timeouts: {end_silence: 500ms}
turns:
  - type: When do you open?
  - type: And on Saturday?
"""
# Ten calls a side, in slots that begin with different versions.
CALLS = ("--engine", "light", "--calls", "10", "--record", "none")


def called(stack: LiveStack, folder: Path, *options: str) -> Ran:
    scenario = folder / "typed.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    return until_fit(
        lambda attempt: run(stack, folder / f"run-{attempt}", [scenario], *CALLS, *options), lambda ran: ran.fit, "both"
    )


@pytest.fixture(scope="module")
def slower(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """An agent that answers 300 ms later than the one that it is compared with."""
    folder = tmp_path_factory.mktemp("slower")
    return called(stack, folder, "--agent", "slowed", "--against-agent", "steady")


def comparison(ran: Ran) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ran.folder / "comparison.json").read_text(encoding="utf-8"))
    return found


def ttfa(ran: Ran) -> dict[str, Any]:
    return next(one for one in comparison(ran)["compared"] if one["metric"] == "turn.ttfa" and one["turn"] is None)


def test_an_agent_that_answers_later_is_a_regression(slower: Ran) -> None:
    assert slower.code == 1, slower.out
    assert "regression of turn.ttfa" in slower.out
    found = ttfa(slower)
    assert (found["verdict"], comparison(slower)["method"]) == ("regression", "paired")
    assert 200 < found["effect"] < 400


def test_each_block_has_a_call_of_both(slower: Ran) -> None:
    agents = {side: {line["agent"] for line in slower.lines if line["side"] == side} for side in ("baseline", "run")}
    assert agents == {"baseline": {"steady"}, "run": {"slowed"}}
    blocks = [sorted(line["side"] for line in slower.lines if line["block"] == block) for block in range(10)]
    assert blocks == [["baseline", "run"]] * 10
    assert slower.summary["calls"]["total"] == 10


def test_it_is_judged_again_alike_from_its_timelines(slower: Ran) -> None:
    before = (slower.folder / "comparison.json").read_bytes()
    assert rebuild(slower.folder, remeasure=True).exit_code == 1
    assert (slower.folder / "comparison.json").read_bytes() == before


@pytest.fixture(scope="module")
def same(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The same agent twice, until it is decided. Rates would need more calls, if smaller differences mattered."""
    options = ("--smallest-effect", "150ms,90pp,95%", "--repeat", "auto", "--max-sessions", "80")
    folder = tmp_path_factory.mktemp("same")
    return called(stack, folder, "--agent", "steady", "--against-agent", "steady", *options)


def test_the_same_agent_twice_is_no_regression(same: Ran) -> None:
    assert same.code == 0, same.out
    assert ttfa(same)["verdict"] == "same"


def test_calls_end_at_a_look_that_decides(same: Ran) -> None:
    taken = comparison(same)["look"]
    assert taken["planned"] == [10, 20, 40]
    assert len(same.lines) == 2 * taken["planned"][taken["number"] - 1]
    assert f"look {taken['number']} of 3, " in same.out


def test_a_live_run_can_be_a_baseline(same: Ran, tmp_path: Path) -> None:
    saved = harness("baseline", "save", str(same.folder), "--name", "today", cwd=tmp_path)
    assert saved.returncode == 0, saved.stdout
    again = harness("compare", str(same.folder), "today", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stdout
    compared = json.loads(again.stdout)
    counts = (compared["baseline"]["calls"], compared["run"]["calls"])
    assert (compared["method"], *counts) == (
        "independent",
        same.summary["calls"]["total"],
        same.summary["calls"]["total"],
    )


def test_a_version_that_cannot_be_called_is_named(stack: LiveStack, tmp_path: Path) -> None:
    ran = called(stack, tmp_path, "--agent", "steady", "--against-agent", "server_error")
    assert ran.code == 3, ran.out
    assert "agent server_error, to compare with: session." in ran.out
