"""Scenarios and measured calls made by hand, to be judged."""

from __future__ import annotations

from typing import Any

from harness.errors import Place
from harness.failures import FailureKind
from harness.judge.expectations import judge_call
from harness.judge.thresholds import Threshold
from harness.metrics.threshold import check_threshold
from harness.record.result import CallResult, FailureSeen, GreetingResult, TurnResult, WaitResult
from harness.scenario.model import Scenario


def scenario(*steps: dict[str, Any], **keys: Any) -> Scenario:
    return Scenario.model_validate({"name": "x", "turns": list(steps), **keys})


def turn(number: int = 1, **values: Any) -> TurnResult:
    """A spoken turn that was answered after 1 s."""
    said = {"started_ms": 2900.0, "caller_start_ms": 3000.0, "caller_end_ms": 5000.0, "ended_ms": 9000.0}
    heard = {"ttfa_ms": 1000.0, "agent_onset_ms": 6000.0, "reply": "We open at nine."}
    return TurnResult.model_validate({"turn": number, "kind": "say", "text": "When?", **said, **heard, **values})


def barge_in(number: int = 1, **values: Any) -> TurnResult:
    """A barge-in at which the agent stopped after 600 ms."""
    stopped = {"exercised": True, "stop_ms": 600.0, "agent_stop_ms": 3600.0}
    return turn(number, **{"kind": "barge_in", **stopped, **values})


def call(*turns: TurnResult, failure: FailureKind | None = None, **values: Any) -> CallResult:
    """A call with these turns, failed by `failure`."""
    failures = [FailureSeen(kind=failure, what="it went wrong", ended=True)] if failure else []
    given = {"call": "0001-x", "scenario": "x", "started": "2030-01-01T00:00:00Z", "ok": failure is None}
    return CallResult.model_validate(
        {**given, "failure": failure, "failures": failures, "turns": list(turns), **values}
    )


def greeting(ttfa_ms: float | None = 500.0, reply: str = "Hello, Blue Cafe.") -> GreetingResult:
    return GreetingResult(ttfa_ms=ttfa_ms, reply=reply)


def wait(spoke_ms: float | None, **values: Any) -> WaitResult:
    given = {"after_turn": 1, "started_ms": 1.0, "ended_ms": 9000.0, "agent_spoke_ms": spoke_ms}
    return WaitResult.model_validate({**given, **values})


def judged(result: CallResult, script: Scenario) -> CallResult:
    return judge_call(result, script, lambda *keys: "s.yaml:" + ".".join(map(str, keys)))


def threshold(name: str, limit: str) -> Threshold:
    return Threshold(*check_threshold(name, limit), Place("s.yaml", 1, 1))
