"""What is asked for: one class, from the command line or a locustfile down to the processes that make calls."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.call.engines.make import DEFAULT_ENGINE, EngineName
from harness.caller.recorded_call import RecordMode
from harness.errors import UsageError
from harness.judge.thresholds import Threshold
from harness.scenario.load import LoadedScenario
from harness.target.target import Target


def any_seed() -> int:
    """A seed, where none was given."""
    return random.SystemRandom().randrange(2**31)


def _command_line() -> tuple[str, ...]:
    return ("voice-harness", *sys.argv[1:])


@dataclass(frozen=True, kw_only=True)
class Request:
    """What every command that makes calls has in common; what is its own is in its `Job`.

    Attributes:
        name: Names the run's folder.
        scenarios: What the calls follow.
        target: Whom they go to.
        seed: Of everything random.
        agent: The agent's id; None: the scenario's or the target's.
        engine: What carries the media.
        record: Which calls' audio is kept.
        thresholds: Limits that the run has to meet.
        session_rate_per_min: The most sessions that are created in a minute; None for no limit.
        call_duration_s: Each call loops its turns for this long; None to play them once.
        out: Where the run is written; None for a new folder in `reports/`.
        junit: Where a copy of the JUnit report goes.
        dry_run: Print the plan and make no calls.
        quiet: Print only failures and the verdict.
        command: The command line, for run.json.

    Raises:
        UsageError: A number is not greater than 0.
    """

    name: str
    scenarios: Sequence[LoadedScenario]
    target: Target
    seed: int
    agent: str | None = None
    engine: EngineName = DEFAULT_ENGINE
    record: RecordMode = "failed"
    thresholds: Sequence[Threshold] = ()
    session_rate_per_min: float | None = None
    call_duration_s: float | None = None
    out: Path | None = None
    junit: Path | None = None
    dry_run: bool = False
    quiet: bool = False
    command: Sequence[str] = field(default_factory=_command_line)

    def __post_init__(self) -> None:
        check_above_zero("--session-rate", self.session_rate_per_min)
        check_above_zero("--call-duration", self.call_duration_s)


def check_above_zero(option: str, value: float | None) -> None:
    """Return where an option was left out or is a number greater than 0.

    Raises:
        UsageError: It is not.
    """
    if value is not None and not 0 < value < math.inf:
        raise UsageError(f"{option} must be greater than 0 (got {value:g})")
