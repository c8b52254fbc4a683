"""A run's verdict and exit code, with all reasons.

The exit code is the first of 130, 2, 4, 3, 1 that any reason has. All reasons are listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNFIT, EXIT_USAGE
from harness.failures import side_of
from harness.judge.excused import Excused
from harness.judge.thresholds import Threshold, judge_threshold
from harness.metrics.registry import METRICS
from harness.metrics.samples import Sample, samples_of
from harness.metrics.survival import shown_percentile, survival_mean
from harness.record.reason import (
    AllCutEarly,
    CallsFailed,
    Cause,
    Dropped,
    ExpectationFailed,
    FoundWrong,
    Interrupted,
    Lost,
    LostByOurselves,
    NeverDecided,
    NoneStarted,
    ThresholdMissed,
    ThresholdOpen,
    UnfitTurns,
)
from harness.record.result import DEFINITIONS, CallResult, ExpectationResult, TurnResult, standing
from harness.record.summary import (
    VERDICTS,
    CallCounts,
    CanarySummary,
    Ending,
    ExpectationCounts,
    MetricSummary,
    RateSummary,
    Reason,
    RemeasuredCounts,
    Summary,
    ThresholdResult,
)
from harness.record.unfit import Doubt, Unfit

UNFIT_SHARE, UNFIT_LEAST = 0.05, 2
OWN_LOSS_SHARE = 0.01
SELF_FAULT_SHARE, SELF_FAULT_LEAST = 0.01, 2
DROPPED_SHARE = 0.01
_ORDER = (EXIT_INTERRUPTED, EXIT_USAGE, EXIT_UNFIT, EXIT_INFRASTRUCTURE, EXIT_AGENT)


def judge_run(
    calls: Sequence[CallResult],
    thresholds: Sequence[Threshold],
    *,
    target: str,
    ending: Ending,
) -> Summary:
    """Returns the summary of measured and judged calls.

    Warm-up calls are only counted. Canary calls are summarised separately.

    Args:
        calls: All calls of the run, including warm-up calls, canaries and calls that were retried.
        thresholds: The thresholds of the run.
        target: The target's description.
        ending: How the run ended.
    """
    everyone = standing(calls)
    retried, calls = len(calls) - len(everyone), [call for call in everyone if not call.warm_up and not call.canary]
    samples = list(samples_of(calls))
    judged = [judge_threshold(threshold, samples) for threshold in thresholds]
    counts = _counts(calls, ending.dropped)
    counts.warm_up = sum(call.warm_up for call in everyone)
    counts.retried = retried
    reasons = [*_interrupted(counts, interrupted=ending.interrupted), *ending.extra]
    excused = Excused(judged)
    if ending.decided is None:
        reasons += [
            *_unfit(calls, samples, thresholds, judged, counts),
            *_failed_calls(calls, excused),
        ]
        # Failures that count explain why a threshold has no samples; failures that a threshold excused do not.
        explained = bool(reasons)
        reasons += _failed_expectations(calls, excused)
        reasons += _failed_thresholds(judged, calls, explained=explained, all_cut=counts.total == 0 < counts.cut)
        reasons += _never_decided(calls)
        if not reasons and (counts.total == 0 or not any(map(_could_start, calls))):
            reasons += _nothing_measured(counts, samples)
        if not reasons:
            reasons += _left_open(calls, judged)
    else:
        reasons += ending.decided
    codes = {reason.code for reason in reasons}
    exit_code = next((code for code in _ORDER if code in codes), EXIT_OK)
    reasons.sort(key=lambda reason: _ORDER.index(reason.code))
    return Summary(
        verdict=VERDICTS[exit_code],
        exit_code=exit_code,
        reasons=reasons,
        target=target,
        definitions=min((call.definitions for call in everyone), default=DEFINITIONS),
        calls=counts,
        metrics=summarise(samples),
        thresholds=judged,
        expectations=_expectation_counts(calls),
        failures=_failures(calls),
        excused=excused.counts(calls) if ending.decided is None else {},
        canaries=_canaries([call for call in everyone if call.canary and not call.warm_up]),
        remeasured=_remeasured(calls),
    )


def _failures(calls: Sequence[CallResult]) -> dict[str, int]:
    return dict(Counter(str(call.failure) for call in calls if call.failure and not call.cut))


def _canaries(calls: Sequence[CallResult]) -> CanarySummary | None:
    if not calls:
        return None
    return CanarySummary(
        engine=calls[0].engine,
        calls=_counts(calls, 0),
        metrics=summarise(list(samples_of(calls))),
        failures=_failures(calls),
    )


def _remeasured(calls: Sequence[CallResult]) -> RemeasuredCounts | None:
    again = [call.remeasured for call in calls if call.remeasured is not None]
    if not again:
        return None
    return RemeasuredCounts(
        from_recordings=sum(each.voices == "recording" for each in again),
        live_onsets=dict(Counter(each.why for each in again if each.voices == "call")),
        unchanged=dict(Counter(each.why for each in again if each.voices == "none")),
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


def _counts(calls: Sequence[CallResult], dropped: int) -> CallCounts:
    finished = [call for call in calls if not call.cut]
    ok = sum(bool(call.ok) for call in finished)
    return CallCounts(
        total=len(finished), ok=ok, failed=len(finished) - ok, dropped=dropped, cut=len(calls) - len(finished)
    )


def _interrupted(counts: CallCounts, *, interrupted: bool) -> list[Reason]:
    if not interrupted:
        return []
    return [Reason(code=EXIT_INTERRUPTED, what=Interrupted(counts.cut), count=1)]


def _unfit(
    calls: Sequence[CallResult],
    samples: Sequence[Sample],
    thresholds: Sequence[Threshold],
    judged: Sequence[ThresholdResult],
    counts: CallCounts,
) -> list[Reason]:
    """Returns the reasons why the run says nothing about the agent. A single accident is not one."""
    reasons = []
    turns = [turn for call in calls for turn in call.turns if not turn.cut]
    unfit = [turn for turn in turns if turn.ours]
    if len(unfit) >= UNFIT_LEAST and len(unfit) > UNFIT_SHARE * len(turns):
        what = UnfitTurns(
            unfit=len(unfit),
            turns=len(turns),
            doubtful=any(turn.doubtful for turn in unfit),
            # A turn counts once for each kind, however many packets it names.
            mostly=_commonest([each for turn in unfit for each in _each_kind_once(turn)]),
            ran_out=_commonest([turn.ran_out for turn in unfit if turn.ran_out is not None]),
        )
        reasons.append(Reason(code=EXIT_UNFIT, what=what, count=len(unfit)))
    wrong = [call for call in calls if call.self_faults]
    if len(wrong) >= SELF_FAULT_LEAST and len(wrong) > SELF_FAULT_SHARE * len(calls):
        names = sorted({fault.name for call in wrong for fault in call.self_faults})
        found = FoundWrong(len(wrong), len(calls), tuple(names))
        reasons.append(Reason(code=EXIT_UNFIT, what=found, count=len(wrong)))
    for threshold, result in zip(thresholds, judged, strict=True):
        if result.ok is None and any(sample.matches(threshold.ref) and sample.ours for sample in samples):
            left_open = ThresholdOpen(result.metric, result.limit, result.why, ours=True)
            reasons.append(Reason(code=EXIT_UNFIT, what=left_open))
    own = [lost for lost in map(_lost_by_ourselves, calls) if lost is not None]
    if len(own) > OWN_LOSS_SHARE * max(1, counts.total):
        lost = LostByOurselves(tuple(sorted(set(own))))
        reasons.append(Reason(code=EXIT_UNFIT, what=lost, count=len(own)))
    wanted = counts.total + counts.dropped
    if counts.dropped and counts.dropped > DROPPED_SHARE * wanted:
        reasons.append(Reason(code=EXIT_UNFIT, what=Dropped(counts.dropped, wanted), count=counts.dropped))
    return reasons


def _each_kind_once(turn: TurnResult) -> list[Unfit | Doubt]:
    """Returns why a turn was not measured, each kind once."""
    reasons: list[Unfit | Doubt] = [*turn.unfit_why, *turn.doubtful]
    return list({reason.in_short: reason for reason in reasons}.values())


def _lost_by_ourselves(call: CallResult) -> Lost | None:
    """Returns how the harness lost the call; None if it did not fail, or by the agent or the service."""
    if call.failure is None or call.cut:
        return None
    sure = call.sure_failure
    if sure is None:
        return Lost(call.failure, late=True)
    return Lost(sure, late=False) if side_of(sure) == "harness" else None


class _Named(Protocol):
    @property
    def in_short(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def _commonest(values: Sequence[_N]) -> _N | None:
    """Returns a value whose short form is the most common; None if there are no values."""
    counts = Counter(value.in_short for value in values)
    return max(values, key=lambda value: counts[value.in_short], default=None)


def _failed_calls(calls: Sequence[CallResult], excused: Excused) -> list[Reason]:
    """Returns failures by kind, except those that a threshold on calls.failed excuses."""
    kinds = Counter(
        call.sure_failure for call in calls if call.sure_failure and not call.cut and excused.call(call) is None
    )
    reasons = []
    for kind, count in sorted(kinds.items()):
        if side_of(kind) == "harness":
            continue  # these count only by their share (see `_unfit`)
        code = EXIT_AGENT if side_of(kind) == "agent" else EXIT_INFRASTRUCTURE
        reasons.append(Reason(code=code, what=CallsFailed(kind), count=count))
    return reasons


def _failed_expectations(calls: Sequence[CallResult], excused: Excused) -> list[Reason]:
    failed = Counter(
        ExpectationFailed(expectation.expect, expectation.limit)
        for call in calls
        for _, expectation in call.expectations()
        if expectation.outcome == "failed" and not call.cut and excused.expectation(call, expectation) is None
    )
    return [Reason(code=EXIT_AGENT, what=what, count=count) for what, count in sorted(failed.items(), key=_sentence)]


def _sentence(counted: tuple[Cause, int]) -> str:
    return str(counted[0])


def _could_start(call: CallResult) -> bool:
    before = call.failure is not None and side_of(call.failure) in ("session", "room")
    return call.room_connect_ms is not None or not before


def _left_open(calls: Sequence[CallResult], judged: Sequence[ThresholdResult]) -> list[Reason]:
    """Returns what stayed undecided although no failure counts (a threshold may have excused them): not a pass."""
    open_ones = [ThresholdOpen(one.metric, one.limit, one.why) for one in judged if one.ok is None]
    return [Reason(code=EXIT_UNFIT, what=what) for what in open_ones] + _never_decided(calls, by_agent=True)


def _never_decided(calls: Sequence[CallResult], *, by_agent: bool = False) -> list[Reason]:
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


def _failed_thresholds(
    judged: Sequence[ThresholdResult], calls: Sequence[CallResult], *, explained: bool, all_cut: bool
) -> list[Reason]:
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


def _nothing_measured(counts: CallCounts, samples: Sequence[Sample]) -> list[Reason]:
    """Returns why a run in which no call finished has not passed; empty if calls were cut after a measured turn."""
    if counts.cut == 0:
        return [Reason(code=EXIT_INFRASTRUCTURE, what=NoneStarted())]
    if any(sample.metric.startswith("turn.") and sample.fit for sample in samples):
        return []
    return [Reason(code=EXIT_UNFIT, what=AllCutEarly(), count=counts.cut)]


def _expectation_counts(calls: Sequence[CallResult]) -> dict[str, ExpectationCounts]:
    counts: dict[str, ExpectationCounts] = {}
    for call in calls:
        for _, expectation in call.expectations():
            count = counts.setdefault(expectation.expect, ExpectationCounts())
            setattr(count, expectation.outcome, getattr(count, expectation.outcome) + 1)
    return counts
