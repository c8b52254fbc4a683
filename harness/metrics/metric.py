"""The types of metrics: what a registration in `registry.py` consists of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.record.result import CallResult, TurnResult
from harness.timeline.events import TurnKind

Unit = Literal["ms", "ratio", "dBFS"]
Engine = Literal["sdk", "light"]
Worse = Literal["higher", "lower", "neither"]
ALL_TURNS: tuple[TurnKind, ...] = ("say", "type", "barge_in")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """The base of all metrics.

    Attributes:
        name: The name in thresholds and `summary.json`.
        unit: The unit of its samples.
        meaning: A short description, for tables of numbers.
        definition: The start and end of the measurement, for the documentation.
        worse: Which direction is worse in a comparison of two versions of an agent; `neither` if none is (a level), or
            if the metric is about the harness.
        left_out: When there is no sample.
        is_rate: Whether samples are 1 (it failed, it happened) or 0, and are reported as a rate.
        since: The version of the definitions (`record.result.DEFINITIONS`) that introduced its current definition.
        engines: The engines that provide it.
        in_recordings: Whether it can be measured from a recording alone (`voice-harness measure`).
        tags: The tags by which it can be filtered.
    """

    name: str
    unit: Unit
    meaning: str
    definition: str
    worse: Worse
    left_out: str = ""
    is_rate: bool = False
    since: int = 1
    engines: tuple[Engine, ...] = ("sdk", "light")
    in_recordings: bool = False
    tags: tuple[str, ...] = ("scenario",)

    @property
    def is_of_turns(self) -> bool:
        """Whether the number of samples grows with the number of turns."""
        return isinstance(self, TurnMetric | ExpectationMetric)


def _always(call: CallResult) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class CallMetric(Metric):
    """A metric with at most one sample per call.

    Attributes:
        value: Returns the sample, or None.
        is_fit: Whether the harness was fit to measure it.
        of_audio: Whether it covers the agent's audio over the whole call, which overload of our machine distorts too.
    """

    value: Callable[[CallResult], float | None]
    is_fit: Callable[[CallResult], bool] = _always
    of_audio: bool = False


@dataclass(frozen=True, kw_only=True)
class SecondMetric(Metric):
    """A metric with one sample for each second of each call."""

    values: Callable[[CallResult], Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class TurnMetric(Metric):
    """A metric with at most one sample per turn.

    Attributes:
        value: Returns the sample, or None.
        kinds: The kinds of turn that have it.
        keeps_talking: Whether steps at which the agent should keep talking have it too, never, or are the only ones.
        of_reply: Whether it measures a reply, and so is doubtful if it is unclear which turn the reply belongs to.
        when_cut: The sample of a turn that was cut short. `known`: the value, or else the time waited; `waited`: always
            the time waited.
        always_fit: Whether unfit turns count, because it counts them.
    """

    value: Callable[[TurnResult], float | None]
    kinds: tuple[TurnKind, ...] = ALL_TURNS
    keeps_talking: Literal["too", "never", "only"] = "too"
    of_reply: bool = True
    when_cut: Literal["nothing", "known", "waited"] = "nothing"
    always_fit: bool = False
    tags: tuple[str, ...] = ("scenario", "kind")


@dataclass(frozen=True, kw_only=True)
class ExpectationMetric(Metric):
    """A metric with one sample for each decided expectation."""

    tags: tuple[str, ...] = ("scenario", "expect")
