"""The document that the report's page shows: the published JSON of the run, and what is derived from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from harness.formats import Recorded
from harness.metrics.registry import EXPECTATIONS
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult
from harness.record.summary import PATTERNS, ThresholdResult
from harness.report.bursts import Burst, bursts
from harness.report.capacity_table import recovery_line
from harness.report.hints import FailedKind, failed_kinds, hint_of
from harness.report.numbers import ShownUnit, shown_in, threshold_value
from harness.report.published import Published, published
from harness.report.shown.compared import ShownComparison, shown_comparison
from harness.report.shown.detailed import Detailed, detailed
from harness.report.shown.distributions import ShownMetric, shown_metrics
from harness.report.shown.failures import FailedExpectation, failed_expectations
from harness.report.shown.headline import Fact, about, excused, headline
from harness.report.shown.observed import ShownObserved, shown_observed
from harness.report.shown.over_time import OverTime, over_time
from harness.report.shown.pass_rates import PassRateRow, pass_rate_rows
from harness.report.shown.state import State


class Doubted(Recorded):
    """Why a part of a call is in no percentile, in words: a turn, or the greeting if `turn` is None."""

    turn: int | None
    unfit: list[str] = Field(default_factory=list)
    doubtful: list[str] = Field(default_factory=list)


class ShownCall(Recorded):
    """What the page shows of a call beyond its line in calls.jsonl.

    Attributes:
        repeated_as: The call that replaced it, because it could not be measured.
        doubted: Why parts of it are in no percentile.
        hints: What to do about its failures, in their order.
    """

    repeated_as: str | None = None
    doubted: list[Doubted] = Field(default_factory=list)
    hints: list[str] = Field(default_factory=list)


class ShownThreshold(Recorded):
    """A threshold: the value that it was judged by, with its unit, and its limit, if that is a value of samples."""

    value: str
    limit: float | None = None


class Shown(Recorded):
    """What the page shows beyond the files of the run. Texts are for people.

    Attributes:
        headline: The verdict.
        patterns: For each reason of summary.json, whether it is a flicker or a failure; empty if it is neither.
        excused: Failures that thresholds and pass rates excused.
        about: What was called, and how.
        metrics: The metrics of summary.json, described, with their distributions.
        kinds: Failures by kind.
        expectations: Expectations that failed.
        over_time: The run over time; None for a few calls.
        observed: What the agent's hosts did; None if they were not to be observed.
        thresholds: Additions to the thresholds of summary.json, in their order.
        pass_rates: How many calls passed what several were to pass.
        expectation_units: The unit in which the values of each expectation are shown.
        bursts: The bursts of a load.
        recovery: Whether latency recovered after a capacity search.
        calls: Additions to calls, by id; calls without any are absent.
    """

    headline: State
    patterns: list[str] = Field(default_factory=list)
    excused: list[str] = Field(default_factory=list)
    about: list[Fact] = Field(default_factory=list)
    metrics: dict[str, ShownMetric] = Field(default_factory=dict)
    kinds: list[FailedKind] = Field(default_factory=list)
    expectations: list[FailedExpectation] = Field(default_factory=list)
    over_time: OverTime | None = None
    observed: ShownObserved | None = None
    thresholds: list[ShownThreshold] = Field(default_factory=list)
    pass_rates: list[PassRateRow] = Field(default_factory=list)
    expectation_units: dict[str, ShownUnit] = Field(default_factory=dict)
    bursts: list[Burst] = Field(default_factory=list)
    recovery: str = ""
    calls: dict[str, ShownCall] = Field(default_factory=dict)


class Document(Recorded):
    """Everything that the page shows.

    Attributes:
        version: The version of this document.
        published: The run.
        shown: What is derived from it.
        detailed: Details of chosen calls.
        comparison: How the run compares with its baseline, if it has one.
    """

    version: Literal[1] = 1
    published: Published
    shown: Shown
    detailed: Detailed
    comparison: ShownComparison | None = None


def document(run: RecordedRun) -> Document:
    """Returns the document of a run. Recordings, timelines and the comparison are read from its folder."""
    public = published(run)
    return Document(
        published=public,
        shown=shown(run, public.calls),
        detailed=detailed(run.folder, public.calls),
        comparison=shown_comparison(run),
    )


def shown(run: RecordedRun, calls: Sequence[CallResult]) -> Shown:
    """Derives what the page shows of a run; reads no files."""
    capacity, summary = run.capacity, run.summary
    return Shown(
        headline=headline(summary, capacity),
        patterns=[PATTERNS[reason.pattern] if reason.pattern else "" for reason in summary.reasons] if summary else [],
        pass_rates=list(pass_rate_rows(summary)),
        excused=excused(summary),
        about=about(run),
        metrics=shown_metrics(calls) if summary is not None else {},
        kinds=failed_kinds(calls, None if summary is None else summary.failures),
        expectations=failed_expectations(calls),
        over_time=None if capacity is not None else over_time(run.settings, calls),
        observed=shown_observed(run.observed),
        thresholds=[_threshold(threshold) for threshold in summary.thresholds] if summary else [],
        expectation_units={name: shown_in(name, unit) for name, unit in EXPECTATIONS.items()},
        bursts=bursts(calls),
        recovery=recovery_line(capacity.recovery) if capacity is not None and capacity.recovery is not None else "",
        calls=dict(_additions(calls)),
    )


def _threshold(threshold: ThresholdResult) -> ShownThreshold:
    limit = threshold.limit
    is_of_samples = limit.aggregate not in {"count", "rate"}
    return ShownThreshold(value=threshold_value(threshold), limit=limit.value if is_of_samples else None)


def _additions(calls: Sequence[CallResult]) -> Iterator[tuple[str, ShownCall]]:
    again = {call.retry_of: call.call for call in calls if call.retry_of is not None}
    for call in calls:
        added = ShownCall(
            repeated_as=again.get(call.call),
            doubted=list(_doubted(call)),
            hints=[hint_of(seen) for seen in call.failures],
        )
        if added != ShownCall():
            yield call.call, added


def _doubted(call: CallResult) -> Iterator[Doubted]:
    if call.greeting is not None and not call.greeting.fit:
        yield Doubted(turn=None, unfit=[str(why) for why in call.greeting.unfit_why])
    for turn in call.turns:
        if turn.fit and not turn.doubtful:
            continue
        unfit = [str(why) for why in turn.unfit_why] or ([] if turn.fit else ["the harness was late"])
        if turn.ran_out is not None and not turn.fit:
            unfit[-1] += f"; what ran out: {turn.ran_out}"
        yield Doubted(turn=turn.turn, unfit=unfit, doubtful=[str(why) for why in turn.doubtful])
