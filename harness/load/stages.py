"""The number of concurrent calls over time.

In each stage of `2m:20,5m:50,1m:0` the number changes linearly from that of the previous stage to its own.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from harness.errors import UsageError
from harness.parsing.durations import duration_s

HOW = "write DURATION:CALLS, separated by commas, such as 2m:20,5m:50,1m:0"


@dataclass(frozen=True, slots=True)
class Stage:
    """A period in which the number of calls changes linearly to `calls`."""

    lasts_s: float
    calls: int


@dataclass(frozen=True, slots=True)
class Stages:
    """Consecutive stages, starting from no calls."""

    stages: tuple[Stage, ...]

    @property
    def lasts_s(self) -> float:
        """The duration of all stages together."""
        return sum(stage.lasts_s for stage in self.stages)

    @property
    def most(self) -> int:
        """The most concurrent calls."""
        return max(stage.calls for stage in self.stages)

    @property
    def call_seconds(self) -> float:
        """The total duration of all calls that fit into the stages, in seconds."""
        pairs = itertools.pairwise((Stage(0.0, 0), *self.stages))
        return sum(stage.lasts_s * (before.calls + stage.calls) / 2 for before, stage in pairs)

    def calls_at(self, elapsed_s: float) -> int | None:
        """Returns the number of calls at this time after the start; None once the last stage has ended."""
        before = 0
        for stage in self.stages:
            if elapsed_s < stage.lasts_s:
                return before + round((stage.calls - before) * max(0.0, elapsed_s) / stage.lasts_s)
            elapsed_s -= stage.lasts_s
            before = stage.calls
        return None

    def __str__(self) -> str:
        return ",".join(f"{stage.lasts_s:g}s:{stage.calls}" for stage in self.stages)


def steady(calls: int, lasts_s: float) -> Stages:
    """Returns stages that start `calls` calls immediately and hold them for `lasts_s`."""
    return Stages((Stage(0.0, calls), Stage(lasts_s, calls)))


def parse_stages(text: str, *, where: str = "--stages") -> Stages:
    """Parses stages; `where` names the option in errors.

    Raises:
        UsageError: They are invalid.
    """
    stages = []
    for number, part in enumerate(text.split(","), start=1):
        lasts, _, calls = part.strip().rpartition(":")
        try:
            stages.append(Stage(duration_s(lasts.strip()), int(calls)))
        except ValueError:
            raise UsageError(f"stage {number} is not valid: {part.strip()!r}", where=where, hint=HOW) from None
        if stages[-1].calls < 0:
            raise UsageError(f"the calls of stage {number} must be 0 or more (got {calls})", where=where, hint=HOW)
    for number, (first, second) in enumerate(itertools.pairwise([Stage(0.0, 0), *stages]), start=1):
        if second.lasts_s == 0 and first.lasts_s == 0 and number > 1:
            raise UsageError(
                f"stages {number - 1} and {number} both last 0 s: stage {number - 1} would never run",
                where=where,
                hint=HOW,
            )
    found = Stages(tuple(stages))
    if not found.most:
        raise UsageError("every stage has 0 calls", where=where, hint=HOW)
    if not found.lasts_s:
        raise UsageError("every stage lasts 0 s", where=where, hint=HOW)
    return found
