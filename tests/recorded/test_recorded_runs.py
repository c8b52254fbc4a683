"""Runs of every kind, recorded once: they are read, measured and judged for ever, and come to the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.record.run_directory import COMPARISON_FILE
from harness.run.finish import rebuild
from tests.golden import Golden

RUNS = sorted(path.parent for path in Path(__file__).parent.glob("*/run.json"))
REPORTS = ("summary.json", "turns.csv", "junit.xml")


@pytest.mark.parametrize("run", RUNS, ids=lambda path: path.name)
def test_a_recorded_run_comes_to_the_same_bytes_when_it_is_measured_again(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    copy = Path(run.name)
    shutil.copytree(run, tmp_path / copy, ignore=shutil.ignore_patterns(*REPORTS, COMPARISON_FILE))
    monkeypatch.chdir(tmp_path)  # reports name the run's folder
    rebuild(copy, remeasure=True)
    compared = (COMPARISON_FILE,) if (copy / COMPARISON_FILE).exists() else ()
    for name in (*REPORTS, *compared):
        golden.check(run / name, (copy / name).read_text(encoding="utf-8"))


def test_there_are_runs_of_every_kind() -> None:
    assert {path.name for path in RUNS} == {
        "burst",
        "capacity",
        "faults-light",
        "faults-sdk",
        "in-turns",
        "killed",
        "load",
        "recording",
        "talk-light",
        "talk-sdk",
    }
