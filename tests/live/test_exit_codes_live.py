"""Why a run failed is its exit code, with the real stack; codes 2, 3 and 4 are in the tests of what causes them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.live.conftest import LiveStack, Ran, start

pytestmark = pytest.mark.live

SCENARIO = """
name: typed
greeting: {{within: 10s}}
timeouts: {{end_silence: 500ms}}
turns:
  - type: When do you open?
    expect: {{reply: {{contains: {word}}}}}
"""
OPTIONS = ("--agent", "steady", "--engine", "light", "--retry-unfit", "2")


def written(folder: Path, word: str, more: str = "") -> Path:
    path = folder / f"{word}.yaml"
    path.write_text(SCENARIO.format(word=word) + more, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ran(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Three runs side by side: one that passes, one that misses an expectation, and one that misses a threshold."""
    folder = tmp_path_factory.mktemp("codes")
    nine, ten = written(folder, "nine"), written(folder, "ten")
    running = {
        "passes": start(stack, folder / "passes", [nine], *OPTIONS, "--threshold", "turn.ttfa: max<5s"),
        "expectation": start(stack, folder / "expectation", [ten], *OPTIONS),
        "threshold": start(stack, folder / "threshold", [nine], *OPTIONS, "--threshold", "turn.ttfa: max<100ms"),
    }
    return {name: started.ran() for name, started in running.items()}


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("passes", 0, "PASS"),
        ("expectation", 1, "reason (1): expectation contains"),
        ("threshold", 1, "reason (1): threshold turn.ttfa max<100ms"),
    ],
)
def test_the_exit_code_and_its_reason(ran: dict[str, Ran], name: str, code: int, reason: str) -> None:
    assert ran[name].code == code, ran[name].out
    assert reason in ran[name].out


def test_an_interrupted_run_is_130_and_whole(stack: LiveStack, tmp_path: Path) -> None:
    running = start(stack, tmp_path / "run", [written(tmp_path, "nine", "  - wait: 5m\n")], *OPTIONS, "-v")
    assert running.process.stdout is not None
    while "wait.started" not in (line := running.process.stdout.readline()):
        assert line, "the run ended by itself"
    running.process.send_signal(signal.SIGINT)
    ended = running.ran()
    assert ended.code == 130, ended.out
    assert (ended.summary["verdict"], ended.lines[0]["cut"], len(ended.lines[0]["turns"])) == ("interrupted", True, 1)
