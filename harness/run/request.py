"""The request of a run, from the command line or a locustfile down to the processes that make calls."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.call.engines.make import DEFAULT_ENGINE, EngineName
from harness.caller.recorded_call import RecordMode
from harness.errors import UsageError
from harness.judge.thresholds import Threshold
from harness.scenario.load import LoadedScenario
from harness.target.target import Target
from harness.telemetry.options import Telemetry

if TYPE_CHECKING:
    from harness.run.baselines import Against
    from harness.run.other_version import OtherVersion


def chosen_seed(given: int | None) -> int:
    """Returns the given seed, or a random one if it is None."""
    return random.SystemRandom().randrange(2**31) if given is None else given


def _command_line() -> tuple[str, ...]:
    return ("voice-harness", *sys.argv[1:])


@dataclass(frozen=True, kw_only=True)
class Request:
    """What all commands that make calls have in common. What is specific to a command is in its `Job`.

    Attributes:
        name: The name of the run, used for its folder.
        scenarios: The scenarios to run.
        target: The target to call.
        seed: The seed of everything random.
        agent: The agent's id; None for the scenario's or the target's.
        engine: The media engine.
        record: Which calls' audio to keep.
        thresholds: Limits that the run has to meet.
        session_rate_per_min: The most sessions to create per minute; None for no limit.
        call_duration_s: Each call loops its turns for this many seconds; None to play them once.
        out: Where the run is written; None for a new folder in `reports/`.
        junit: Where to write a copy of the JUnit report.
        markdown: Where to write the run as Markdown.
        annotations: Whether to print what failed for GitHub to show at its line; None if the run is in GitHub Actions.
        strict: Whether not enough data is a failure.
        against: The baseline to compare the run with.
        other: Another version to call in turns, and to compare the run with.
        telemetry: What to export while the run goes on.
        dry_run: Whether to print the plan and make no calls.
        quiet: Whether to print only failures and the verdict.
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
    markdown: Path | None = None
    annotations: bool | None = None
    strict: bool = False
    against: Against | None = None
    other: OtherVersion | None = None
    telemetry: Telemetry | None = None
    dry_run: bool = False
    quiet: bool = False
    command: Sequence[str] = field(default_factory=_command_line)

    def __post_init__(self) -> None:
        check_above_zero("--session-rate", self.session_rate_per_min)
        check_above_zero("--call-duration", self.call_duration_s)


def check_above_zero(option: str, value: float | None) -> None:
    """Checks that an option was left out (None) or is a finite number greater than 0.

    Raises:
        UsageError: It is not.
    """
    if value is not None and not 0 < value < math.inf:
        raise UsageError(f"{option} must be greater than 0 (got {value:g})")
