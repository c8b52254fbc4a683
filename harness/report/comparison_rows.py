"""A comparison as rows of texts, for every output that shows it as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.record.comparison import Compared, Comparison, Measured, Verdict
from harness.report.numbers import MISSING, is_written_plain, level, milliseconds, percent, ratio

_NBSP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class ComparisonRow:
    """One comparison as texts; none of them comes from the agent.

    Attributes:
        scenario: The scenario.
        metric: The metric's name.
        turn: The number of the turn; None for all of the call.
        baseline: The baseline's mean or share, with its unit.
        run: The run's.
        difference: The run's minus the baseline's, with its sign, and as a percentage where that makes sense.
        interval: The confidence interval of the difference, in the difference's unit.
        verdict: The verdict.
        calls: The number of calls with a value, `30` or `30 / 28` (baseline, run).
        enough: How many calls a side would be enough; empty if it is decided, or if no number would be.
        why: Why there is not enough data, if there is more to say.
        is_of_one_side: Whether only one side has the metric.
    """

    scenario: str
    metric: str
    turn: int | None
    baseline: str
    run: str
    difference: str
    interval: str
    verdict: Verdict
    calls: str
    enough: str
    why: str
    is_of_one_side: bool

    @property
    def name(self) -> str:
        """The metric and its turn."""
        return self.metric if self.turn is None else f"{self.metric} turn {self.turn}"


def comparison_rows(comparison: Comparison, *, turns: bool = True) -> Iterator[ComparisonRow]:
    """Yields a row per comparison, by scenario and in the order of the registry.

    Args:
        comparison: The comparison.
        turns: Whether to include those of single turns.
    """
    for one in comparison.compared:
        if turns or one.turn is None:
            yield _row(one)


def notable_rows(comparison: Comparison) -> list[ComparisonRow]:
    """Returns the rows for a short table: all metrics over all turns, and the turns with a claimed difference."""
    return [
        _row(one)
        for one in comparison.compared
        if one.turn is None or one.verdict in ("regression", "improvement", "changed")
    ]


def _row(one: Compared) -> ComparisonRow:
    undecided = one.verdict == "not enough data"
    before, after = one.baseline.calls, one.run.calls
    relative = "" if one.relative is None else f" ({round(100 * one.relative) + 0:+}{_NBSP}%)"
    interval = MISSING
    if one.low is not None and one.high is not None:
        interval = f"{_signed_number(one, one.low)} to {_signed_number(one, one.high)}"
    return ComparisonRow(
        scenario=one.scenario,
        metric=one.metric,
        turn=one.turn,
        baseline=mean_of(one, one.baseline),
        run=mean_of(one, one.run),
        difference=MISSING if one.effect is None else signed(one, one.effect) + relative,
        interval=interval,
        verdict=one.verdict,
        calls=str(before) if before == after else f"{before} / {after}",
        enough=f"{one.enough_calls:,}" if undecided and one.enough_calls is not None else "",
        why=one.why,
        is_of_one_side=one.only is not None,
    )


def mean_of(one: Compared, side: Measured) -> str:
    """One side's mean or share, with its unit; of a rate also of how many."""
    if side.mean is None:
        return MISSING
    if one.is_rate:
        return f"{percent(side.mean)} of {side.samples:,}"
    if one.unit == "dBFS":
        return level(side.mean)
    return ratio(one.metric, side.mean) if one.unit == "ratio" else f"{milliseconds(side.mean)}{_NBSP}ms"


def signed(one: Compared, value: float) -> str:
    """A difference with its sign and unit; of shares and most ratios in percentage points."""
    unit = {"ms": "ms", "dBFS": "dB", "ratio": "" if is_written_plain(one.metric) else "pp"}[one.unit]
    return f"{_signed_number(one, value)}{_NBSP}{unit}" if unit else _signed_number(one, value)


def _signed_number(one: Compared, value: float) -> str:
    if is_written_plain(one.metric):
        return f"{round(value, 3) + 0.0:+.3f}"
    value = 100 * value if one.unit == "ratio" else value
    if one.unit == "ms" and abs(value) >= 9.95:
        return f"{value:+,.0f}"
    return f"{round(value, 1) + 0.0:+.1f}"  # never -0.0
