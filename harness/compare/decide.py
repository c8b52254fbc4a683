"""Verdicts on two sets of calls.

For each metric of each scenario, over all turns and for each turn:

- *regression* (or *improvement*, or *changed* for a metric of which neither direction is worse): the estimated
  difference is at least the smallest effect that matters, **and** it is significant: its confidence interval does not
  contain 0, and its p-value (`permutation.py`) holds the false discovery rate over all comparisons (Benjamini &
  Hochberg, J. R. Stat. Soc. B 57, 1995).
- *same*: the whole confidence interval lies inside the smallest effect, that is, both one-sided tests of equivalence
  reject (Schuirmann 1987). It takes at least `LEAST_CALLS` calls a side.
- *not enough data*: neither.

The smallest effect is the larger of a share of the baseline's mean and an absolute difference (10 % and 50 ms): a
difference has to exceed both. A difference below it is no claim, so its p-value counts as 1 when false discoveries
are controlled. Effects are those of means, because means are what tails and shifts both move; Kalibera & Jones
(Rigorous benchmarking in reasonable time, ISMM 2013) say why intervals of effects and not p-values alone should
decide.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from harness.compare.answers import Answer, answers_to, calls_of, p_values
from harness.compare.enough import Levels, enough_calls
from harness.compare.looks import level_at
from harness.compare.permutation import resamples_for
from harness.compare.questions import Question, in_pairs, questions_of
from harness.record.call_samples import CallSamples
from harness.record.comparison import Compared, ComparisonSettings, Look, Measured, Verdict
from harness.timeline.events import Side

LEAST_CALLS = 10
_DIGITS = 4
_P_DIGITS = 6


@dataclass(frozen=True)
class Decision:
    """All verdicts, and how they were reached.

    Attributes:
        compared: The comparisons, by scenario and in the order of the registry.
        paired: Whether blocks of neighbouring calls were compared.
        level: The level of the intervals.
        false_discoveries: The level of the false discovery rate.
    """

    compared: list[Compared]
    paired: bool
    level: float
    false_discoveries: float

    @property
    def decided(self) -> bool:
        """Whether every metric of the agent that both sides have is decided over all turns."""
        return all(one.verdict != "not enough data" for one in self.compared if one.decides)


def decide(
    baseline: Sequence[CallSamples],
    run: Sequence[CallSamples],
    *,
    settings: ComparisonSettings | None = None,
    look: Look | None = None,
    left_out: Collection[tuple[str, str]] = (),
) -> Decision:
    """Compares two sets of calls.

    If every call has a block, blocks are compared in pairs: the drift of machine and network, which calls of a block
    share, is then in no difference.

    Args:
        baseline: The calls to compare with.
        run: The calls to judge.
        settings: The smallest effects that matter, and the levels of error.
        look: If the calls are looked at several times while they are made: the planned looks and the present one. Its
            share of the levels of error replaces those in `settings`.
        left_out: Scenarios and metrics that are not comparable.
    """
    settings = settings or ComparisonSettings()
    false_discoveries, level = settings.false_discoveries, settings.level
    if look is not None:
        false_discoveries, level = level_at(look, false_discoveries), 1 - level_at(look, 1 - level)
    paired = bool(baseline and run) and all(call.block is not None for call in (*baseline, *run))
    questions = [
        question
        for question in _questions(baseline, run, paired=paired)
        if (question.scenario, question.metric.name) not in left_out
    ]
    answers = answers_to(questions, settings.smallest, level, paired=paired)
    large = [place for place, answer in enumerate(answers) if answer is not None and answer.is_large]
    answered = [place for place, answer in enumerate(answers) if answer is not None]
    resamples = resamples_for(len(answered), false_discoveries)
    p = p_values(questions, large, resamples=resamples, seed=settings.seed, paired=paired)
    q = _adjusted(p, answered)
    found = int(np.sum(q[answered] <= false_discoveries))
    levels = Levels(
        found=settings.false_discoveries * min(len(answered), found + 1) / max(1, len(answered)),
        same=1 - settings.level,
    )
    compared = []
    for place, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        if answer is None:
            compared.append(_unanswered(question))
            continue
        verdict = _verdict(question, answer, significant=bool(q[place] <= false_discoveries))
        tested = (float(p[place]), float(q[place])) if answer.is_large else (None, None)
        compared.append(_compared(question, answer, verdict, tested, levels))
    return Decision(compared, paired, level, false_discoveries)


def _questions(baseline: Sequence[CallSamples], run: Sequence[CallSamples], *, paired: bool) -> list[Question]:
    """Returns the questions about the scenarios that both sides have."""
    found: list[Question] = []
    for scenario in dict.fromkeys(call.scenario for call in baseline):
        before = [call for call in baseline if call.scenario == scenario]
        after = [call for call in run if call.scenario == scenario]
        if not after:
            continue
        asked = list(questions_of(scenario, before, after))
        if paired:
            numbers = {
                block: number for number, block in enumerate(dict.fromkeys(call.block for call in before + after))
            }
            blocks = [np.array([numbers[call.block] for call in side]) for side in (before, after)]
            asked = [in_pairs(question, *blocks) for question in asked]
        found.extend(asked)
    return found


def _adjusted(p: np.ndarray, answered: Sequence[int]) -> np.ndarray:
    """The p-values adjusted for all comparisons that could be answered (Benjamini & Hochberg); 1 for the others."""
    adjusted = np.ones(len(p))
    if answered:
        asked = p[answered]
        order = np.argsort(asked)[::-1]  # the largest first: no p-value counts for more than a larger one
        ranks = np.arange(len(asked), 0, -1)
        adjusted[np.asarray(answered)[order]] = np.minimum.accumulate(asked[order] * len(asked) / ranks)
    return adjusted


def _verdict(question: Question, answer: Answer, *, significant: bool) -> Verdict:
    if answer.is_large and significant:
        if question.metric.worse == "neither":
            return "changed"
        return "regression" if (answer.effect > 0) == (question.metric.worse == "higher") else "improvement"
    if answer.is_small and min(calls_of(question)) >= LEAST_CALLS:
        return "same"
    return "not enough data"


def _compared(
    question: Question,
    answer: Answer,
    verdict: Verdict,
    tested: tuple[float | None, float | None],
    levels: Levels,
) -> Compared:
    metric = question.metric
    calls = calls_of(question)
    enough = enough_calls(
        effect=answer.effect,
        smallest=answer.smallest,
        variance=answer.variance,
        levels=levels,
        calls=min(calls),
        least=LEAST_CALLS,
        is_rate=metric.is_rate,
    )
    if enough is not None:  # not every call has a value
        enough = round(enough * max(question.baseline.size / calls[0], question.run.size / calls[1]))
    is_relative = not metric.is_rate and metric.unit != "dBFS" and answer.baseline != 0
    why = ""
    if verdict == "not enough data" and enough is None:
        why = "the difference is too close to the smallest that matters"
    p, q = tested
    return _bare(question, verdict).model_copy(
        update={
            "baseline": _measured(question, "baseline", answer.baseline),
            "run": _measured(question, "run", answer.run),
            "effect": round(answer.effect, _DIGITS),
            "relative": round(answer.effect / answer.baseline, _DIGITS) if is_relative else None,
            "low": round(answer.low, _DIGITS),
            "high": round(answer.high, _DIGITS),
            "smallest": round(answer.smallest, _DIGITS),
            "p": None if p is None else round(p, _P_DIGITS),
            "q": None if q is None else round(q, _P_DIGITS),
            "enough_calls": enough,
            "why": why,
        }
    )


def _unanswered(question: Question) -> Compared:
    """A question that cannot be answered: one side has no value, or too few to tell how they vary."""
    before, after = calls_of(question)
    compared = _bare(question, "not enough data")
    compared.baseline, compared.run = _measured(question, "baseline"), _measured(question, "run")
    if before and after:
        compared.why = "a single call does not show how much calls vary"
    elif before or after:
        compared.only = "baseline" if before else "run"
        compared.why = f"only the {compared.only} has it"
    else:
        compared.why = "no block has it on both sides"
    return compared


def _bare(question: Question, verdict: Verdict) -> Compared:
    metric = question.metric
    return Compared(
        metric=metric.name,
        scenario=question.scenario,
        turn=question.turn,
        unit=metric.unit,
        is_rate=metric.is_rate,
        worse=metric.worse,
        verdict=verdict,
        baseline=Measured(),
        run=Measured(),
    )


def _measured(question: Question, side: Side, mean: float | None = None) -> Measured:
    values = question.baseline if side == "baseline" else question.run
    counts = question.baseline_counts if side == "baseline" else question.run_counts
    there = counts > 0
    if mean is None and there.any():
        mean = float(np.average(values[there], weights=counts[there]))
    cases = float(np.sum(values[there] * counts[there]))
    return Measured(
        calls=int(there.sum()),
        samples=round(float(counts.sum())),
        mean=None if mean is None else round(mean, _DIGITS),
        failed=round(cases) if question.metric.is_rate else None,
    )
