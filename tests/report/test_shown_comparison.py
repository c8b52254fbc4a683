"""A comparison in the report: its verdicts, and the baseline's samples to lay over those of the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.record.baseline import read_baseline
from harness.record.run_directory import BASELINE_FILE
from harness.report.shown.compared import ShownComparison, shown_comparison
from harness.run.finish import rebuild, rebuilt
from tests.compare.made_runs import compared_run
from tests.report.page_data import document_in


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = compared_run(tmp_path_factory.mktemp("compared") / "run")
    rebuild(made)
    return made


@pytest.fixture(scope="module")
def shown(folder: Path) -> ShownComparison:
    found = document_in((folder / "report.html").read_text(encoding="utf-8")).comparison
    assert found is not None
    return found


def test_a_slower_agent_is_a_regression_against_its_baseline(shown: ShownComparison) -> None:
    assert (shown.verdict, shown.baseline) == ("regression", "main")
    (ttfa,) = [row for row in shown.rows if row.metric == "turn.ttfa" and row.turn is None]
    assert ttfa.verdict == "regression"
    assert ttfa.calls == "30"


def test_the_baselines_samples_are_there_one_by_one(shown: ShownComparison, folder: Path) -> None:
    values = shown.metrics["turn.ttfa"].values
    calls = read_baseline(folder / BASELINE_FILE).calls
    assert values == sorted(value for call in calls for value in call.samples["turn.ttfa"].values())
    assert shown.metrics["turn.ttfa"].unit == "ms"
    assert "harness.lag" not in shown.metrics, "of each second the baseline has only means"
    assert "turn.interrupted" not in shown.metrics, "a rate has no distribution"


def test_a_run_without_a_comparison_has_none_and_without_its_baseline_no_samples(tmp_path: Path, folder: Path) -> None:
    run = rebuilt(folder)
    assert shown_comparison(replace(run, comparison=None)) is None
    alone = shown_comparison(replace(run, folder=tmp_path))
    assert alone is not None
    assert alone.metrics == {}, "the baseline's file is missing"
