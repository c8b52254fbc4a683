"""Calls of a hold, made by hand: seconds on the hold's own clock."""

from __future__ import annotations

from typing import Any

from harness.capacity.judge_hold import Fitness, Made
from harness.capacity.window import Timed, window_of
from harness.clock import s_to_ns
from harness.failures import FailureKind
from harness.judge.thresholds import Threshold
from harness.metrics.threshold import check_threshold
from harness.record.result import CallResult
from tests.judge.made import call, turn


def slo(name: str, limit: str) -> Threshold:
    return Threshold(*check_threshold(name, limit), "--slo")


def talk(
    number: int,
    *,
    connected_s: float = 1.0,
    turns: int = 10,
    turn_s: float = 5.0,
    ttfa_ms: float = 600.0,
    failure: FailureKind | None = None,
    local: bool = False,
    first: bool = True,
    **turn_values: Any,
) -> Timed:
    """A call that took so many turns, the first a second after it was connected."""
    taken = [
        turn(
            index + 1,
            started_ms=1000 * (1 + index * turn_s),
            ended_ms=1000 * (1 + (index + 1) * turn_s),
            ttfa_ms=ttfa_ms,
            **turn_values,
        )
        for index in range(turns)
    ]
    result = call(*taken, failure=failure, call=f"{number:04d}-x", session_create_ms=200.0, room_connect_ms=300.0)
    return Timed(result, s_to_ns(connected_s), on_this_machine=local, first=first)


def no_session(number: int, kind: FailureKind = "session.rate_limited") -> Timed:
    """A call that came to nothing."""
    result = CallResult.model_validate(call(failure=kind, call=f"{number:04d}-x").model_dump())
    return Timed(result, None)


def made(*calls: Timed, slots: int | None = None, until_s: float = 50.0, fitness: Fitness | None = None) -> Made:
    """A hold from 0 s to 50 s, whose calls were to talk from 5 s on."""
    window = window_of(calls, begun_ns=0, planned_ns=s_to_ns(5), until_ns=s_to_ns(until_s))
    count = slots if slots is not None else sum(each.first for each in calls)
    return Made(count, True, "2030-01-01T00:00:00Z", 0, window, calls, fitness or Fitness())
