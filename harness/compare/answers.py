"""Answers questions in groups: all questions of one scenario share its calls, so they are computed as one array."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.compare.censored import Floats
from harness.compare.intervals import Estimates, of_means, of_pairs, of_rates
from harness.compare.permutation import p_of_independent, p_of_pairs
from harness.compare.questions import Question
from harness.record.comparison import SmallestEffect

_LEAST_CALLS = 2  # from which a variance can be estimated


@dataclass(frozen=True)
class Answer:
    """The estimated difference of one question, the run minus the baseline.

    Attributes:
        baseline: The baseline's mean, or share of cases.
        run: The run's.
        effect: The difference.
        low: The lower end of its interval.
        high: The upper end.
        variance: The variance of the effect of one call a side.
        smallest: The smallest effect that matters.
    """

    baseline: float
    run: float
    effect: float
    low: float
    high: float
    variance: float
    smallest: float

    @property
    def is_large(self) -> bool:
        """Whether it is large enough to matter, and its interval does not contain 0."""
        return abs(self.effect) >= self.smallest and (self.low > 0 or self.high < 0)

    @property
    def is_small(self) -> bool:
        """Whether the whole interval lies inside the smallest effect."""
        return -self.smallest < self.low and self.high < self.smallest


def answers_to(
    questions: Sequence[Question], smallest: SmallestEffect, level: float, *, paired: bool
) -> list[Answer | None]:
    """Returns the answer to each question; None if a side has fewer than two calls with a value."""
    found: list[Answer | None] = [None] * len(questions)
    can = [place for place, question in enumerate(questions) if min(calls_of(question)) >= _LEAST_CALLS]
    for places in _groups(can, lambda place: (questions[place].scenario, questions[place].metric.is_rate)):
        group = [questions[place] for place in places]
        estimates = _estimates(group, level, paired=paired)
        for row, (place, question) in enumerate(zip(places, group, strict=True)):
            found[place] = _answer(estimates, row, smallest_of(question, float(estimates.baseline[row]), smallest))
    return found


def p_values(
    questions: Sequence[Question], places: Iterable[int], *, resamples: int, seed: int, paired: bool
) -> Floats:
    """Returns the two-sided p-values of the questions at these places, and 1 for the others."""
    found = np.ones(len(questions))
    for group in _groups(places, lambda place: questions[place].scenario):
        baseline = np.array([questions[place].baseline for place in group])
        run = np.array([questions[place].run for place in group])
        if paired:
            found[group] = p_of_pairs(run - baseline, resamples=resamples, seed=seed)
        else:
            found[group] = p_of_independent(baseline, run, resamples=resamples, seed=seed)
    return found


def smallest_of(question: Question, mean: float, smallest: SmallestEffect) -> float:
    """The smallest effect that matters for a question, in its metric's unit, if the baseline has this mean."""
    metric = question.metric
    if metric.is_rate:
        return smallest.rate
    absolute = {"ms": smallest.ms, "dBFS": smallest.db, "ratio": smallest.ratio}[metric.unit]
    return absolute if metric.unit == "dBFS" else max(absolute, smallest.share * abs(mean))


def calls_of(question: Question) -> tuple[int, int]:
    """The number of calls with a value, on the baseline's side and on the run's."""
    return int((question.baseline_counts > 0).sum()), int((question.run_counts > 0).sum())


def _groups(places: Iterable[int], key: Callable[[int], object]) -> Iterator[list[int]]:
    groups: dict[object, list[int]] = defaultdict(list)
    for place in places:
        groups[key(place)].append(place)
    yield from groups.values()


def _estimates(group: Sequence[Question], level: float, *, paired: bool) -> Estimates:
    baseline = np.array([question.baseline for question in group])
    run = np.array([question.run for question in group])
    if group[0].metric.is_rate:
        counts = np.array([question.baseline_counts for question in group])
        run_counts = np.array([question.run_counts for question in group])
        return of_rates((baseline, counts), (run, run_counts), level)
    return of_pairs(baseline, run, level) if paired else of_means(baseline, run, level)


def _answer(estimates: Estimates, row: int, smallest: float) -> Answer:
    return Answer(
        baseline=float(estimates.baseline[row]),
        run=float(estimates.run[row]),
        effect=float(estimates.effect[row]),
        low=float(estimates.low[row]),
        high=float(estimates.high[row]),
        variance=float(estimates.variance[row]),
        smallest=smallest,
    )
