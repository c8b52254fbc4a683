"""The reports as people and CI servers get them, whole: what was looked at once and found right.

`pytest tests/report --update-golden` writes them anew; look at the difference before you keep it.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.record.recorded_run import RecordedRun
from harness.report.console import print_summary
from harness.report.junit import render_junit
from harness.report.turns_csv import render_turns_csv
from tests.golden import Golden
from tests.report.sample_run import sample_run

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def run(tmp_path: Path) -> RecordedRun:
    """Eight calls with something of everything, under a folder of a fixed name; recordings are left out."""
    made = sample_run(tmp_path)
    for call in made.calls:
        call.recording = None
    return RecordedRun(Path("reports/sample"), made.settings, made.calls, made.summary)


def test_what_ci_servers_read(run: RecordedRun, golden: Golden) -> None:
    golden.check(GOLDEN / "junit.xml", render_junit(run))


def test_the_table_of_turns(run: RecordedRun, golden: Golden) -> None:
    golden.check(GOLDEN / "turns.csv", render_turns_csv(run.calls))


def test_what_a_terminal_shows(run: RecordedRun, golden: Golden) -> None:
    assert run.summary is not None
    out = io.StringIO()
    print_summary(Console(file=out, width=120, color_system=None), run.summary, run.calls, run.folder)
    golden.check(GOLDEN / "console.txt", out.getvalue())
