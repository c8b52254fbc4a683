"""Reduces measured calls to what a comparison needs of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from harness.metrics.samples import Sample, samples_of
from harness.record.call_samples import WHOLE_CALL, AtLeast, CallSamples, Cell, Several
from harness.record.result import CallResult, standing

_DIGITS = 4


def call_samples(calls: Sequence[CallResult], blocks: Mapping[str, int] | None = None) -> list[CallSamples]:
    """Returns the fit samples of the calls that count.

    Calls of the warm-up, canaries and calls that were replaced by a retry are left out, and so are unfit and doubtful
    samples. A cut call gives the samples of its finished turns, and a censored one of the turn that was cut.

    Args:
        calls: The calls of one run.
        blocks: The block of each call by its id, if two versions were called in turns.
    """
    return [
        CallSamples(
            call=call.call,
            scenario=call.scenario,
            started=call.started,
            block=None if blocks is None else blocks.get(call.call),
            samples=_by_metric_and_turn([sample for sample in samples_of([call]) if sample.fit]),
        )
        for call in standing(calls)
        if not call.warm_up and not call.canary
    ]


def _by_metric_and_turn(samples: Sequence[Sample]) -> dict[str, dict[int, Cell]]:
    found: dict[str, dict[int, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        found[sample.metric][sample.turn or WHOLE_CALL].append(sample)
    return {metric: {turn: _cell(each) for turn, each in sorted(turns.items())} for metric, turns in found.items()}


def _cell(samples: Sequence[Sample]) -> Cell:
    mean = round(sum(sample.value for sample in samples) / len(samples), _DIGITS)
    if len(samples) > 1:
        return Several(mean=mean, of=len(samples))
    return AtLeast(at_least=mean) if samples[0].censored else mean
