"""The caller's timeouts, in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from harness.parsing.durations import duration_s
from harness.scenario.model import Timeouts


@dataclass(frozen=True, slots=True)
class CallTimeouts:
    """The timeouts of one call, in seconds."""

    session: float = 10.0
    connect: float = 10.0
    agent_join: float = 15.0
    greeting: float = 5.0
    reply: float = 15.0
    end_silence: float = 1.5
    call: float = 300.0


def resolve_timeouts(scenario: Timeouts, target: Mapping[str, float]) -> CallTimeouts:
    """Takes each timeout from the scenario, else from the target, else the default."""
    given = {key: duration_s(value) for key, value in scenario.model_dump(exclude_none=True).items()}
    known = {field.name for field in fields(CallTimeouts)}
    return CallTimeouts(**({key: value for key, value in target.items() if key in known} | given))
