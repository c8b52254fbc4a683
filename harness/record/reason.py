"""Why a run did not pass: each reason is a value, and `sentence` formats it for people.

`summary.json` and `run.json` store the sentence. A reason read from a file keeps its sentence unparsed (`InWords`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.failures import FailureKind
from harness.parsing.limits import Limit, parse_threshold
from harness.record.metric_ref import MetricRef
from harness.record.ran_out import RanOut
from harness.record.unfit import Doubt, Unfit
from harness.text.counted import counted


class _Cause:
    __slots__ = ()

    def __str__(self) -> str:
        return sentence(self)  # type: ignore[arg-type] # every subclass is in `Cause`


@dataclass(frozen=True, slots=True)
class InWords(_Cause):
    """A reason as text: read from a file, or received from another process."""

    what: str


@dataclass(frozen=True, slots=True)
class Interrupted(_Cause):
    """The run was interrupted; `cut` calls were still running."""

    cut: int


@dataclass(frozen=True, slots=True)
class StackFell(_Cause):
    """The embedded stack failed; `what` says how."""

    what: str


@dataclass(frozen=True, slots=True)
class MasterVanished(_Cause):
    """The process that distributed a load's calls vanished."""


@dataclass(frozen=True, slots=True)
class DiskRefused(_Cause):
    """A file of the run could not be written; `what` says which and why."""

    what: str


@dataclass(frozen=True, slots=True)
class UnfitTurns(_Cause):
    """Too many turns were measured late, or are doubtful.

    Attributes:
        unfit: The number of such turns.
        turns: The number of all turns.
        doubtful: Whether some of them are doubtful.
        mostly: The most common reason; None if there is none.
        ran_out: The resource that ran out most often; None if none is known.
    """

    unfit: int
    turns: int
    doubtful: bool
    mostly: Unfit | Doubt | None
    ran_out: RanOut | None


@dataclass(frozen=True, slots=True)
class FoundWrong(_Cause):
    """The harness found faults of its own in too many calls; `names` are the names of the faults."""

    wrong: int
    calls: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Lost:
    """How the harness lost a call; `late`: the harness was late when the call failed."""

    kind: FailureKind
    late: bool

    def __str__(self) -> str:
        return f"{self.kind} while the harness was late" if self.late else self.kind


@dataclass(frozen=True, slots=True)
class LostByOurselves(_Cause):
    """The harness lost too many calls; `how` lists the ways."""

    how: tuple[Lost, ...]


@dataclass(frozen=True, slots=True)
class Dropped(_Cause):
    """Too many of the wanted calls could not start."""

    dropped: int
    wanted: int


@dataclass(frozen=True, slots=True)
class CallsFailed(_Cause):
    """Calls failed by one kind of failure."""

    kind: FailureKind


@dataclass(frozen=True, slots=True)
class ExpectationFailed(_Cause):
    """An expectation of a scenario failed."""

    expect: str
    limit: str


@dataclass(frozen=True, slots=True)
class NeverDecided(_Cause):
    """An expectation was decided in no call; `why` is the reason in the first of them."""

    expect: str
    limit: str
    why: str


@dataclass(frozen=True, slots=True)
class ThresholdMissed(_Cause):
    """A threshold was missed by this value; `why` explains the value."""

    metric: MetricRef
    limit: Limit
    value: float
    why: str


@dataclass(frozen=True, slots=True)
class ThresholdOpen(_Cause):
    """A threshold was not decided. `ours`: because the harness was late; `all_cut`: because every call was cut."""

    metric: MetricRef
    limit: Limit
    why: str
    ours: bool = False
    all_cut: bool = False


@dataclass(frozen=True, slots=True)
class TooFewSamples(_Cause):
    """A threshold held, but by fewer samples than its percentile needs (`--strict`)."""

    metric: MetricRef
    limit: Limit
    samples: int
    needed: int


@dataclass(frozen=True, slots=True)
class PassMissed(_Cause):
    """Too few calls passed; `bound` is the lower confidence bound of their rate, if such a one is needed."""

    name: str
    limit: str
    passed: int
    decided: int
    bound: float | None


@dataclass(frozen=True, slots=True)
class PassOpen(_Cause):
    """Too few calls were decided for a pass rate."""

    name: str
    limit: str
    why: str


@dataclass(frozen=True, slots=True)
class Aborted(_Cause):
    """A threshold aborted the run: so many seconds after its start, so many samples came to this value."""

    metric: MetricRef
    limit: Limit
    value: float
    samples: int
    after_s: float

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Aborted:
        """Reads what `told` returned, from another process."""
        metric, limit = MetricRef.read(told["metric"]), parse_threshold(told["limit"])
        return cls(metric, limit, float(told["value"]), int(told["samples"]), float(told["after_s"]))

    def told(self) -> dict[str, Any]:
        """Returns it as JSON, for another process."""
        return {
            "metric": str(self.metric),
            "limit": str(self.limit),
            "value": self.value,
            "samples": self.samples,
            "after_s": self.after_s,
        }


@dataclass(frozen=True, slots=True)
class Regressed(_Cause):
    """A metric is worse than in the baseline, by more than the smallest effect that matters, and not by chance.

    Attributes:
        metric: The metric and its scenario.
        turn: The number of the turn; None for all of the call.
        unit: The unit of the numbers: `ms`, `ratio`, `dBFS`, or `share` for a rate.
        effect: The difference to the baseline.
        relative: The same as a share of the baseline's mean, if that makes sense.
        low: The lower end of the interval.
        high: The upper end.
        baseline: The name of the baseline.
    """

    metric: MetricRef
    turn: int | None
    unit: str
    effect: float
    relative: float | None
    low: float
    high: float
    baseline: str


@dataclass(frozen=True, slots=True)
class Undecided(_Cause):
    """Metrics whose comparison with a baseline has not enough data; `enough_calls` a side would be, if any number."""

    names: tuple[str, ...]
    baseline: str
    enough_calls: int | None


@dataclass(frozen=True, slots=True)
class OfOther(_Cause):
    """Something that is true of the version that was called in turns: `name`; `what` says it."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class NoneStarted(_Cause):
    """No call could start."""


@dataclass(frozen=True, slots=True)
class AllCutEarly(_Cause):
    """Every call was cut before its first turn had ended."""


Cause = (
    InWords
    | Interrupted
    | StackFell
    | MasterVanished
    | DiskRefused
    | UnfitTurns
    | FoundWrong
    | LostByOurselves
    | Dropped
    | CallsFailed
    | ExpectationFailed
    | NeverDecided
    | ThresholdMissed
    | ThresholdOpen
    | TooFewSamples
    | PassMissed
    | PassOpen
    | Aborted
    | Regressed
    | Undecided
    | OfOther
    | NoneStarted
    | AllCutEarly
)


def sentence(cause: Cause) -> str:
    """Returns the reason as a sentence without its full stop."""
    match cause:
        case InWords(what):
            return what
        case Interrupted(cut):
            return f"interrupted; {counted(cut, 'running call')} cut" if cut else "interrupted"
        case StackFell(what):
            return f"the embedded stack fell: {what}"
        case MasterVanished():
            return "the master of the load vanished: its last calls are lost"
        case DiskRefused(what):
            return f"harness.disk: {what}"
        case UnfitTurns():
            return _of_unfit_turns(cause)
        case FoundWrong(wrong, calls, names):
            of = f"{wrong} of {counted(calls, 'call')}"
            return f"do not trust this run: the harness found itself wrong in {of} ({', '.join(names)})"
        case LostByOurselves(how):
            return f"calls lost by ourselves: {', '.join(map(str, how))}"
        case Dropped(dropped, wanted):
            return f"{dropped} of {counted(wanted, 'call')} could not start"
        case CallsFailed(kind):
            return kind
        case ExpectationFailed(expect, limit):
            return f"expectation {expect} {limit}"
        case NeverDecided(expect, limit, why):
            return f"expectation {expect} {limit} was never decided: {why}"
        case ThresholdMissed(metric, limit, value, why):
            return f"threshold {metric} {limit}: {_value(value, limit)}" + (f" ({why})" if why else "")
        case ThresholdOpen():
            return _of_open_threshold(cause)
        case TooFewSamples(metric, limit, samples, needed):
            of = f"{limit.aggregate} of {counted(samples, 'sample')} is the largest, it needs {needed}"
            return f"not enough data for threshold {metric} {limit}: {of}"
        case PassMissed(name, limit, passed, decided, bound):
            shown = "" if bound is None else f", which shows a rate of {bound:.3f}"
            return f"pass rate of {name}: {passed} of {counted(decided, 'call')} passed{shown}; needed: {limit}"
        case PassOpen(name, limit, why):
            return f"pass rate of {name}: {why}; needed: {limit}"
        case Aborted(metric, limit, value, samples, after_s):
            by = f"threshold {metric} {limit}: {_value(value, limit)} ({counted(samples, 'sample')})"
            return f"aborted after {after_s:.0f} s by {by}"
        case Regressed():
            return _of_regression(cause)
        case Undecided():
            return _of_undecided(cause)
        case OfOther(name, what):
            return f"{name}, to compare with: {what}"
        case NoneStarted():
            return "no call could start"
        case AllCutEarly():
            return "every call was cut before its first turn had ended"


def _value(value: float, limit: Limit) -> str:
    """A value in the unit in which its limit is written."""
    if limit.is_time:
        return f"{value:g} ms"
    return f"{100 * value:g} %" if limit.is_share else f"{value:g}"


def _of_unfit_turns(cause: UnfitTurns) -> str:
    late = "were measured late or are doubtful" if cause.doubtful else "were measured late"
    mostly = "" if cause.mostly is None else cause.mostly.in_short
    ran_out = "" if cause.ran_out is None else f"; what ran out: {cause.ran_out.in_short}"
    of = f"{cause.unfit} of {counted(cause.turns, 'turn')}"
    return f"do not trust this run: {of} {late} (mostly: {mostly}{ran_out})"


def _of_open_threshold(cause: ThresholdOpen) -> str:
    named = f"{cause.metric} {cause.limit}: {cause.why}"
    if cause.ours:
        return named
    return f"threshold {named}: every call was cut" if cause.all_cut else f"threshold {named}"


def _of_regression(cause: Regressed) -> str:
    turn = "" if cause.turn is None else f" in turn {cause.turn}"
    relative = "" if cause.relative is None else f" ({100 * cause.relative:+.0f} %)"
    effect, low, high = (_difference(value, cause.unit) for value in (cause.effect, cause.low, cause.high))
    what = f"regression of {cause.metric}{turn} against {cause.baseline}"
    return f"{what}: {effect}{relative}, interval {low} to {high}"


def _of_undecided(cause: Undecided) -> str:
    enough = "" if cause.enough_calls is None else f"; {counted(cause.enough_calls, 'call')} a side would be enough"
    return f"not enough data against {cause.baseline}: {', '.join(cause.names) or 'nothing to compare'}{enough}"


def _difference(value: float, unit: str) -> str:
    """A difference with its sign and unit; shares and ratios in percentage points."""
    if unit == "ms":
        return f"{value:+,.0f} ms"
    return f"{value:+.1f} dB" if unit == "dBFS" else f"{100 * value:+.1f} points"
