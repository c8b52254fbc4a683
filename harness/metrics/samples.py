"""Extracts every sample of every metric, with its tags, from measured calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.metrics.metric import CallMetric, ExpectationMetric, Metric, SecondMetric, TurnMetric
from harness.metrics.registry import METRICS
from harness.record.metric_ref import MetricRef
from harness.record.result import CallResult, TurnResult


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric; for a rate, 1.0 if it failed or happened, otherwise 0.0.

    Attributes:
        fit: Whether it was measured by a harness that was on time, and is not doubtful.
        by_agent: Whether the agent is the cause if it is not fit.
        censored: Whether `value` is only a lower bound, because the turn was cut while waiting.
        call: The id of its call.
        turn: The number of its turn; None if it is of the whole call, or of a greeting or a wait.
    """

    metric: str
    value: float
    scenario: str
    kind: str = ""
    expect: str = ""
    fit: bool = True
    censored: bool = False
    by_agent: bool = False
    call: str = ""
    turn: int | None = None

    @property
    def ours(self) -> bool:
        """Whether it is fit, or unfit because of the harness; a censored sample counts as fit."""
        return not self.by_agent or self.fit

    def matches(self, ref: MetricRef) -> bool:
        """Whether the sample belongs to the metric and has the tags of `ref`."""
        return self.metric == ref.metric and all(getattr(self, key) == value for key, value in ref.tags)


def samples_of(calls: Iterable[CallResult], metrics: Sequence[Metric] = tuple(METRICS.values())) -> Iterator[Sample]:
    """Yields all samples of the given metrics.

    A cut call yields the samples of its finished turns; for the turn in progress, the time waited is a censored sample.
    """
    for call in calls:
        for metric in metrics:
            match metric:
                case CallMetric():
                    yield from _of_call(metric, call)
                case SecondMetric():
                    yield from (
                        Sample(metric.name, value, call.scenario, call=call.call) for value in metric.values(call)
                    )
                case TurnMetric():
                    for turn in call.turns:
                        yield from _of_turn(metric, call, turn)
                case ExpectationMetric():
                    yield from _of_expectations(metric, call)


def _of_call(metric: CallMetric, call: CallResult) -> Iterator[Sample]:
    value = metric.value(call)
    if value is not None:
        is_fit = all(turn.sure for turn in call.turns) if metric.of_audio else metric.is_fit(call)
        yield Sample(metric.name, value, call.scenario, fit=is_fit, call=call.call)


def _of_turn(metric: TurnMetric, call: CallResult, turn: TurnResult) -> Iterator[Sample]:
    if turn.cut and metric.when_cut == "nothing":
        return
    value = None if turn.cut and metric.when_cut == "waited" else metric.value(turn)
    is_censored = turn.cut and value is None
    if is_censored:
        value = turn.awaited_ms
    if value is None:
        return
    is_fit = metric.always_fit or (turn.sure if metric.of_reply else not turn.ours)
    yield Sample(
        metric.name,
        value,
        call.scenario,
        turn.kind,
        fit=is_fit,
        censored=is_censored,
        by_agent=not turn.ours,
        call=call.call,
        turn=turn.turn,
    )


def _of_expectations(metric: ExpectationMetric, call: CallResult) -> Iterator[Sample]:
    if call.cut:
        return
    for turn, expectation in call.expectations():
        if expectation.outcome != "undecided":
            failed = float(expectation.outcome == "failed")
            yield Sample(metric.name, failed, call.scenario, expect=expectation.expect, call=call.call, turn=turn)
