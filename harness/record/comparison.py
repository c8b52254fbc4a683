"""The model of `comparison.json`: two sets of calls compared, metric by metric and turn by turn."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from harness.formats import Recorded
from harness.record.testbed import Testbed
from harness.timeline.events import Side

# `changed` is the verdict of a metric of which neither direction is worse, such as a level.
Verdict = Literal["regression", "improvement", "changed", "same", "not enough data"]
Overall = Literal["regression", "improvement", "same", "not enough data"]


class SmallestEffect(Recorded):
    """The smallest difference that matters, by the kind of metric.

    A time, or a ratio that is no share of cases (a word error rate, a loss), has to differ by the larger of `share` of
    the baseline's mean and the absolute difference. A rate and a level have only the absolute one.

    Attributes:
        share: Of the baseline's mean.
        ms: For times.
        rate: For rates: 0.05 is one case in twenty.
        ratio: For other ratios.
        db: For levels.
    """

    share: float = Field(default=0.10, ge=0, le=10, allow_inf_nan=False)
    ms: float = Field(default=50.0, gt=0, allow_inf_nan=False)
    rate: float = Field(default=0.05, gt=0, lt=1, allow_inf_nan=False)
    ratio: float = Field(default=0.01, gt=0, lt=1, allow_inf_nan=False)
    db: float = Field(default=3.0, gt=0, allow_inf_nan=False)


class ComparisonSettings(Recorded):
    """How two sets of calls are compared.

    Attributes:
        smallest: The smallest effects that matter.
        false_discoveries: The share of wrong claims among all claims of a difference, over all comparisons.
        level: The level of the intervals.
        seed: The seed of the permutations.
    """

    smallest: SmallestEffect = Field(default_factory=SmallestEffect)
    false_discoveries: float = Field(default=0.05, gt=0, lt=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = 22


class Subject(Recorded):
    """One of the two sets of calls: `name` is that of the baseline or of the run directory."""

    name: str
    run: str = ""
    started: str = ""
    target: str = ""
    agent: str = ""
    calls: int
    testbed: Testbed | None = None


class Measured(Recorded):
    """What one side measured.

    Attributes:
        calls: The number of calls with a value (in a paired comparison: of blocks with a value on both sides).
        samples: The number of values; at least one per call.
        mean: The mean of the calls' means, with turns that not every call has evened out; for a rate, the share.
        failed: For a rate: the number of cases.
    """

    calls: int = 0
    samples: int = 0
    mean: float | None = None
    failed: int | None = None


class Compared(Recorded):
    """One metric of one scenario, over all turns or of one turn.

    Attributes:
        turn: The number of the turn; None for all of the call.
        worse: Which direction is worse.
        effect: The run's mean minus the baseline's, in the metric's unit.
        relative: The effect as a share of the baseline's mean; None if that is 0, and for rates and levels.
        low: The lower end of the effect's confidence interval.
        high: The upper end.
        smallest: The smallest effect that matters here, in the metric's unit.
        p: The two-sided p-value by permutation of calls; None if it was not needed, because the effect is too small.
        q: `p` adjusted for the number of comparisons (Benjamini and Hochberg).
        enough_calls: The number of calls on each side that would be enough to decide; None if no number would.
        only: The side that has the metric, if the other has not.
        why: Why there is not enough data.
    """

    metric: str
    scenario: str
    turn: int | None = None
    unit: Literal["ms", "ratio", "dBFS"]
    is_rate: bool = False
    worse: Literal["higher", "lower", "neither"]
    verdict: Verdict
    baseline: Measured
    run: Measured
    effect: float | None = None
    relative: float | None = None
    low: float | None = None
    high: float | None = None
    smallest: float | None = None
    p: float | None = None
    q: float | None = None
    enough_calls: int | None = None
    only: Side | None = None
    why: str = ""

    @property
    def decides(self) -> bool:
        """Whether the overall verdict waits for it: a metric of the agent, over all turns, that both sides have."""
        return self.turn is None and self.worse != "neither" and self.only is None


class Difference(Recorded):
    """Something in which the testbeds differ."""

    what: str
    baseline: str
    run: str


class Look(Recorded):
    """One of several planned looks at growing data.

    Attributes:
        number: Which of the planned looks it is, from 1.
        planned: The calls on each side at each look, rising; the last is the most that will be made.
        is_last: Whether it was the last one before its time, because the time was over. It may then spend what all
            looks after it would have.
    """

    number: int
    planned: list[int]
    is_last: bool = False

    @model_validator(mode="after")
    def _is_planned(self) -> Self:
        rising = all(before < after for before, after in zip(self.planned, self.planned[1:], strict=False))
        if not self.planned or self.planned[0] < 1 or not rising or not 1 <= self.number <= len(self.planned):
            raise ValueError(f"no planned look: number {self.number} of {self.planned}")
        return self


class Comparison(Recorded):
    """The complete `comparison.json`.

    Attributes:
        version: The format version.
        verdict: `regression` if there is any; else `not enough data` if a metric of a scenario is undecided, or one
            side has no call of a scenario; else `improvement` if there is any, and otherwise `same`.
        definitions: The version of the metric definitions of both sides.
        method: `independent` calls, or `paired` by blocks of neighbouring calls.
        level: The level of the intervals.
        false_discoveries: The level of the false discovery rate; at a look only a part of that in `settings`.
        look: None if the data are looked at once.
        differences: In what the testbeds differ.
        notes: What was left out of the comparison and why.
        compared: All comparisons.
    """

    version: Literal[1] = 1
    verdict: Overall
    definitions: int
    baseline: Subject
    run: Subject
    settings: ComparisonSettings
    method: Literal["independent", "paired"] = "independent"
    level: float
    false_discoveries: float
    look: Look | None = None
    differences: list[Difference] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    compared: list[Compared] = Field(default_factory=list)

    @property
    def is_decided(self) -> bool:
        """Whether every metric that the overall verdict waits for is decided, and there is one."""
        return not self.undecided and any(one.decides for one in self.compared)

    @property
    def undecided(self) -> list[Compared]:
        """The metrics that the overall verdict waits for."""
        return [one for one in self.compared if one.decides and one.verdict == "not enough data"]

    def to_json(self) -> str:
        """Returns the file's text."""
        return self.model_dump_json(indent=1) + "\n"


def comparison_schema() -> dict[str, Any]:
    """The JSON Schema of `comparison.json`."""
    return Comparison.model_json_schema(mode="serialization")
