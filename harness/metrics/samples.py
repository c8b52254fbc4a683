"""Every sample of every metric, with its tags, out of measured calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.metrics.registry import METRICS, CallMetric, ExpectationMetric, Metric, SecondMetric, TurnMetric
from harness.record.metric_ref import MetricRef
from harness.record.result import CallResult, TurnResult


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric; a rate's is 1.0 where it failed, else 0.0.

    Attributes:
        fit: Not measured by a late harness, nor doubtful.
        by_agent: Where it is not fit, that is the agent's own doing.
        censored: The value itself is not known, only that it is larger: the turn was cut while it was awaited.
    """

    metric: str
    value: float
    scenario: str
    kind: str = ""
    expect: str = ""
    fit: bool = True
    censored: bool = False
    by_agent: bool = False

    @property
    def ours(self) -> bool:
        """Whether it counts, or was lost to something of ours; a cut wait counts as known."""
        return not self.by_agent or self.fit

    def matches(self, ref: MetricRef) -> bool:
        """Whether the sample belongs to the metric as narrowed by its tags."""
        return self.metric == ref.metric and all(getattr(self, key) == value for key, value in ref.tags)


def samples_of(calls: Iterable[CallResult], metrics: Sequence[Metric] = tuple(METRICS.values())) -> Iterator[Sample]:
    """All samples of these metrics.

    A cut call gives those of its finished turns; its running turn gives how long it was awaited.
    """
    for call in calls:
        for metric in metrics:
            match metric:
                case CallMetric():
                    yield from _of_call(metric, call)
                case SecondMetric():
                    yield from (Sample(metric.name, value, call.scenario) for value in metric.values(call))
                case TurnMetric():
                    for turn in call.turns:
                        yield from _of_turn(metric, call.scenario, turn)
                case ExpectationMetric():
                    yield from _of_expectations(metric, call)


def _of_call(metric: CallMetric, call: CallResult) -> Iterator[Sample]:
    value = metric.value(call)
    if value is not None:
        is_fit = all(turn.sure for turn in call.turns) if metric.of_audio else metric.is_fit(call)
        yield Sample(metric.name, value, call.scenario, fit=is_fit)


def _of_turn(metric: TurnMetric, scenario: str, turn: TurnResult) -> Iterator[Sample]:
    if turn.cut and metric.when_cut == "nothing":
        return
    value = None if turn.cut and metric.when_cut == "waited" else metric.value(turn)
    is_censored = turn.cut and value is None
    if is_censored:
        value = turn.awaited_ms
    if value is None:
        return
    if metric.always_fit:
        yield Sample(metric.name, value, scenario, turn.kind)
        return
    is_fit = turn.sure if metric.of_reply else not turn.ours
    yield Sample(metric.name, value, scenario, turn.kind, fit=is_fit, censored=is_censored, by_agent=not turn.ours)


def _of_expectations(metric: ExpectationMetric, call: CallResult) -> Iterator[Sample]:
    if call.cut:
        return
    for _, expectation in call.expectations():
        if expectation.outcome != "undecided":
            failed = float(expectation.outcome == "failed")
            yield Sample(metric.name, failed, call.scenario, expect=expectation.expect)
