"""A run's numbers: its calls counted, the statistics of each metric, and what its expectations came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.metrics.registry import METRICS
from harness.metrics.samples import Sample, samples_of
from harness.metrics.survival import shown_percentile, survival_mean
from harness.record.result import CallResult
from harness.record.summary import (
    CallCounts,
    CanarySummary,
    ExpectationCounts,
    MetricSummary,
    RateSummary,
    RemeasuredCounts,
)


def summarise(samples: Sequence[Sample]) -> dict[str, MetricSummary | RateSummary]:
    """Summarises the fit samples of each metric that has any."""
    found: dict[str, MetricSummary | RateSummary] = {}
    for metric in METRICS.values():
        found_here = [sample for sample in samples if sample.metric == metric.name and sample.fit]
        values = [sample.value for sample in found_here if not sample.censored]
        cut = [sample.value for sample in found_here if sample.censored]
        if not values:
            continue
        if metric.is_rate:
            rate = round(sum(values) / len(values), 4)
            found[metric.name] = RateSummary(count=len(values), failed=round(sum(values)), rate=rate)
        else:
            found[metric.name] = MetricSummary(
                count=len(values) + len(cut),
                min=min(values),
                mean=round(survival_mean(values, cut), 4),
                p50=shown_percentile(values, 50, cut),
                p90=shown_percentile(values, 90, cut),
                p95=shown_percentile(values, 95, cut),
                p99=shown_percentile(values, 99, cut),
                max=max([*values, *cut]),
                censored=len(cut),
            )
    return found


def count_calls(calls: Sequence[CallResult], dropped: int) -> CallCounts:
    """Counts the calls by how they ended; `dropped` ones were never made."""
    finished = [call for call in calls if not call.cut]
    ok = sum(bool(call.ok) for call in finished)
    return CallCounts(
        total=len(finished), ok=ok, failed=len(finished) - ok, dropped=dropped, cut=len(calls) - len(finished)
    )


def failures(calls: Sequence[CallResult]) -> dict[str, int]:
    """Returns the number of calls for each kind of failure."""
    return dict(Counter(str(call.failure) for call in calls if call.failure and not call.cut))


def canaries(calls: Sequence[CallResult]) -> CanarySummary | None:
    """Summarises the canaries of a load; None if there are none."""
    if not calls:
        return None
    return CanarySummary(
        engine=calls[0].engine,
        calls=count_calls(calls, 0),
        metrics=summarise(list(samples_of(calls))),
        failures=failures(calls),
    )


def remeasured(calls: Sequence[CallResult]) -> RemeasuredCounts | None:
    """Counts how calls were measured again; None if none was."""
    again = [call.remeasured for call in calls if call.remeasured is not None]
    if not again:
        return None
    return RemeasuredCounts(
        from_recordings=sum(each.voices == "recording" for each in again),
        live_onsets=dict(Counter(each.why for each in again if each.voices == "call")),
        unchanged=dict(Counter(each.why for each in again if each.voices == "none")),
    )


def expectation_counts(calls: Sequence[CallResult]) -> dict[str, ExpectationCounts]:
    """Counts the outcomes of each expectation by its name."""
    counts: dict[str, ExpectationCounts] = {}
    for call in calls:
        for _, expectation in call.expectations():
            count = counts.setdefault(expectation.expect, ExpectationCounts())
            setattr(count, expectation.outcome, getattr(count, expectation.outcome) + 1)
    return counts
