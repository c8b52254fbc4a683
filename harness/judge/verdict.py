"""A run's verdict and exit code, with all reasons.

The exit code is the first of 130, 2, 4, 3, 1 that any reason has. All reasons are listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNFIT, EXIT_USAGE
from harness.judge.excused import Excused
from harness.judge.other_version import lack_of_other
from harness.judge.pass_rates import Scripts, all_limits, judge_pass_rates, tally
from harness.judge.reasons import (
    all_cut_early,
    failed_calls,
    failed_expectations,
    failed_thresholds,
    held_by_too_few,
    left_open,
    missed_pass_rates,
    never_decided,
    none_started,
    open_pass_rates,
)
from harness.judge.summarise import canaries, count_calls, expectation_counts, failures, remeasured, summarise
from harness.judge.thresholds import Threshold, judge_threshold
from harness.judge.unfit import never_started, unfit
from harness.metrics.samples import samples_of
from harness.record.reason import Interrupted
from harness.record.result import DEFINITIONS, CallResult, standing
from harness.record.summary import VERDICTS, CallCounts, Ending, Reason, Summary

_ORDER = (EXIT_INTERRUPTED, EXIT_USAGE, EXIT_UNFIT, EXIT_INFRASTRUCTURE, EXIT_AGENT)


def judge_run(
    calls: Sequence[CallResult],
    thresholds: Sequence[Threshold],
    *,
    target: str,
    ending: Ending,
    scripts: Scripts | None = None,
    strict: bool = False,
    compared: Sequence[Reason] = (),
    other: str | None = None,
) -> Summary:
    """Returns the summary of measured and judged calls.

    Warm-up calls are only counted. Canary calls are summarised separately. Calls to another version, made in turns, are
    not judged; but they have to be made and measured.

    Args:
        calls: All calls of the run, including warm-up calls, canaries and calls that were retried.
        thresholds: The thresholds of the run.
        target: The target's description.
        ending: How the run ended.
        scripts: The scenarios, for their pass rates; None to judge none.
        strict: Whether not enough data is a failure.
        compared: The reasons that its comparison gives.
        other: The name of the version that was called in turns; None if there was none.
    """
    everyone = standing(calls)
    retried, calls = len(calls) - len(everyone), [call for call in everyone if call.role.counts]
    samples = list(samples_of(calls))
    judged = [judge_threshold(threshold, samples) for threshold in thresholds]
    scripts = scripts if scripts is not None and ending.decided is None else {}
    tallies = tally(calls, all_limits(scripts))
    pass_rates = judge_pass_rates(tallies, calls, scripts)
    counts = count_calls(calls, ending.dropped)
    counts.warm_up = sum(call.warm_up for call in everyone)
    counts.retried = retried
    reasons = [*_interrupted(counts, interrupted=ending.interrupted), *ending.extra]
    excused = Excused(judged, pass_rates)
    if ending.decided is None:
        reasons += [
            *unfit(calls, samples, thresholds, judged, counts, strict=strict),
            *never_started(ending.dropped, everyone),
            *failed_calls(calls, excused),
        ]
        if not reasons:
            reasons += none_started(calls)
        # Failures that count explain why a threshold has no samples; failures that were excused do not.
        explained = bool(reasons)
        reasons += failed_expectations(calls, excused, tallies)
        reasons += missed_pass_rates(pass_rates)
        reasons += failed_thresholds(judged, calls, explained=explained, all_cut=counts.total == 0 < counts.cut)
        reasons += open_pass_rates(pass_rates, ours=True, strict=strict)
        reasons += never_decided(calls)
        if not reasons:
            reasons += all_cut_early(counts, samples)
        if not reasons:
            reasons += left_open(calls, judged, pass_rates, strict=strict)
        reasons += held_by_too_few(judged) if strict else []
        reasons += compared
        if other is not None:
            reasons += lack_of_other(other, everyone, thresholds, interrupted=ending.interrupted)
    else:
        reasons += ending.decided
    exit_code = exit_code_of(reason.code for reason in reasons)
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
        pass_rates=pass_rates,
        expectations=expectation_counts(calls),
        failures=failures(calls),
        excused=excused.counts(calls) if ending.decided is None else {},
        canaries=canaries([call for call in everyone if call.canary and not call.warm_up]),
        remeasured=remeasured(calls),
    )


def exit_code_of(codes: Iterable[int]) -> int:
    """Returns the exit code of a run with reasons of these codes."""
    return min(codes, key=_ORDER.index, default=EXIT_OK)


def _interrupted(counts: CallCounts, *, interrupted: bool) -> list[Reason]:
    if not interrupted:
        return []
    return [Reason(code=EXIT_INTERRUPTED, what=Interrupted(counts.cut), count=1)]
