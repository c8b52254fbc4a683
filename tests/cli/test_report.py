"""A run's reports, at its end and made again: the JUnit copy, the exit code, what is printed and how wide."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.judge.verdict import judge_run
from harness.measure.media_health import MediaHealth
from harness.record.result import CallResult
from harness.record.summary import Ending
from harness.report.console import print_summary
from harness.testing import FakeSessionService, refusal
from tests.cli.conftest import KEY, Command, write_scenario
from tests.cli.served import served

ENV = {"VOICE_HARNESS_API_KEY": KEY}


def test_a_quiet_run_and_its_report_made_again(command: Command, tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, "name: a\nturns:\n  - say: hello\n")
    with served(FakeSessionService(refusal(403))) as service:
        words = ["run", scenario, "--target", service.url, "--agent", "x", "--out", "run", "--junit", "new/first.xml"]
        first = command(*words, "-q", env=ENV)
    assert first.code == 3, first.out
    lines = first.out.splitlines()
    assert lines[0].startswith("[1/1] FAILED 0001-a")
    assert lines[-1].startswith("INFRASTRUCTURE  0 of 1 call ok")
    assert not any("p50" in line for line in lines), "the table is no failure"

    again = command("report", "run", "--junit", "again.xml")
    assert again.code == 3
    assert again.out.splitlines()[-1] == lines[-1]
    whole = (tmp_path / "run" / "junit.xml").read_text()
    assert "session.unauthorized" in whole
    assert (tmp_path / "new" / "first.xml").read_text() == (tmp_path / "again.xml").read_text() == whole


def test_a_run_is_never_written_over_another(command: Command, tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, "name: a\nturns:\n  - say: hello\n")
    with served(FakeSessionService(refusal(403))) as service:
        words = ["run", scenario, "--target", service.url, "--agent", "x", "--out", "run"]
        assert command(*words, env=ENV).code == 3
        before = (tmp_path / "run" / "calls.jsonl").read_bytes()
        second = command(*words, env=ENV)
        assert len(service.requests) == 1
    assert second.code == 2
    assert "a run is recorded there already" in second.error
    assert (tmp_path / "run" / "calls.jsonl").read_bytes() == before


@pytest.mark.parametrize("width", [64, 80, 100, 200])
def test_the_table_fits_the_terminal_and_no_number_is_cut(width: int) -> None:
    health = MediaHealth(level_dbfs=-22.5, jitter_buffer_ms=1234.5)
    calls = [
        CallResult(call=f"{n}", scenario="x", started="", ok=True, session_create_ms=1234.5 + n, media=health)
        for n in range(300)
    ]
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False, emoji=False)
    print_summary(console, judge_run(calls, [], target="embedded", ending=Ending()), calls, Path("run"))
    table = [line for line in out.getvalue().splitlines() if "1,384 ms" in line or "dBFS" in line or "p50" in line]
    assert len(table) == 3, out.getvalue()
    assert not any("…" in line or len(line) > width for line in table), out.getvalue()
