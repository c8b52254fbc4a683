from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.clock import SystemClock
from harness.stack.agents.truth_log import TruthLog


def test_lines_are_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    clock = SystemClock()
    before = clock.now_ns()
    log = TruthLog(path, clock)
    log.write("room-1", "demo", "heard", text="grüß dich")
    [line] = [json.loads(line) for line in path.read_text().splitlines()]
    assert before <= line.pop("t") <= clock.now_ns()
    assert line == {"room": "room-1", "agent": "demo", "event": "heard", "text": "grüß dich"}
    log.close()


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    TruthLog(None, SystemClock()).write("r", "demo", "joined")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["/dev/full", "/proc/no/such/folder/truth.jsonl"])
def test_a_failing_disk_ends_the_log_and_nothing_else(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = TruthLog(Path(path), SystemClock())
    for _ in range(3):
        log.write("r", "demo", "joined")
    log.close()
    assert capsys.readouterr().err.count("the calls go on without it") == 1
