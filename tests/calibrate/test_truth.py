"""Turns beside their truth: paired by room and time, never by how well they would fit."""

from __future__ import annotations

from typing import Any

import pytest

from harness.calibrate.truth import check_call
from harness.call.engines.sdk_wait import TICK_LATE_MS
from harness.clock import NS_PER_MS
from harness.measure.call import measure_call
from harness.timeline.events import Event
from tests.events import typed

MS = NS_PER_MS
T0 = 1_000_000 * MS
ROOM = "room-1"


def timeline(*, onset_ms: float = 2345.0, read_late_ms: float = 0.0) -> list[Event]:
    """One spoken turn: it left until 1,000 ms after the connection, the reply's onset came at `onset_ms`."""
    at = {name: T0 + round(ms * MS) for name, ms in (("start", 200), ("left", 1000), ("onset", onset_ms))}
    onset = {"ear": None, "level_dbfs": -20.0, "found": at["onset"], "read_late_ms": read_late_ms}
    return typed(
        [
            {
                "t": T0 - 500 * MS,
                "event": "call.started",
                "call": "1",
                "scenario": "clean",
                "agent": "clean",
                "target": "embedded",
                "utc": "2026-01-01T00:00:00Z",
            },
            {"t": T0 - 100 * MS, "event": "session.created", "room": ROOM},
            {"t": T0, "event": "room.connected"},
            {
                "t": T0 + 1 * MS,
                "event": "turn.started",
                "turn": 1,
                "step": 0,
                "kind": "say",
                "text": "Hello",
                "fixture": "hello",
                "language": "en",
            },
            {
                "t": at["start"],
                "event": "caller.spoke",
                "turn": 1,
                "voiced_start": at["start"],
                "voiced_end": at["left"],
            },
            {"t": at["onset"], "event": "agent.onset", **onset},
            {"t": at["onset"] + 900 * MS, "event": "agent.end", "level_dbfs": -20.0, "found": at["onset"] + 1100 * MS},
            {"t": at["onset"] + 1600 * MS, "event": "turn.ended", "turn": 1, "why": "replied"},
            {"t": at["onset"] + 1700 * MS, "event": "call.ended"},
        ]
    )


def buffer(t_ns: int, packets: int) -> dict[str, Any]:
    """The agent's jitter buffer after so many packets, which came 4 ms after a tick and were counted as 30 ms each."""
    return {
        "t": t_ns,
        "event": "jitter_buffer",
        "delay_s": packets * 960 * 0.03,
        "samples": packets * 960,
        "inserted": 0,
        "removed": 0,
        "concealed": 240,
        "packets": packets + 1,
        "last_packet_ns": T0 + packets * 20 * MS + round((4 - TICK_LATE_MS) * MS),
        "age_ms": 11.0,
    }


def truth(*, heard_ms: float = 1066.0, pushed_ms: float = 2335.0, room: str = ROOM) -> list[dict[str, Any]]:
    """The agent heard the caller's end 31 ms (26 and 5 left over) after it had come in, and replied after 1,300 ms."""
    heard, pushed = T0 + round(heard_ms * MS), T0 + round(pushed_ms * MS)
    entries: list[dict[str, Any]] = [
        buffer(heard - 40 * MS, 10),
        {"t": heard + 12 * MS, "event": "caller_voiced_end", "at_ns": heard, "tick_ns": T0},
        buffer(heard + 13 * MS, 12),
        {"t": heard + 14 * MS, "event": "decided", "delay_ms": 1269.0, "due_ns": pushed},
        {"t": pushed, "event": "push_start", "at_ns": pushed, "what": "reply", "late_ms": 0.5},
    ]
    return [{"room": room, "agent": "clean", **entry} for entry in entries]


def test_the_ways_up_and_down_are_told_apart() -> None:
    events = timeline()
    check = check_call(measure_call(events), events, truth())
    [turn] = check.turns
    assert turn.kind == "spoken"
    assert (turn.true_ms, turn.measured_ms, turn.error_ms) == (1300.0, 1345.0, 45.0)
    assert (turn.sending_ms, turn.hearing_ms) == (35.0, 10.0)
    assert turn.agent_buffer_ms == pytest.approx(31.0)


def test_a_false_onset_is_an_error_and_no_missed_turn() -> None:
    events = timeline(onset_ms=1300.0)
    [turn] = check_call(measure_call(events), events, truth()).turns
    assert turn.error_ms == -1000.0


@pytest.mark.parametrize("log", [truth(room="another"), truth(heard_ms=-400.0), []])
def test_what_the_log_does_not_know_is_missed(log: list[dict[str, Any]]) -> None:
    events = timeline()
    check = check_call(measure_call(events), events, log)
    assert not check.turns
    assert check.missed == {"spoken": 1, "typed": 0}


def test_a_turn_in_which_the_harness_was_late_gives_no_figure() -> None:
    events = timeline(read_late_ms=50.0)
    check = check_call(measure_call(events), events, truth())
    assert not check.turns
    assert check.unfit == {"spoken": 1, "typed": 0}
