"""Reduces measured calls to what a comparison needs of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from harness.metrics.samples import Sample, samples_of
from harness.record.call_samples import WHOLE_CALL, AtLeast, CallSamples, Cell, Several
from harness.record.result import CallResult, standing
from harness.timeline.events import Side

_DIGITS = 4


def call_samples(calls: Sequence[CallResult], *, side: Side = "run", in_blocks: bool = False) -> list[CallSamples]:
    """Returns the fit samples of one version's calls.

    Calls of the warm-up, canaries and calls that were replaced by a retry are left out, and so are unfit and doubtful
    samples. A cut call gives the samples of its finished turns, and a censored one of the turn that was cut.

    Args:
        calls: The calls of a run.
        side: Which of the two versions, if the run called two in turns.
        in_blocks: Whether the samples keep the block of their call, to be compared in pairs.
    """
    return [
        CallSamples(
            call=call.call,
            scenario=call.scenario,
            started=call.started,
            block=call.block if in_blocks else None,
            samples=_by_metric_and_turn([sample for sample in samples_of([call]) if sample.fit]),
        )
        for call in standing(calls)
        if not call.warm_up and not call.canary and call.side == side
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
