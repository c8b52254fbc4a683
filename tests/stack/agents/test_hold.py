"""Agents of a known capacity: what is a call, and what becomes of replies past the hold."""

from __future__ import annotations

import pytest

from harness.stack.agents.hold import RunningCalls, slowed_s
from harness.stack.agents_file import AgentSpec, PastHold


def spec(**more: object) -> AgentSpec:
    return AgentSpec.model_validate({"prompt": "We are open.", "greeting": "Hello.", **more})


@pytest.mark.parametrize("past_hold", ["slow", "wrong"])
def test_as_many_as_it_holds_are_answered_as_ever(past_hold: PastHold) -> None:
    calls, small = RunningCalls(), spec(holds=2, past_hold=past_hold)
    found = []
    for room in ("a", "b", "c"):
        calls.begun("small", room)
        found.append(calls.past_hold("small", small))
    calls.ended("small", "a")
    assert [*found, calls.past_hold("small", small)] == [None, None, past_hold, None]


def test_other_agents_calls_do_not_count_and_no_call_counts_twice() -> None:
    calls, small = RunningCalls(), spec(holds=1)
    calls.begun("other", "b")
    calls.begun("small", "a")
    calls.begun("small", "a")
    assert calls.past_hold("small", small) is None
    calls.ended("small", "never-begun")
    calls.begun("small", "c")
    assert calls.past_hold("small", small) == "slow"


def test_without_a_limit_any_number_is_held() -> None:
    calls, endless = RunningCalls(), spec()
    for room in range(1000):
        calls.begun("x", str(room))
    assert calls.past_hold("x", endless) is None


@pytest.mark.parametrize(("delay_s", "took_s", "slow_s"), [(0.8, 0.1, 2.4), (0.0, 0.6, 1.8), (0.3, 0.6, 1.8)])
def test_a_slow_reply_takes_three_times_what_it_would_have(delay_s: float, took_s: float, slow_s: float) -> None:
    assert slowed_s(delay_s, took_s) == pytest.approx(slow_s)
