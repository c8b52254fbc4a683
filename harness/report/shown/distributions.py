"""How the samples of a metric are distributed, by the same percentiles as everywhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pydantic import Field

from harness.formats import Recorded
from harness.metrics.metric import Metric
from harness.metrics.percentiles import percentiles
from harness.metrics.registry import METRICS
from harness.metrics.samples import samples_of
from harness.record.result import CallResult, counted_calls
from harness.report.numbers import ShownUnit, shown_in

MOST_VALUES = 400


class ShownMetric(Recorded):
    """A metric, described, and the distribution of its samples.

    Attributes:
        meaning: What it is, in a few words.
        unit: The unit in which `values` are shown; those of `percent` are ratios.
        is_rate: Whether it is a ratio of cases; such a metric has no distribution.
        values: The samples that enter the metric's percentiles, sorted. If there are more than `MOST_VALUES`, the
            percentiles at as many equal steps instead, by nearest rank, with the smallest sample in front.
        censored: How many further samples are only lower bounds, so that `values` is too optimistic.
    """

    meaning: str
    unit: ShownUnit
    is_rate: bool = False
    values: list[float] = Field(default_factory=list)
    censored: int = 0


def shown_metrics(calls: Sequence[CallResult]) -> dict[str, ShownMetric]:
    """Describes every metric that has samples among the calls that count."""
    counted = counted_calls(calls)
    return {name: shown for name, metric in METRICS.items() if (shown := _shown(metric, counted)) is not None}


def _shown(metric: Metric, calls: Iterable[CallResult]) -> ShownMetric | None:
    samples = [sample for sample in samples_of(calls, [metric]) if sample.fit]
    values = [sample.value for sample in samples if not sample.censored and math.isfinite(sample.value)]
    if not values:
        return None
    if metric.is_rate:
        return ShownMetric(meaning=metric.meaning, unit=shown_in(metric.name, metric.unit), is_rate=True)
    return ShownMetric(
        meaning=metric.meaning,
        unit=shown_in(metric.name, metric.unit),
        values=thinned(values),
        censored=sum(sample.censored for sample in samples),
    )


def thinned(values: Sequence[float]) -> list[float]:
    """The values sorted, or `MOST_VALUES` + 1 of them if there are more; see `ShownMetric.values`."""
    if len(values) <= MOST_VALUES:
        return sorted(values)
    return percentiles(values, [100 * step / MOST_VALUES for step in range(MOST_VALUES + 1)])
