"""Why a run did not pass, by its calls, its expectations and its thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_UNFIT
from harness.failures import side_of
from harness.judge.excused import Excused
from harness.metrics.samples import Sample
from harness.record.reason import (
    AllCutEarly,
    CallsFailed,
    Cause,
    ExpectationFailed,
    NeverDecided,
    NoneStarted,
    ThresholdMissed,
    ThresholdOpen,
)
from harness.record.result import CallResult, ExpectationResult
from harness.record.summary import CallCounts, Reason, ThresholdResult


def failed_calls(calls: Sequence[CallResult], excused: Excused) -> list[Reason]:
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


def failed_expectations(calls: Sequence[CallResult], excused: Excused) -> list[Reason]:
    """Returns failed expectations by name and limit, except those that a threshold excuses."""
    failed = Counter(
        ExpectationFailed(expectation.expect, expectation.limit)
        for call in calls
        for _, expectation in call.expectations()
        if expectation.outcome == "failed" and not call.cut and excused.expectation(call, expectation) is None
    )
    return [Reason(code=EXIT_AGENT, what=what, count=count) for what, count in sorted(failed.items(), key=_sentence)]


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


def left_open(calls: Sequence[CallResult], judged: Sequence[ThresholdResult]) -> list[Reason]:
    """Returns what stayed undecided although no failure counts (a threshold may have excused them): not a pass."""
    open_ones = [ThresholdOpen(one.metric, one.limit, one.why) for one in judged if one.ok is None]
    return [Reason(code=EXIT_UNFIT, what=what) for what in open_ones] + never_decided(calls, by_agent=True)


def could_start(call: CallResult) -> bool:
    """Returns whether the call came as far as the room, or failed by the harness or the agent."""
    before = call.failure is not None and side_of(call.failure) in ("session", "room")
    return call.room_connect_ms is not None or not before


def nothing_measured(counts: CallCounts, samples: Sequence[Sample]) -> list[Reason]:
    """Returns why a run in which no call finished has not passed; empty if calls were cut after a measured turn."""
    if counts.cut == 0:
        return [Reason(code=EXIT_INFRASTRUCTURE, what=NoneStarted())]
    if any(sample.metric.startswith("turn.") and sample.fit for sample in samples):
        return []
    return [Reason(code=EXIT_UNFIT, what=AllCutEarly(), count=counts.cut)]


def _sentence(counted: tuple[Cause, int]) -> str:
    return str(counted[0])
