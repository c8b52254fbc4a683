"""Compares two sides and gives the result that is published, and the reasons that it gives a run's verdict."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.candidate import Candidate
from harness.compare.comparable import check_comparable, differences
from harness.compare.decide import Decision, decide
from harness.errors import EXIT_AGENT
from harness.record.comparison import Compared, Comparison, ComparisonSettings, Look, Overall
from harness.record.metric_ref import MetricRef
from harness.record.reason import Regressed, Undecided
from harness.record.summary import Reason


def compare(
    baseline: Candidate, run: Candidate, *, settings: ComparisonSettings | None = None, look: Look | None = None
) -> Comparison:
    """Compares a run with a baseline, or two versions that were called in turns.

    Args:
        baseline: The side to compare with.
        run: The side to judge.
        settings: The smallest effects that matter, and the levels of error.
        look: If the calls are looked at several times while they are made; see `decide`.

    Raises:
        ConfigError: They cannot be compared (`check_comparable`).
    """
    settings = settings or ComparisonSettings()
    limits = check_comparable(baseline, definitions=run.testbed.definitions, scenarios=run.scenarios)
    uncalled = _uncalled(baseline, run)
    decision = decide(baseline.calls, run.calls, settings=settings, look=look, left_out=limits.left_out)
    return Comparison(
        verdict=overall(decision, is_complete=not uncalled),
        definitions=run.testbed.definitions,
        baseline=baseline.subject(),
        run=run.subject(),
        settings=settings,
        method="paired" if decision.paired else "independent",
        level=round(decision.level, 6),
        false_discoveries=decision.false_discoveries,
        look=look,
        differences=differences(baseline.testbed, run.testbed),
        notes=[*limits.notes, *(f"{name} was not called on both sides, and is not compared" for name in uncalled)],
        compared=decision.compared,
    )


def _uncalled(baseline: Candidate, run: Candidate) -> list[str]:
    """Returns the scenarios that both sides have, and one has no call of: the run ended before."""
    called = [{call.scenario for call in side.calls} for side in (baseline, run)]
    return [name for name in run.scenarios if name in baseline.scenarios and not all(name in names for names in called)]


def overall(decision: Decision, *, is_complete: bool = True) -> Overall:
    """The verdict on all comparisons; see `Comparison`.

    Args:
        decision: The comparisons.
        is_complete: Whether every scenario that both sides have was called on both.
    """
    verdicts = {one.verdict for one in decision.compared}
    if "regression" in verdicts:
        return "regression"
    if not is_complete or not decision.decided or not any(one.decides for one in decision.compared):
        return "not enough data"
    return "improvement" if "improvement" in verdicts else "same"


def reasons_of(comparison: Comparison, *, strict: bool = False) -> list[Reason]:
    """Returns why a run does not pass: its regressions, and with `strict` also what is not decided.

    A regression of a turn is a reason of its own only if the metric has none over all turns.
    """
    regressed = [one for one in comparison.compared if one.verdict == "regression"]
    whole = {(one.scenario, one.metric) for one in regressed if one.turn is None}
    shown = [one for one in regressed if one.turn is None or (one.scenario, one.metric) not in whole]
    reasons = [Reason(code=EXIT_AGENT, what=_regressed(one, comparison.baseline.name)) for one in shown]
    if strict and (comparison.undecided or comparison.verdict == "not enough data"):
        enough = [one.enough_calls for one in comparison.undecided]
        most = max((number for number in enough if number is not None), default=None)
        what = Undecided(
            names=_names(comparison.undecided),
            baseline=comparison.baseline.name,
            enough_calls=most if None not in enough else None,
        )
        reasons.append(Reason(code=EXIT_AGENT, what=what, count=max(1, len(comparison.undecided))))
    return reasons


def _regressed(one: Compared, baseline: str) -> Regressed:
    return Regressed(
        metric=MetricRef(one.metric, (("scenario", one.scenario),)),
        turn=one.turn,
        unit="share" if one.is_rate else one.unit,
        effect=one.effect or 0.0,
        relative=one.relative,
        low=one.low or 0.0,
        high=one.high or 0.0,
        baseline=baseline,
    )


def _names(compared: Sequence[Compared]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.metric for one in compared))
