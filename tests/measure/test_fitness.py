"""What a late harness ran short of: told where a turn is unfit, and never deciding."""

from __future__ import annotations

from typing import Any

import pytest

from harness.record.result import CallResult
from tests.measure.timelines import CallMade

IDLE = {"own_cpu": 0.2, "loop_cpu": 0.1, "busy": 0.3, "steal": 0.0, "throttled_ms": 0.0, "udp_dropped": 0}
COST = {"sent": 100, "send_late_ms": 1.0, "lag_ms": 1.0, "heard": 48_000, "read_late_ms": 0.0, "clock_step_ms": 0.0}


def call_with(*, late_ms: float = 150, at: float = 5000, **second: Any) -> CallResult:
    """A turn from 2,900 to 9,000 ms with one late packet; one second of the call was as told, the others idle."""
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500).late(4000, late_ms)
    for end in (1000, 2000, 5000, 9000, 10_500):
        call.event(end, "second", **COST, **IDLE)
    return call.event(at, "second", **{**COST, **IDLE, **second}).hung_up(11_000).measured()


@pytest.mark.parametrize(
    ("second", "ran_out"),
    [
        ({"steal": 0.12}, "its host gave 12 % of it to others"),
        ({"throttled_ms": 80.0}, "the container's CPU quota: it held us back for 80 ms"),
        ({"loop_cpu": 0.97}, "its one Python thread was 97 % busy"),
        ({"busy": 0.99, "own_cpu": 0.4}, "the machine's CPU: 99 % busy, 0.4 of its cores by us"),
        ({"udp_dropped": 3}, "the kernel's receive queue"),
        ({"lag_ms": 300.0}, "nothing that was seen"),
        ({"steal": 0.3, "busy": 1.0, "loop_cpu": 1.0}, "its host gave 30 %"),
        ({"busy": None, "steal": None, "throttled_ms": None, "udp_dropped": None, "loop_cpu": 0.95}, "our own process"),
    ],
)
def test_an_unfit_turn_names_what_ran_out(second: dict[str, Any], ran_out: str) -> None:
    turn = call_with(**second).turns[0]
    assert not turn.fit
    assert ran_out in str(turn.ran_out)


@pytest.mark.parametrize("second", [{"steal": 0.5}, {"busy": 1.0}, {"loop_cpu": 1.0}, {"lag_ms": 900.0}])
def test_a_busy_machine_that_was_on_time_is_fit(second: dict[str, Any]) -> None:
    turn = call_with(late_ms=21, **second).turns[0]
    assert (turn.fit, turn.unfit_why, turn.ran_out) == (True, [], None)


@pytest.mark.parametrize(("sent", "fit"), [(100, True), (50, False)])
def test_the_share_of_late_packets_is_of_those_that_the_engine_sends(sent: int, *, fit: bool) -> None:
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500)
    for late in range(5):
        call.late(4000 + 20 * late, 25)
    for end in (1000, 2000, 5000, 9000, 10_500):
        call.event(end, "second", **{**COST, **IDLE, "sent": sent})
    assert call.hung_up(11_000).measured().turns[0].fit is fit


LATE_MEDIA = [
    ({"jitter_buffer_ms": 240.0}, "the jitter buffer grew to 240 ms"),
    ({"jitter_ms": 29.0}, "packets jittered by 29 ms"),
    ({"rtt_ms": 80.0}, "a round trip took 80 ms"),
    ({"concealed": 26_592}, "554 ms of audio were missing"),
]


def call_of_local_service(media: dict[str, Any], *, here: bool, busy: float) -> CallResult:
    """A turn from 2,900 to 9,000 ms; in one second of it the service's media came as told."""
    quiet = {"received": 50, "lost": 0, "samples": 48_000, "concealed": 0, "jitter_ms": 1.0, "rtt_ms": 0.0}
    call = CallMade(on_this_machine=here)
    call.say(3000, 5000, 9000).agent(6000, 7500).event(5000, "second", **COST, **{**IDLE, "busy": busy})
    call.event(5000, "media", **{**quiet, "jitter_buffer_ms": 30.0, **media})
    return call.hung_up(11_000).measured()


@pytest.mark.parametrize(("media", "said"), LATE_MEDIA)
def test_a_service_on_this_machine_is_not_blamed_where_the_machine_had_no_cpu_left(
    media: dict[str, Any], said: str
) -> None:
    turn = call_of_local_service(media, here=True, busy=1.0).turns[0]
    assert not turn.fit
    assert said in str(turn.unfit_why[0])
    assert "the machine's CPU" in str(turn.ran_out)


@pytest.mark.parametrize("media", [media for media, _ in LATE_MEDIA])
@pytest.mark.parametrize(("here", "busy"), [(False, 1.0), (True, 0.5)])
def test_late_media_is_the_services_own_from_elsewhere_or_with_cpu_to_spare(
    media: dict[str, Any], here: bool, busy: float
) -> None:
    assert call_of_local_service(media, here=here, busy=busy).turns[0].fit


def test_media_on_time_is_fit_on_a_busy_machine_too() -> None:
    assert call_of_local_service({"jitter_buffer_ms": 90.0, "concealed": 1560}, here=True, busy=1.0).turns[0].fit


@pytest.mark.parametrize(
    ("here", "busy", "fit"), [(True, 4, False), (True, 3, True), (False, 6, True)], ids=["most", "half", "elsewhere"]
)
def test_no_reply_is_not_held_against_a_service_on_this_machine_that_had_no_cpu(
    here: bool, busy: int, fit: bool
) -> None:
    call = CallMade(on_this_machine=here).say(3000, 3500, 8400, why="no_reply")
    for number in range(6):
        call.event(3500 + 1000 * number, "second", **COST, **{**IDLE, "busy": 1.0 if number < busy else 0.4})
    call.event(8400, "failure", kind="agent.no_reply", what="nothing", turn=1, ended=True)
    made = call.hung_up(8500).measured()
    assert (made.turns[0].fit, made.failures[0].fit) == (fit, fit)
    if not fit:
        assert "the agent shares this machine, which had no CPU left here" in made.failures[0].what
        assert "no reply came: 4 of 6 seconds were without" in str(made.turns[0].unfit_why[0])
        assert "the machine's CPU" in str(made.turns[0].ran_out)


def test_a_second_outside_of_the_turn_explains_nothing() -> None:
    assert call_with(at=2500, busy=1.0).turns[0].ran_out is None
    assert call_with(at=10_500, busy=1.0).turns[0].ran_out is None
    assert call_with(at=9900, busy=1.0).turns[0].ran_out is not None, "it began within the turn"


def test_a_timeline_that_does_not_tell_of_the_machine_names_nothing() -> None:
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500).late(4000, 150)
    call.event(5000, "second", sent=100, send_late_ms=150.0, lag_ms=200.0, heard=48_000)
    turn = call.hung_up(9100).measured().turns[0]
    assert (turn.fit, turn.ran_out) == (False, None)


def test_a_step_of_the_time_of_day_is_noted_and_moves_no_number() -> None:
    stepped = call_with(late_ms=21, clock_step_ms=-3600_000.0)
    assert "no number here depends on it" in stepped.notes[0]
    assert stepped.turns[0].ttfa_ms == call_with(late_ms=21).turns[0].ttfa_ms


def call_with_stall(stall: dict[str, Any], **second: Any) -> CallResult:
    """A turn from 2,900 to 9,000 ms with one late packet, and a loop that was 110 ms late."""
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500).late(4000, 150)
    call.event(3950, "loop.lag", **{"late_ms": 110.0, "cpu_ms": 4.0, **stall})
    call.event(3000, "loop.lag", late_ms=30.0, cpu_ms=28.0, gc_ms=27.0)  # a shorter one explains less
    return call.event(5000, "second", **{**COST, **IDLE, **second}).hung_up(11_000).measured()


@pytest.mark.parametrize(
    ("stall", "named"),
    [
        ({"gc_ms": 104.0, "cpu_ms": 103.0}, "our own garbage collection stopped the process for 104 ms"),
        ({"disk_ms": 97.0}, "a write to disk took 97 ms"),
        ({"measuring_ms": 80.0, "others_ms": 70.0}, "a finished call was being measured for 80 ms"),
        ({"saving_ms": 90.0}, "a finished call's recording was being saved for 90 ms"),
        ({"cpu_ms": 88.0, "hearing_ms": 90.0}, "computed for 88 ms at a stretch: it looked at what was heard"),
        ({"cpu_ms": 88.0, "sending_ms": 70.0}, "computed for 88 ms at a stretch: it sent packets"),
        ({"cpu_ms": 88.0, "joining": 3}, "computed for 88 ms at a stretch: 3 calls joined"),
        ({"others_ms": 66.0}, "other threads of our own process computed for 66 ms"),
        ({"page_faults": 12}, "had to be read from disk again, 12 times"),
        # Whatever it was at, it waited for a CPU there.
        ({"waited_ms": 90.0, "gc_ms": 104.0}, "the machine's CPU: ours waited 90 ms for one at a stretch"),
        ({}, "nothing that was seen: the process was stopped for 110 ms"),
    ],
)
def test_a_stall_is_named(stall: dict[str, Any], named: str) -> None:
    assert named in str(call_with_stall(stall).turns[0].ran_out)


def test_a_stall_of_our_own_is_ours_on_a_busy_machine_too_and_what_is_stolen_is_not() -> None:
    busy = {"busy": 0.99, "own_cpu": 0.4}
    assert "a write to disk" in str(call_with_stall({"disk_ms": 97.0}, **busy).turns[0].ran_out)
    assert "the machine's CPU: 99 %" in str(call_with_stall({"waited_ms": 97.0}, **busy).turns[0].ran_out)
    assert "its host gave" in str(call_with_stall({"cpu_ms": 97.0}, steal=0.3).turns[0].ran_out)
