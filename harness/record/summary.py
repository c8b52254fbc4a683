"""The model of `summary.json`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNFIT, EXIT_USAGE
from harness.parsing.limits import Limit, parse_threshold
from harness.record.as_text import AsText
from harness.record.metric_ref import MetricRef
from harness.record.reason import Cause, InWords
from harness.record.result import DEFINITIONS, StepOf
from harness.record.testbed import Testbed

Verdict = Literal["pass", "fail", "usage", "infrastructure", "unfit", "interrupted"]
VERDICTS: dict[int, Verdict] = {
    EXIT_OK: "pass",
    EXIT_AGENT: "fail",
    EXIT_USAGE: "usage",
    EXIT_INFRASTRUCTURE: "infrastructure",
    EXIT_UNFIT: "unfit",
    EXIT_INTERRUPTED: "interrupted",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


Pattern = Literal["flicker", "failure"]
PATTERNS: dict[Pattern, str] = {"flicker": "sometimes passes", "failure": "never passes"}


class Reason(_Part):
    """One reason why the run did not pass.

    `pattern` is for what several calls were to pass: a flicker (some passed) or a failure (none did); else None.
    """

    code: int
    what: Annotated[Cause, AsText(InWords)]
    count: int = 1
    pattern: Pattern | None = None


class Ending(_Part):
    """How a run ended, apart from its calls.

    Attributes:
        dropped: The number of calls that could not start.
        interrupted: Whether the run was interrupted.
        extra: Reasons that do not follow from the calls.
        decided: All reasons, if the calls themselves do not count, as in a capacity search, where calls are expected to
            fail.
    """

    dropped: int = 0
    interrupted: bool = False
    extra: list[Reason] = Field(default_factory=list)
    decided: list[Reason] | None = None


class CallCounts(_Part):
    """Numbers of calls. `total` is ok + failed; dropped, cut, warm-up and retried calls are not in it."""

    total: int = 0
    ok: int = 0
    failed: int = 0
    dropped: int = 0
    cut: int = 0
    warm_up: int = 0
    retried: int = 0


class MetricSummary(_Part):
    """Statistics of a metric's samples.

    A percentile of too few samples is null (p90 under 10, p95 under 20, p99 under 100), and so is one that lies beyond
    everything measured. `censored` samples are only lower bounds: their turns were cut while waiting for the reply.
    """

    count: int
    min: float
    mean: float
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    max: float
    censored: int = 0


class RateSummary(_Part):
    """A ratio: `failed` of `count`."""

    count: int
    failed: int
    rate: float


# There was no sample, or all were measured by a late harness, or all are doubtful because of what the agent did.
NoSample = Literal["none", "late", "doubtful"]


class ThresholdResult(_Part):
    """A judged threshold. `value` is None if there is no usable sample; `no_sample` says why (not in the file)."""

    metric: Annotated[MetricRef, AsText(MetricRef.read)]
    limit: Annotated[Limit, AsText(parse_threshold)]
    value: float | None
    samples: int
    ok: bool | None
    why: str = ""
    no_sample: NoSample | None = Field(default=None, exclude=True)


class PassRateResult(_Part):
    """How many calls passed a scenario, one of its steps, or one expectation; and whether that is enough.

    Attributes:
        scenario: The scenario.
        step: The step; None for the whole call.
        expect: The expectation's key; None for all of the step, or all of the call.
        of: The step and the expectation for people, such as `turn 2 ttfa`; empty for the whole call.
        limit: How many must pass, such as `9/10`; None if the scenario does not say.
        passed: The number of calls that passed.
        decided: The number of calls in which it was decided.
        undecided: The number of other calls that were not cut: unfit, doubtful, or they did not come to it.
        low, high: The 95 % interval of the pass rate (Wilson); None if it was decided in no call.
        needed: How many calls must be decided for the limit; None if there is no limit.
        bound: The lower confidence bound of the pass rate, if a rate with a confidence is needed.
        ok: Whether enough passed; None if there is no limit, or too few calls were decided.
        pattern: Whether some calls passed or none did, if any failed and there are several.
        why: Why it was not decided.
        place: Where the limit is written.
        ours: In how many of the undecided calls the harness was the cause (not in the file).
    """

    scenario: str
    step: StepOf = None
    expect: str | None = None
    of: str = ""
    limit: str | None = None
    passed: int
    decided: int
    undecided: int = 0
    low: float | None = None
    high: float | None = None
    needed: int | None = None
    bound: float | None = None
    ok: bool | None = None
    pattern: Pattern | None = None
    why: str = ""
    place: str = ""
    ours: int = Field(default=0, exclude=True)

    @property
    def is_open_by_us(self) -> bool:
        """Whether too few calls were decided, and there would be enough had the harness been fit."""
        return self.ok is None and self.needed is not None and self.decided + self.ours >= self.needed

    @property
    def name(self) -> str:
        """The scenario, the step and the expectation for people."""
        return f"{self.scenario} {self.of}".strip()


class ExpectationCounts(_Part):
    """How many expectations of a kind held, failed, or could not be decided."""

    held: int = 0
    failed: int = 0
    undecided: int = 0


class CanarySummary(_Part):
    """The calls of a load that ran on the other engine, for people to listen to; they are in no other number."""

    engine: str
    calls: CallCounts
    metrics: dict[str, MetricSummary | RateSummary] = Field(default_factory=dict)
    failures: dict[str, int] = Field(default_factory=dict)


class RemeasuredCounts(_Part):
    """For a run that was measured again: the number of calls measured from recordings, and why others were not."""

    from_recordings: int = 0
    live_onsets: dict[str, int] = Field(default_factory=dict)
    unchanged: dict[str, int] = Field(default_factory=dict)


class Summary(_Part):
    """A run's verdict and numbers.

    Attributes:
        version: The format version.
        definitions: The version of the metric definitions (the oldest of its calls).
        failures: The number of calls for each kind of failure.
        pass_rates: How many calls passed, for all that has a `pass` and all that failed in one of several calls.
        excused: How often each failure was excused by a threshold or a pass rate that held.
        testbed: What the run was measured with; None in files of older versions.
    """

    version: Literal[1] = 1
    verdict: Verdict
    exit_code: int
    reasons: list[Reason]
    target: str
    definitions: int = DEFINITIONS
    calls: CallCounts
    metrics: dict[str, MetricSummary | RateSummary] = Field(default_factory=dict)
    thresholds: list[ThresholdResult] = Field(default_factory=list)
    pass_rates: list[PassRateResult] = Field(default_factory=list)
    expectations: dict[str, ExpectationCounts] = Field(default_factory=dict)
    failures: dict[str, int] = Field(default_factory=dict)
    excused: dict[str, int] = Field(default_factory=dict)
    canaries: CanarySummary | None = None
    calibration: Any = None
    remeasured: RemeasuredCounts | None = None
    testbed: Testbed | None = None

    @property
    def also(self) -> list[Verdict]:
        """The other verdicts among the reasons. Only the first reason decides, but it must not hide them."""
        found = (VERDICTS.get(reason.code) for reason in self.reasons)
        return [verdict for verdict in dict.fromkeys(found) if verdict is not None and verdict != self.verdict]
