"""Whether the other version of a run that calls two in turns could be called and measured."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import EXIT_AGENT
from harness.judge.excused import Excused
from harness.judge.reasons import failed_calls, none_started
from harness.judge.summarise import count_calls
from harness.judge.thresholds import Threshold, judge_threshold
from harness.judge.unfit import unfit
from harness.metrics.samples import samples_of
from harness.record.reason import OfOther
from harness.record.result import CallResult
from harness.record.summary import Reason


def lack_of_other(
    name: str, calls: Sequence[CallResult], thresholds: Sequence[Threshold], *, interrupted: bool
) -> list[Reason]:
    """Returns why there is nothing to compare a run with: failures of the infrastructure and of the harness.

    What its agent does is not judged. Thresholds excuse as many failures as in the run itself.

    Args:
        name: The name of the other version.
        calls: The standing calls of the run.
        thresholds: The thresholds of the run.
        interrupted: Whether the run was interrupted, perhaps before a call of the other version.
    """
    theirs = [call for call in calls if call.side == "baseline"]
    samples = list(samples_of(theirs))
    judged = [judge_threshold(threshold, samples) for threshold in thresholds]
    found = [
        *unfit(theirs, samples, (), [], count_calls(theirs, 0)),
        *failed_calls(theirs, Excused(judged, [])),
        *([] if theirs or interrupted else none_started(theirs)),
    ]
    return [
        reason.model_copy(update={"what": OfOther(name, str(reason.what)), "pattern": None})
        for reason in found
        if reason.code != EXIT_AGENT
    ]
