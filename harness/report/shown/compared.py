"""A run's comparison with its baseline, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from harness.compare.samples import call_samples
from harness.errors import ConfigError
from harness.formats import Recorded
from harness.metrics.registry import METRICS
from harness.record.baseline import read_baseline
from harness.record.call_samples import AtLeast, CallSamples, Cell, Several
from harness.record.comparison import Comparison, Difference, Overall
from harness.record.recorded_run import RecordedRun
from harness.record.run_directory import BASELINE_FILE
from harness.report.comparison_rows import ComparisonRow, comparison_rows
from harness.report.numbers import shown_in
from harness.report.shown.distributions import ShownMetric, thinned


class ShownComparison(Recorded):
    """A comparison.

    Attributes:
        verdict: The overall verdict.
        baseline: The name of the baseline.
        rows: All comparisons, as texts.
        differences: In what the testbeds differ.
        notes: What was left out of the comparison and why.
        metrics: The baseline's samples, where its file has them one by one.
    """

    verdict: Overall
    baseline: str
    rows: list[ComparisonRow] = Field(default_factory=list)
    differences: list[Difference] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    metrics: dict[str, ShownMetric] = Field(default_factory=dict)


def shown_comparison(run: RecordedRun) -> ShownComparison | None:
    """The run's comparison; None if there is none. Without a readable copy of the baseline it has no samples."""
    if run.comparison is None:
        return None
    try:
        calls = _baseline_calls(run)
    except ConfigError:
        calls = []
    return compared(run.comparison, calls)


def _baseline_calls(run: RecordedRun) -> Sequence[CallSamples]:
    """The calls that the run is compared with: those to the other version, or those of its copy of the baseline."""
    if run.settings.in_turns is not None:
        return call_samples(run.calls, side="baseline")
    file = run.folder / BASELINE_FILE
    return read_baseline(file).calls if file.exists() else []


def compared(comparison: Comparison, calls: Sequence[CallSamples]) -> ShownComparison:
    """A comparison with the calls of its baseline."""
    return ShownComparison(
        verdict=comparison.verdict,
        baseline=comparison.baseline.name,
        rows=list(comparison_rows(comparison)),
        differences=comparison.differences,
        notes=comparison.notes,
        metrics=_metrics(calls),
    )


def _metrics(calls: Sequence[CallSamples]) -> dict[str, ShownMetric]:
    cells: dict[str, list[Cell]] = {}
    for call in calls:
        for name, by_turn in call.samples.items():
            cells.setdefault(name, []).extend(by_turn.values())
    found = {}
    for name, of in cells.items():
        metric = METRICS.get(name)
        # Of what comes once a second, the file has only the mean of each call.
        if metric is None or metric.is_rate or any(isinstance(cell, Several) for cell in of):
            continue
        values = [cell for cell in of if isinstance(cell, float)]
        if values:
            censored = sum(isinstance(cell, AtLeast) for cell in of)
            unit = shown_in(name, metric.unit)
            found[name] = ShownMetric(meaning=metric.meaning, unit=unit, values=thinned(values), censored=censored)
    return found
