"""Judges thresholds over a run's samples, and checks that a script can produce such samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import Place, UsageError, raise_all
from harness.metrics.metric import ExpectationMetric, TurnMetric
from harness.metrics.percentiles import is_largest
from harness.metrics.registry import EXPECTATIONS, METRICS
from harness.metrics.samples import Sample
from harness.metrics.survival import survival_mean, survival_percentile
from harness.metrics.threshold import check_threshold
from harness.parsing.limits import Limit
from harness.record.metric_ref import MetricRef
from harness.record.summary import NoSample, ThresholdResult
from harness.scenario.model import Scenario, Step
from harness.text.counted import counted

_NO_SAMPLE: dict[NoSample, str] = {
    "none": "there is no sample",
    "late": "all its samples were measured by a late harness",
    "doubtful": "all its samples are doubtful, by what the agent did",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit on one metric's samples.

    Attributes:
        ref: The metric.
        limit: The limit.
        where: Its place in a file, or the option that set it.
        abort_after_s: If it is missed so many seconds after the run's start or later, it aborts it; None: never.
    """

    ref: MetricRef
    limit: Limit
    where: Place | str
    abort_after_s: float | None = None


def scenario_thresholds(
    scenario: Scenario, where: Callable[[str, str], Place | str], *, alone: bool
) -> list[Threshold]:
    """Returns a scenario's own thresholds.

    Args:
        scenario: The scenario.
        where: Returns the place of the value under two keys.
        alone: Whether the run has only this scenario. If not, the thresholds are limited to the scenario's own calls.
    """
    found = []
    for name, limits in scenario.thresholds.items():
        for each in limits:
            ref, limit = check_threshold(name, each.limit)
            if not alone and "scenario" not in dict(ref.tags):
                ref = MetricRef(ref.metric, (*ref.tags, ("scenario", scenario.name)))
            found.append(Threshold(ref, limit, where("thresholds", name), each.abort_after_s))
    return found


def check_possible(thresholds: Sequence[Threshold], scenarios: Sequence[Scenario], *, engine: str = "sdk") -> None:
    """Checks that the scenarios and the engine can produce samples for each threshold.

    Raises:
        UsageError: One threshold cannot get a sample; the error names it.
        SeveralErrors: Several thresholds cannot.
    """
    problems = []
    for threshold in thresholds:
        engines = METRICS[threshold.ref.metric].engines
        if engine not in engines:
            what = f"engine {engine} gives no sample of {threshold.ref}"
            hint = f"use --engine {' or '.join(engines)}, or remove the threshold"
            problems.append(UsageError(what, where=threshold.where, hint=hint))
        elif not any(_can_give(threshold.ref, scenario) for scenario in scenarios):
            what = f"no scenario of this run can give a sample of {threshold.ref}"
            hint = "remove the threshold, or add a step that is measured by it"
            problems.append(UsageError(what, where=threshold.where, hint=hint))
    raise_all(problems)


def _can_give(ref: MetricRef, scenario: Scenario) -> bool:
    tags = dict(ref.tags)
    if tags.get("scenario", scenario.name) != scenario.name:
        return False
    match METRICS[ref.metric]:
        case TurnMetric() as metric:
            steps = [step for step in scenario.turns if step.kind in metric.kinds]
            return any(_step_can_give(metric, step) for step in steps if tags.get("kind", step.kind) == step.kind)
        case ExpectationMetric():
            return bool(expectation_names(scenario) & ({tags["expect"]} if "expect" in tags else set(EXPECTATIONS)))
        case metric:
            return metric.name != "greeting.ttfa" or scenario.greeting is not False


def _step_can_give(metric: TurnMetric, step: Step) -> bool:
    """Returns whether a turn of that step can give a sample of the metric.

    In a turn with `keeps_talking`, some metrics are not measured, and one is measured only there.
    """
    is_to_talk_on = bool(step.expect.keeps_talking)
    return metric.keeps_talking == "too" or is_to_talk_on == (metric.keeps_talking == "only")


def expectation_names(scenario: Scenario) -> set[str]:
    """Returns the names of all expectations of a scenario."""
    names = {"exercised"} if any(step.kind == "barge_in" for step in scenario.turns) else set()
    holders = [step.expect for step in scenario.turns] + ([scenario.greeting] if scenario.greeting else [])
    for holder in holders:
        names |= set(holder.given) - {"reply"}
        if holder.reply is not None:
            names |= set(holder.reply.given)
    return names


def judge_threshold(threshold: Threshold, samples: Sequence[Sample]) -> ThresholdResult:
    """Judges the threshold over the fit samples; `ok` is None if it could not be decided."""
    found = [sample for sample in samples if sample.matches(threshold.ref)]
    values = [sample.value for sample in found if sample.fit and not sample.censored]
    cut = [sample.value for sample in found if sample.fit and sample.censored]
    ref, limit = threshold.ref, threshold.limit
    is_rate = METRICS[threshold.ref.metric].is_rate
    if limit.aggregate == "count" and (values or (not found and not is_rate)):
        number = count_of(values, is_rate=is_rate)
        return ThresholdResult(metric=ref, limit=limit, value=number, samples=len(values), ok=limit.holds(number))
    if not values and not cut:
        lacks: NoSample = "none" if not found else "late" if any(one.ours for one in found) else "doubtful"
        result = ThresholdResult(metric=ref, limit=limit, value=None, samples=0, ok=None)
        result.why, result.no_sample = _NO_SAMPLE[lacks], lacks
        return result
    count = len(values) + len(cut)
    result = ThresholdResult(metric=ref, limit=limit, value=None, samples=count, ok=None)
    value = aggregate_of(values, cut, limit, is_rate=is_rate)
    in_vain = f"{counted(len(cut), 'turn')} of {count} cut while the reply was awaited" if cut else ""
    if value is None:
        # The value is longer than the longest wait that was cut, which may already exceed the limit.
        result.value = round(max(cut), 6)
        result.ok = False if limit.op in ("<", "<=") and not limit.holds(result.value) else None
        result.why = f"{limit.aggregate} is over {result.value:.0f} ms: {in_vain}"
        return result
    result.value = round(value, 6)
    result.ok = limit.holds(result.value)
    if limit.percentile is not None and limit.percentile < 100 and is_largest(count, limit.percentile):
        result.why = f"of {counted(count, 'sample')} {limit.aggregate} is the largest"
    result.why = "; ".join(filter(None, (result.why, in_vain)))
    return result


def count_of(values: Sequence[float], *, is_rate: bool) -> float:
    """Returns the number of samples; of a rate the number of cases."""
    return float(sum(values)) if is_rate else float(len(values))


def aggregate_of(values: Sequence[float], cut: Sequence[float], limit: Limit, *, is_rate: bool) -> float | None:
    """Returns the value that a limit judges; None if it lies beyond everything measured.

    Args:
        values: The fit samples; at least one, or one of `cut`, except for a count.
        cut: Waits that were cut short: lower bounds of samples.
        limit: The limit.
        is_rate: Whether the samples are those of a rate: 1 and 0.
    """
    if limit.percentile is not None:
        return survival_percentile(values, cut, limit.percentile)
    match limit.aggregate:
        case "count":
            return count_of(values, is_rate=is_rate)
        case "min":
            return min(values or cut)
        case "max":
            return max([*values, *cut])
        case "med":
            return survival_percentile(values, cut, 50)
        case _:  # avg, and rate: the mean of zeros and ones
            return survival_mean(values, cut)
