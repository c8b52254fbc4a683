"""Why a run says nothing about the agent (exit code 4): the harness was late, wrong, or lost too many calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

from harness.errors import EXIT_AGENT, EXIT_UNFIT
from harness.failures import side_of
from harness.judge.thresholds import Threshold
from harness.metrics.samples import Sample
from harness.record.reason import Dropped, FoundWrong, Lost, LostByOurselves, ThresholdOpen, UnfitTurns
from harness.record.result import CallResult, TurnResult
from harness.record.summary import CallCounts, Reason, ThresholdResult
from harness.record.unfit import Doubt, Unfit

UNFIT_SHARE, UNFIT_LEAST = 0.05, 2
OWN_LOSS_SHARE = 0.01
SELF_FAULT_SHARE, SELF_FAULT_LEAST = 0.01, 2
DROPPED_SHARE = 0.01


def unfit(
    calls: Sequence[CallResult],
    samples: Sequence[Sample],
    thresholds: Sequence[Threshold],
    judged: Sequence[ThresholdResult],
    counts: CallCounts,
    *,
    strict: bool = False,
) -> list[Reason]:
    """Returns the reasons why the run says nothing about the agent. A single accident is not one.

    Args:
        calls: The calls.
        samples: Their samples.
        thresholds: The thresholds of the run.
        judged: Their results.
        counts: The numbers of calls.
        strict: Whether a threshold that too little data left open counts against the agent.
    """
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
            # It has a value if only waits that were cut left it open: then there is too little data, and no bad data.
            code = EXIT_AGENT if strict and result.value is not None else EXIT_UNFIT
            reasons.append(Reason(code=code, what=left_open))
    own = [lost for lost in map(_lost_by_ourselves, calls) if lost is not None]
    if len(own) > OWN_LOSS_SHARE * max(1, counts.total):
        lost = LostByOurselves(tuple(sorted(set(own))))
        reasons.append(Reason(code=EXIT_UNFIT, what=lost, count=len(own)))
    return reasons


def never_started(dropped: int, calls: Sequence[CallResult]) -> list[Reason]:
    """Returns the reason if too many of the planned calls could not start.

    Args:
        dropped: How many; of two versions that are called in turns, those of both.
        calls: The calls that were made, of both versions; warm-up calls and canaries are not planned ones.
    """
    wanted = dropped + sum(not (call.warm_up or call.canary or call.cut) for call in calls)
    if dropped <= DROPPED_SHARE * wanted:
        return []
    return [Reason(code=EXIT_UNFIT, what=Dropped(dropped, wanted), count=dropped)]


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
