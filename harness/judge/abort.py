"""Watches the thresholds that abort a run (`abort_on_fail`) while its calls end. Pure: time is passed in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.judge.thresholds import Threshold, aggregate_of
from harness.metrics.percentiles import least_samples
from harness.metrics.registry import METRICS
from harness.metrics.samples import samples_of
from harness.parsing.limits import Limit
from harness.record.reason import Aborted
from harness.record.result import CallResult

_ROUNDING = 1e-9


@dataclass
class _Watched:
    """A threshold, the fit values so far, and whether it was judged by all of them."""

    threshold: Threshold
    values: list[float] = field(default_factory=list)
    judged: int = 0


class AbortWatch:
    """Judges the thresholds with `abort_on_fail` by the calls that have ended.

    Unfit, doubtful and cut turns are no samples, and calls whose role does not count and repeated calls are left out. A
    threshold with too few samples does not abort; see `least_to_abort`.

    Args:
        thresholds: The thresholds of the run; those without `abort_on_fail` are left out.
    """

    def __init__(self, thresholds: Sequence[Threshold]) -> None:
        self._watched = [_Watched(each) for each in thresholds if each.abort_after_s is not None]

    def add(self, call: CallResult) -> None:
        """Takes in a call that has ended."""
        if call.cut or not call.role.counts or call.retry_of is not None:
            return
        for watched in self._watched:
            ref = watched.threshold.ref
            samples = samples_of([call], [METRICS[ref.metric]])
            watched.values += [each.value for each in samples if each.fit and not each.censored and each.matches(ref)]

    def broken(self, after_s: float) -> Aborted | None:
        """Returns the threshold that aborts the run, `after_s` seconds after its start; None if none does."""
        for watched in self._watched:
            threshold, count = watched.threshold, len(watched.values)
            delay_s = threshold.abort_after_s or 0.0
            if after_s < delay_s or count == watched.judged or count < least_to_abort(threshold.limit):
                continue
            watched.judged = count
            value = aggregate_of(watched.values, [], threshold.limit, is_rate=METRICS[threshold.ref.metric].is_rate)
            if value is not None and not threshold.limit.holds(value):
                return Aborted(threshold.ref, threshold.limit, round(value, 6), count, after_s)
        return None


def least_to_abort(limit: Limit) -> int:
    """Returns how many samples a threshold needs to abort a run.

    For a percentile as many as it is shown from: at least one can be expected beyond it. For a share as many as let a
    single case be within the limit (100 for `rate<1%`). Others are judged by any number.
    """
    if limit.percentile is not None:
        return least_samples(limit.percentile)
    if limit.aggregate != "rate":
        return 1
    share = limit.value if limit.op in ("<", "<=") else 1 - limit.value
    return max(1, math.ceil(1 / share - _ROUNDING)) if share > 0 else 1
