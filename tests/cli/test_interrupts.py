"""Ctrl-C and SIGTERM at each stage: 130, and everything that was there to be written is written."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.testing import FakeSessionService, hanging, refusal
from tests.cli.conftest import KEY, environment, process, write_scenario

REPORTS = {"run.json", "summary.json", "turns.csv", "junit.xml", "report.html", "calls.jsonl"}


@dataclass
class Run:
    """A run under way against a service of the test's own."""

    process: subprocess.Popen[str]
    folder: Path

    async def until(self, word: str) -> None:
        """Reads lines up to the one that holds `word`."""
        stdout = self.process.stdout
        assert stdout is not None
        while line := await asyncio.to_thread(stdout.readline):
            if word in line:
                return
        raise AssertionError(f"the run ended without saying {word!r}")

    async def end(self) -> tuple[int, str]:
        out, _ = await asyncio.to_thread(self.process.communicate, None, 30)
        return self.process.returncode, out

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "summary.json").read_text())

    @property
    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir() if path.is_file()}


def start(folder: Path, url: str, *options: str) -> Run:
    scenario = write_scenario(folder, "name: a\nturns:\n  - say: hello\n")
    words = ["run", scenario, "--target", url, "--agent", "x", "--out", folder / "run", *options]
    return Run(process(*words, cwd=folder, env=environment(VOICE_HARNESS_API_KEY=KEY)), folder / "run")


@pytest.fixture
async def deaf() -> AsyncIterator[FakeSessionService]:
    """A service that takes requests and never answers."""
    async with FakeSessionService(hanging()) as service:
        yield service


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_call_that_runs_is_cut_and_written(
    deaf: FakeSessionService, tmp_path: Path, number: signal.Signals
) -> None:
    run = start(tmp_path, deaf.url, "--calls", "2")
    await deaf.wait_for_requests(2)
    run.process.send_signal(number)
    code, out = await run.end()
    assert code == 130, out
    assert run.files == REPORTS
    assert run.summary["verdict"] == "interrupted"
    assert run.summary["calls"] == {
        "total": 0,
        "ok": 0,
        "failed": 0,
        "dropped": 0,
        "cut": 2,
        "warm_up": 0,
        "retried": 0,
    }
    lines = [json.loads(line) for line in (run.folder / "calls.jsonl").read_text().splitlines()]
    assert [(line["ok"], line["cut"]) for line in lines] == [(None, True)] * 2
    assert "Traceback" not in out


async def test_a_second_signal_ends_at_once(deaf: FakeSessionService, tmp_path: Path) -> None:
    run = start(tmp_path, deaf.url)
    await deaf.wait_for_requests(1)
    run.process.send_signal(signal.SIGINT)
    run.process.send_signal(signal.SIGTERM)
    code, out = await run.end()
    assert code == 130
    assert "Traceback" not in out


async def test_reports_that_are_being_written_are_written_to_their_end(tmp_path: Path) -> None:
    async with FakeSessionService(refusal(403)) as service:
        run = start(tmp_path, service.url)
        await run.until("[1/1]")
        run.process.send_signal(signal.SIGTERM)
        code, out = await run.end()
    assert code in (3, 130), out  # whether the signal came before the last call's end was taken note of
    assert run.files == REPORTS
    assert run.summary["exit_code"] == code
    assert run.summary["failures"] == {"session.unauthorized": 1}


async def test_the_run_can_be_interrupted_from_the_plan_on(deaf: FakeSessionService, tmp_path: Path) -> None:
    run = start(tmp_path, deaf.url)
    await run.until("plan:")
    run.process.send_signal(signal.SIGINT)
    code, out = await run.end()
    assert code == 130, out
    assert run.files >= REPORTS - {"calls.jsonl"}
    assert run.summary["verdict"] == "interrupted"


async def test_a_key_is_in_nothing_that_an_interrupted_run_leaves(deaf: FakeSessionService, tmp_path: Path) -> None:
    run = start(tmp_path, deaf.url, "-v", "--record", "all")
    await deaf.wait_for_requests(1)
    assert KEY not in Path(f"/proc/{run.process.pid}/cmdline").read_text()
    run.process.send_signal(signal.SIGINT)
    _, out = await run.end()
    assert deaf.requests[0].headers["x-api-key"] == KEY
    assert KEY not in out
    for path in run.folder.rglob("*"):
        assert path.is_dir() or KEY not in path.read_text()
