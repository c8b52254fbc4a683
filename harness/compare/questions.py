"""What is asked about two sets of calls: one question per metric of a scenario, and one per metric and turn.

Turns of one call resemble each other, so the unit of all statistics is the call: each call answers a question with
one number, the mean of its values ("summary measures": Matthews et al., BMJ 300, 1990). Calls are independent.

Not every call has a value in every turn: some are interrupted, unfit or doubtful. If slow turns are missing more
often on one side, plain means would differ although no turn does. So each value is first taken relative to the mean
of its turn over both sides, and turns that only one side has are left out. If all values are there, this changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.compare.censored import Bools, Floats, with_expected
from harness.metrics.metric import Metric
from harness.metrics.registry import METRICS
from harness.record.call_samples import WHOLE_CALL, AtLeast, CallSamples, Several


@dataclass(frozen=True, kw_only=True)
class Question:
    """A metric of a scenario, of all turns or one, with the answers of both sides.

    Attributes:
        scenario: The scenario.
        metric: The metric.
        turn: The turn's number; None for the whole call.
        baseline: The answer of each of the baseline's calls: the mean of its values; NaN where it has none.
        run: The same for the run's calls.
        baseline_counts: The number of values behind each answer.
        run_counts: The same for the run.
    """

    scenario: str
    metric: Metric
    turn: int | None
    baseline: Floats
    run: Floats
    baseline_counts: Floats
    run_counts: Floats


@dataclass(frozen=True)
class _Cells:
    """The cells of one metric: a row per turn, a column per call, the baseline's calls first."""

    turns: list[int]
    values: Floats
    counts: Floats
    censored: Bools


def questions_of(scenario: str, baseline: Sequence[CallSamples], run: Sequence[CallSamples]) -> Iterator[Question]:
    """Yields all questions about one scenario, in the order of the registry; the calls must be of this scenario.

    A question that only one side can answer has only NaN on the other.
    """
    calls = [*baseline, *run]
    known = {name for call in calls for name in call.samples}
    for name, metric in METRICS.items():
        if name not in known:
            continue
        cells = _cells_of(name, calls)
        over_turns = _over_turns(cells, len(baseline), is_rate=metric.is_rate)
        yield over_turns.to(scenario, metric, None)
        for row, turn in enumerate(cells.turns):
            if turn != WHOLE_CALL:
                yield _Answers(cells.values[row], cells.counts[row], len(baseline)).to(scenario, metric, turn)


@dataclass(frozen=True)
class _Answers:
    """The answers of all calls to one question, the `split` calls of the baseline first."""

    values: Floats
    counts: Floats
    split: int

    def to(self, scenario: str, metric: Metric, turn: int | None) -> Question:
        return Question(
            scenario=scenario,
            metric=metric,
            turn=turn,
            baseline=self.values[: self.split],
            run=self.values[self.split :],
            baseline_counts=self.counts[: self.split],
            run_counts=self.counts[self.split :],
        )


def _cells_of(metric: str, calls: Sequence[CallSamples]) -> _Cells:
    turns = sorted({turn for call in calls for turn in call.samples.get(metric, ())})
    rows = {turn: row for row, turn in enumerate(turns)}
    values = np.full((len(turns), len(calls)), np.nan)
    counts = np.zeros(values.shape)
    censored = np.zeros(values.shape, np.bool_)
    for column, call in enumerate(calls):
        for turn, cell in call.samples.get(metric, {}).items():
            row = rows[turn]
            match cell:
                case Several(mean=mean, of=of):
                    values[row, column], counts[row, column] = mean, of
                case AtLeast(at_least=bound):
                    values[row, column], counts[row, column], censored[row, column] = bound, 1, True
                case _:
                    values[row, column], counts[row, column] = cell, 1
    filled = [with_expected(values[row], censored[row]) for row in range(len(turns))]
    return _Cells(turns, np.array(filled).reshape(values.shape), counts, censored)


def _over_turns(cells: _Cells, split: int, *, is_rate: bool) -> _Answers:
    """Returns each call's answer over all turns."""
    present = cells.counts > 0
    on_both = present[:, :split].any(axis=1) & present[:, split:].any(axis=1)
    rows = on_both if on_both.any() else np.ones(len(cells.turns), np.bool_)
    counts: Floats = cells.counts[rows]
    values: Floats = np.where(present[rows], cells.values[rows], 0.0)
    total = counts.sum(axis=0)
    if not is_rate:
        of_turn = (values * counts).sum(axis=1, keepdims=True) / counts.sum(axis=1, keepdims=True)
        everywhere = float((values * counts).sum() / counts.sum())
        values = values - of_turn + everywhere
    with np.errstate(invalid="ignore"):
        return _Answers((values * counts).sum(axis=0) / total, total, split)


def in_pairs(question: Question, baseline: NDArray[np.int64], run: NDArray[np.int64]) -> Question:
    """Returns the question with one answer per block and side: calls of a block are combined.

    A block that lacks a value on one side has NaN on both.

    Args:
        question: The question, answered by calls.
        baseline: The block of each of the baseline's calls, from 0; the same blocks as in `run`.
        run: The block of each of the run's calls.
    """
    blocks = int(max(baseline.max(), run.max())) + 1
    before, before_counts = _of_blocks(question.baseline, question.baseline_counts, baseline, blocks)
    after, after_counts = _of_blocks(question.run, question.run_counts, run, blocks)
    both = ~np.isnan(before) & ~np.isnan(after)
    return Question(
        scenario=question.scenario,
        metric=question.metric,
        turn=question.turn,
        baseline=np.where(both, before, np.nan),
        run=np.where(both, after, np.nan),
        baseline_counts=np.where(both, before_counts, 0.0),
        run_counts=np.where(both, after_counts, 0.0),
    )


def _of_blocks(values: Floats, counts: Floats, block: NDArray[np.int64], blocks: int) -> tuple[Floats, Floats]:
    total: Floats = np.bincount(block, weights=counts, minlength=blocks).astype(np.float64)
    summed = np.bincount(block, weights=np.where(counts > 0, values, 0.0) * counts, minlength=blocks)
    with np.errstate(invalid="ignore"):
        return summed / total, total
