"""A call that is handed each block of the agent's audio twice says so itself, and a call that is not says nothing."""

from __future__ import annotations

import pytest
from world import World

from harness.call.engines.line import Heard
from harness.call.line_watch import LineWatch

on_heard = LineWatch.on_heard


def heard_twice(watch: LineWatch, heard: Heard) -> None:
    on_heard(watch, heard)
    on_heard(watch, heard)


STEPS = ({"say": "a-fixture"}, {"type": "When do you open?"})


def test_a_call_that_hears_everything_once_has_no_fault_of_its_own() -> None:
    call = World().call(*STEPS)
    assert call.self_faults == []
    assert [turn.fit for turn in call.turns] == [True, True]


def test_a_call_that_hears_everything_twice_finds_itself_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineWatch, "on_heard", heard_twice)
    call = World().call(*STEPS)
    assert any(str(fault).startswith("read against time: 96,000 samples a second") for fault in call.self_faults)
    assert not any(turn.fit for turn in call.turns)
    assert all(not failure.fit for failure in call.failures), "none of it is held against the agent"
