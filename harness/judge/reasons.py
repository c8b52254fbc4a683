"""Why a run did not pass, by its calls, its expectations and its thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_UNFIT
from harness.failures import FailureKind, side_of
from harness.judge.excused import Excused
from harness.judge.parts import around_expectation
from harness.judge.pass_rates import Tallies
from harness.metrics.percentiles import least_samples
from harness.metrics.samples import Sample
from harness.record.reason import (
    AllCutEarly,
    CallsFailed,
    Cause,
    ExpectationFailed,
    NeverDecided,
    NoneStarted,
    PassMissed,
    PassOpen,
    ThresholdMissed,
    ThresholdOpen,
    TooFewSamples,
)
from harness.record.result import CallResult, ExpectationResult
from harness.record.summary import CallCounts, PassRateResult, Pattern, Reason, ThresholdResult


def failed_calls(calls: Sequence[CallResult], excused: Excused) -> list[Reason]:
    """Returns failures by kind, except those that a threshold on calls.failed or a pass rate excuses."""
    finished: dict[str, list[CallResult]] = {}
    for call in calls:
        if not call.cut:
            finished.setdefault(call.scenario, []).append(call)
    failed: Counter[tuple[FailureKind, Pattern | None]] = Counter()
    for of_scenario in finished.values():
        kinds = Counter(call.sure_failure for call in of_scenario if excused.call(call) is None)
        for kind, count in kinds.items():
            if kind is not None:
                failed[kind, _pattern(kind, of_scenario)] += count
    reasons = []
    for (kind, pattern), count in sorted(failed.items(), key=str):
        if side_of(kind) == "harness":
            continue  # these count only by their share (see `unfit`)
        code = EXIT_AGENT if side_of(kind) == "agent" else EXIT_INFRASTRUCTURE
        reasons.append(Reason(code=code, what=CallsFailed(kind), count=count, pattern=pattern))
    return reasons


def _pattern(kind: FailureKind, calls: Sequence[CallResult]) -> Pattern | None:
    """Returns whether all of a scenario's calls failed by that kind, or some; None if only one says so."""
    decided = [call.sure_failure for call in calls if call.failure is None or call.sure_failure is not None]
    comparable = [failure for failure in decided if failure is None or side_of(failure) == side_of(kind)]
    if len(comparable) < 2:
        return None
    return "failure" if all(failure == kind for failure in comparable) else "flicker"


def failed_expectations(calls: Sequence[CallResult], excused: Excused, tallies: Tallies) -> list[Reason]:
    """Returns failed expectations by name and limit, except those that a threshold or a pass rate excuses."""
    failed = Counter(
        (
            ExpectationFailed(expectation.expect, expectation.limit),
            tallies[around_expectation(call, step, expectation)[0]].pattern,
        )
        for call in calls
        for step, expectation in call.expectations_by_step()
        if expectation.outcome == "failed" and not call.cut and excused.expectation(call, step, expectation) is None
    )
    return [
        Reason(code=EXIT_AGENT, what=what, count=count, pattern=pattern)
        for (what, pattern), count in sorted(failed.items(), key=lambda item: (str(item[0][0]), str(item[0][1])))
    ]


def missed_pass_rates(judged: Sequence[PassRateResult]) -> list[Reason]:
    """Returns the pass rates that were missed."""
    return [
        Reason(
            code=EXIT_AGENT,
            what=PassMissed(result.name, str(result.limit), result.passed, result.decided, result.bound),
            pattern=result.pattern,
        )
        for result in judged
        if result.ok is False
    ]


def open_pass_rates(judged: Sequence[PassRateResult], *, ours: bool, strict: bool) -> list[Reason]:
    """Returns the pass rates for which too few calls were decided.

    Args:
        judged: The results of the pass rates.
        ours: Whether to return those for which the harness is to blame, or the others.
        strict: Whether not enough data is a failure.
    """
    return [
        Reason(code=EXIT_AGENT if strict else EXIT_UNFIT, what=PassOpen(result.name, str(result.limit), result.why))
        for result in judged
        if result.limit is not None and result.ok is None and result.is_open_by_us is ours
    ]


def held_by_too_few(judged: Sequence[ThresholdResult]) -> list[Reason]:
    """Returns the thresholds that held by fewer samples than their percentile is shown from (for `--strict`)."""
    reasons = []
    for result in judged:
        share = result.limit.percentile
        if result.ok and share is not None and result.samples < least_samples(share):
            what = TooFewSamples(result.metric, result.limit, result.samples, least_samples(share))
            reasons.append(Reason(code=EXIT_AGENT, what=what))
    return reasons


def failed_thresholds(
    judged: Sequence[ThresholdResult], calls: Sequence[CallResult], *, explained: bool, all_cut: bool
) -> list[Reason]:
    """Returns the thresholds that were missed, and those without a sample.

    Args:
        judged: The results of the thresholds.
        calls: The calls.
        explained: Whether failures explain that there is no sample.
        all_cut: Whether every call was cut.
    """
    reasons = []
    for result in judged:
        if result.ok is False and result.value is not None:
            missed = ThresholdMissed(result.metric, result.limit, result.value, result.why)
            reasons.append(Reason(code=EXIT_AGENT, what=missed))
        elif result.ok is None and not explained and result.no_sample == "none" and not _is_undecided(result, calls):
            # If every call was cut, no call could finish, and that is not the agent's fault.
            left_open = ThresholdOpen(result.metric, result.limit, result.why, all_cut=all_cut)
            reasons.append(Reason(code=EXIT_UNFIT if all_cut else EXIT_AGENT, what=left_open))
    return reasons


def _is_undecided(result: ThresholdResult, calls: Sequence[CallResult]) -> bool:
    """Returns whether a threshold on expectations has no sample because those expectations are undecided."""
    tags = dict(result.metric.tags)
    return result.metric.metric == "expectations.failed" and any(
        expectation.outcome == "undecided"
        and tags.get("expect", expectation.expect) == expectation.expect
        and tags.get("scenario", call.scenario) == call.scenario
        for call in calls
        if not call.cut
        for _, expectation in call.expectations()
    )


def never_decided(calls: Sequence[CallResult], *, by_agent: bool = False) -> list[Reason]:
    """Returns the expectations that were decided in no call: a run with one of them has not passed.

    With `by_agent`, it includes those that are undecided because of what the agent did.
    """
    outcomes: dict[tuple[str, str, str, str], list[ExpectationResult]] = {}
    for call in calls:
        for _, expectation in call.expectations() if not call.cut else ():
            where = (call.scenario, expectation.place, expectation.expect, expectation.limit)
            outcomes.setdefault(where, []).append(expectation)
    open_ones = Counter(
        NeverDecided(expect, limit, found[0].why)
        for (_, _, expect, limit), found in outcomes.items()
        if all(expectation.outcome == "undecided" for expectation in found)
        and (by_agent or not all(expectation.by_agent for expectation in found))
    )
    return [Reason(code=EXIT_UNFIT, what=what, count=count) for what, count in sorted(open_ones.items(), key=_sentence)]


def left_open(
    calls: Sequence[CallResult],
    judged: Sequence[ThresholdResult],
    pass_rates: Sequence[PassRateResult],
    *,
    strict: bool,
) -> list[Reason]:
    """Returns what stayed undecided although no failure counts (some may be excused): not a pass."""
    open_ones = [ThresholdOpen(one.metric, one.limit, one.why) for one in judged if one.ok is None]
    return [
        *(Reason(code=EXIT_UNFIT, what=what) for what in open_ones),
        *open_pass_rates(pass_rates, ours=False, strict=strict),
        *never_decided(calls, by_agent=True),
    ]


def none_started(calls: Sequence[CallResult]) -> list[Reason]:
    """Returns the reason why a run in which no call could start has not passed; also if there is no call at all."""
    return [] if any(map(_could_start, calls)) else [Reason(code=EXIT_INFRASTRUCTURE, what=NoneStarted())]


def all_cut_early(counts: CallCounts, samples: Sequence[Sample]) -> list[Reason]:
    """Returns why a run in which every call was cut has not passed; empty if one was cut after a measured turn."""
    if counts.total or any(sample.metric.startswith("turn.") and sample.fit for sample in samples):
        return []
    return [Reason(code=EXIT_UNFIT, what=AllCutEarly(), count=counts.cut)]


def _sentence(counted: tuple[Cause, int]) -> str:
    return str(counted[0])


def _could_start(call: CallResult) -> bool:
    before = call.failure is not None and side_of(call.failure) in ("session", "room")
    return call.room_connect_ms is not None or not before
