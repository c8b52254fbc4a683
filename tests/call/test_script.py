"""The caller's script in virtual time: who speaks when, how turns end, what fails. Measured as a real call is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from world import Agent, RoomLine, World, utterance

from harness.call.call import Call
from harness.call.engines.line import Participant
from harness.clock import NS_PER_MS
from harness.errors import RoomFailure, SessionFailure
from harness.machine.stall import Stall
from harness.timeline.events import AgentJoined, CallEnded, Event, MicPublished, TurnStarted

SAY: dict[str, Any] = {"say": "a-fixture"}
TYPE: dict[str, Any] = {"type": "Do you have parking?"}


def barge_in(after: str = "500ms", **expect: Any) -> dict[str, Any]:
    return {"say": "a-fixture", "barge_in": after, "expect": expect}


def near(value: float | None, expected: float, within: float = 6) -> bool:
    return value is not None and abs(value - expected) <= within


def test_a_call_of_spoken_and_typed_turns_is_measured_to_a_few_milliseconds() -> None:
    world = World(Agent(replies=[(800, 1200), (400, 600)]))
    call = world.call(SAY, TYPE)
    assert (call.ok, call.failures) == (True, [])
    assert call.greeting is not None
    assert near(call.greeting.onset_ms, 500)
    assert near(call.greeting.ttfa_ms, 550)  # and 50 ms for the join
    spoken, typed = call.turns
    assert near(spoken.ttfa_ms, 800)
    assert near(spoken.ttfa_ear_ms, 840)
    assert near(typed.ttfa_ms, 400)
    assert [event["why"] for event in world.happened("turn.ended")] == ["replied", "replied"]
    assert world.lines[0].hung_up == 1


def test_the_caller_waits_for_the_greetings_end_and_for_the_end_of_each_reply() -> None:
    world = World(Agent(greets=(300, 3000), replies=[(500, 2500), (500, 500)]))
    call = world.call(SAY, SAY, timeouts={"end_silence": "2s"})
    assert call.greeting is not None
    assert call.greeting.end_ms is not None
    first, second = call.turns
    assert first.started_ms is not None
    assert second.started_ms is not None
    assert first.started_ms >= call.greeting.end_ms + 2000
    assert first.caller_end_ms is not None
    assert second.started_ms >= first.caller_end_ms + 500 + 2500 + 2000
    assert second.started_ms <= first.caller_end_ms + 500 + 2500 + 2000 + 400


def test_a_pause_shorter_than_the_end_silence_does_not_end_a_turn() -> None:
    def resume(line: RoomLine, turn: int) -> None:
        if turn == 1:
            line.say_in(500 + 800 + 1200, 700)

    call = World(Agent(replies=[(500, 800), (500, 500)], on_turn=resume)).call(SAY, SAY)
    assert call.turns[0].ended_ms is not None
    assert call.turns[0].caller_end_ms is not None
    assert call.turns[0].ended_ms >= call.turns[0].caller_end_ms + 3200 + 1500
    assert near(call.turns[1].ttfa_ms, 500)


def test_without_a_greeting_key_a_silent_agent_is_waited_for_and_nothing_failed() -> None:
    call = World(Agent(greets=None)).call(SAY)
    assert (call.ok, call.failures) == (True, [])
    assert call.greeting is not None
    assert call.greeting.ttfa_ms is None
    assert call.turns[0].started_ms is not None
    assert 5000 <= call.turns[0].started_ms <= 6000


def test_a_greeting_that_is_expected_and_does_not_come_is_a_failure_and_the_script_goes_on() -> None:
    call = World(Agent(greets=None)).call(SAY, greeting={"within": "3s"})
    assert (call.ok, call.failure) == (False, "agent.no_greeting")
    assert near(call.turns[0].ttfa_ms, 800)


def test_a_greeting_is_waited_for_as_long_as_it_may_take() -> None:
    call = World(Agent(greets=(7000, 500))).call(SAY, greeting={"within": "8s"})
    assert call.ok
    assert call.greeting is not None
    assert near(call.greeting.ttfa_ms, 7250)


def test_a_greeting_is_waited_for_from_the_join_request_on() -> None:
    wish: dict[str, Any] = {"greeting": {"within": "8s"}, "timeouts": {"greeting": "100ms"}}
    late = World(Agent(joins=6000, greets=(1500, 500)), takes_s=2.0).call(SAY, **wish)
    assert late.failure == "agent.no_greeting"
    assert World(Agent(joins=6000, greets=(1500, 500)), takes_s=0.1).call(SAY, **wish).ok


def test_what_our_own_limit_and_gate_hold_back_is_told_and_in_no_number() -> None:
    plain, held = World().call(SAY), World(held_s=(2.0, 0.25)).call(SAY)
    assert (plain.held_back_ms, held.held_back_ms) == (0, 2250)
    assert held.greeting is not None
    assert plain.greeting is not None
    assert held.greeting.ttfa_ms == plain.greeting.ttfa_ms
    for number in ("session_create_ms", "room_connect_ms", "agent_join_ms"):
        assert getattr(held, number) == getattr(plain, number)


def test_greeting_false_starts_at_once() -> None:
    call = World(Agent(greets=None)).call(SAY, greeting=False)
    assert call.greeting is None
    assert call.turns[0].started_ms is not None
    assert call.turns[0].started_ms <= 300


# -- no reply --------------------------------------------------------------------------------------------------------


def test_a_turn_without_a_reply_fails_the_call_and_the_script_goes_on() -> None:
    call = World(Agent(replies=[None, (500, 500)])).call(SAY, SAY, timeouts={"reply": "4s"})
    assert (call.ok, call.failure) == (False, "agent.no_reply")
    first, second = call.turns
    assert first.ttfa_ms is None
    assert first.ended_ms is not None
    assert first.caller_end_ms is not None
    assert 4000 <= first.ended_ms - first.caller_end_ms <= 4400
    assert near(second.ttfa_ms, 500)
    assert [failure.turn for failure in call.failures] == [1]


def test_a_reply_after_the_timeout_is_none_but_its_end_is_awaited() -> None:
    call = World(Agent(replies=[(4100, 3000), (500, 500)])).call(SAY, SAY, timeouts={"reply": "4s"})
    first, second = call.turns
    assert first.ttfa_ms is None
    assert call.failure == "agent.no_reply"
    assert second.started_ms is not None
    assert first.caller_end_ms is not None
    assert second.started_ms >= first.caller_end_ms + 7100, "no turn ends while the agent is voiced"


def test_stop_on_failure_hangs_up_at_the_first_turn_without_a_reply_and_keeps_its_other_times() -> None:
    def echo(line: RoomLine, turn: int) -> None:
        line.later(30, lambda: line.write(b'{"type": "user_text", "text": "Do you have parking?"}'))

    world = World(Agent(replies=[None], on_turn=echo))
    call = world.call(TYPE, SAY, stop_on_failure=True, timeouts={"reply": "4s"})
    assert (call.failure, len(call.turns), call.turns[0].ttfa_ms) == ("agent.no_reply", 1, None)
    assert near(call.turns[0].echo_ms, 30)
    assert call.failures[0].ended


def test_a_reply_that_cannot_be_told_from_the_greeting_before_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    publish = RoomLine.publish

    async def slowly(line: RoomLine, *, timeout_s: float) -> None:
        await asyncio.sleep(0.5)
        await publish(line, timeout_s=timeout_s)

    monkeypatch.setattr(RoomLine, "publish", slowly)
    agent = Agent(joins=0, greets=(0, 5000), replies=[None])
    call = World(agent).call(TYPE, greeting=False, timeouts={"reply": "4s"})
    assert call.failure == "agent.no_reply"
    assert "it greets" in call.failures[0].what


def test_a_mute_agent_is_told_by_one_name() -> None:
    call = World(Agent(greets=None, replies=[None])).call(SAY, SAY, timeouts={"reply": "3s"})
    assert call.failure == "agent.no_audio"


def test_an_agent_that_talks_for_ever_is_ended() -> None:
    world = World(Agent(replies=[(500, 200_000)]))
    call = world.call(SAY, SAY)
    assert (call.failure, len(call.turns)) == ("agent.talks_on", 1)
    assert near(call.turns[0].ttfa_ms, 500), "when it began is known all the same"
    assert call.duration_ms < 70_000


def test_a_call_that_outlasts_its_time_is_ended_and_is_not_cut() -> None:
    call = World(Agent(replies=[(500, 4000)])).call(SAY, SAY, SAY, timeouts={"call": "8s"})
    assert (call.ok, call.failure, call.cut) == (False, "agent.call_too_long", False)
    assert not any(turn.cut for turn in call.turns)
    assert near(call.duration_ms, 8100, 400)


# -- interruptions ---------------------------------------------------------------------------------------------------


def test_an_agent_that_sets_in_while_the_caller_speaks_interrupts() -> None:
    world = World(Agent(greets=None, replies=[None, (500, 500)]))
    long = utterance(3000)

    def interrupt(call: Call) -> None:
        world.timeline.on_event = lambda event: (
            world.lines[0].say_in(1000, 4000) if isinstance(event, TurnStarted) and event.turn == 1 else None
        )

    call = world.call(SAY, SAY, speech=long, during=interrupt, greeting=False)
    first, second = call.turns
    assert (first.interrupted, first.ttfa_ms) == (True, None)
    assert call.ok
    assert world.happened("turn.ended")[0]["why"] == "interrupted"
    assert near(second.ttfa_ms, 500)


def test_a_short_interruption_is_not_waited_out_to_the_timeout_when_a_reply_follows() -> None:
    world = World(Agent(greets=None, replies=[(700, 1000)]))

    def interrupt(call: Call) -> None:
        world.timeline.on_event = lambda event: (
            world.lines[0].say_in(1000, 1100) if isinstance(event, TurnStarted) and event.turn == 1 else None
        )

    call = world.call(SAY, speech=utterance(3000), during=interrupt, greeting=False)
    turn = call.turns[0]
    assert turn.interrupted
    assert turn.ended_ms is not None
    assert turn.caller_end_ms is not None
    assert turn.ended_ms - turn.caller_end_ms <= 700 + 1000 + 1500 + 400


@pytest.mark.parametrize("before_end_ms", [1500, 550])
def test_a_backchannel_is_no_interruption_and_its_reply_is_waited_for(before_end_ms: float) -> None:
    world = World(Agent(greets=None, replies=[(2500, 1000)]))

    def put_in(call: Call) -> None:
        world.timeline.on_event = lambda event: (
            world.lines[0].say_in(3100 - before_end_ms, 500)
            if isinstance(event, TurnStarted) and event.turn == 1
            else None
        )

    turn = world.call(SAY, speech=utterance(3000), during=put_in, greeting=False).turns[0]
    assert (turn.interrupted, turn.backchannels) == (False, 1)
    assert near(turn.ttfa_ms, 2500)
    assert world.happened("turn.ended")[0]["why"] == "replied"


def test_a_caller_that_hears_itself_is_neither_interrupted_nor_answered_by_its_own_voice() -> None:
    world = World(Agent(greets=None, replies=[(2500, 1000), (900, 1000)], echoes=(150, 0.3)))
    call = world.call(SAY, SAY, speech=utterance(1500), greeting=False)
    first, second = call.turns
    assert (first.interrupted, second.interrupted) == (False, False)
    assert near(first.ttfa_ms, 2500)
    assert near(second.ttfa_ms, 900)
    assert near(first.own_voice_db, -10.5, 1)
    assert [event["turn"] for event in world.happened("own_voice")] == [1, 2]
    assert "the caller's own voice in 2 turns" in call.notes[0]


def test_a_reply_that_goes_on_in_the_callers_next_turn_is_no_interruption() -> None:
    def resume(line: RoomLine, turn: int) -> None:
        if turn == 1:
            line.say_in(500 + 500 + 2000, 300)

    call = World(Agent(replies=[(500, 500), (600, 500)], on_turn=resume, stops=None)).call(SAY, SAY)
    second = call.turns[1]
    assert not second.interrupted
    assert near(second.ttfa_ms, 600)
    assert second.advice is not None


# -- barge-in --------------------------------------------------------------------------------------------------------


def test_a_barge_in_speaks_over_the_agent_at_its_time_and_is_answered_after_the_stop() -> None:
    world = World(Agent(replies=[(500, 6000), (1400, 800)], stops=400))
    call = world.call(SAY, barge_in("800ms"))
    first, second = call.turns
    assert near(first.ttfa_ms, 500)
    assert first.agent_onset_ms is not None
    assert near(second.caller_start_ms, first.agent_onset_ms + 800, 12)
    assert (second.exercised, second.interrupted) == (True, False)
    assert near(second.stop_ms, 400, 12)
    assert near(second.ttfa_ms, 1400)
    assert call.ok
    assert [event["why"] for event in world.happened("turn.ended")] == ["barge_in", "replied"]


def test_a_first_turn_speaks_over_the_greeting() -> None:
    world = World(Agent(greets=(300, 6000), replies=[(900, 500)]))
    call = world.call(barge_in("1s"))
    turn = call.turns[0]
    assert (call.ok, turn.exercised) == (True, True)
    assert near(turn.caller_start_ms, 500 + 1000, 12)
    assert world.happened("greeting.ended")[0]["why"] == "barge_in"


@pytest.mark.parametrize("expect", [{"stops_within": "1s"}, {"keeps_talking": True}])
def test_an_agent_that_is_already_silent_leaves_the_step_not_exercised(expect: dict[str, Any]) -> None:
    call = World(Agent(replies=[(500, 400), (700, 500)])).call(SAY, barge_in("3s", **expect))
    assert call.turns[1].exercised is False
    assert call.failures == []


def test_a_cough_needs_no_reply_even_where_the_agent_is_silent() -> None:
    call = World(Agent(replies=[(500, 400), None])).call(SAY, barge_in("3s", keeps_talking=True), speech=utterance(300))
    assert call.failures == []
    turn = call.turns[1]
    assert turn.ended_ms is not None
    assert turn.caller_end_ms is not None
    assert turn.ended_ms - turn.caller_end_ms < 3000


def test_an_agent_that_is_not_put_off_by_a_cough_talks_to_its_end() -> None:
    world = World(Agent(replies=[(500, 5000), None], stops=None))
    call = world.call(SAY, barge_in("800ms", keeps_talking=True), speech=utterance(300))
    turn = call.turns[1]
    assert (call.ok, turn.exercised) == (True, True)
    assert turn.agent_stop_ms is not None
    assert turn.caller_end_ms is not None
    assert turn.agent_stop_ms - turn.caller_end_ms > 1000
    assert world.happened("turn.ended")[1]["why"] == "no_reply_needed"


def test_a_barge_in_over_an_agent_that_does_not_stop_waits_for_its_silence() -> None:
    call = World(Agent(replies=[(500, 4000), (3500, 500)], stops=None)).call(SAY, barge_in("500ms", stops_within="1s"))
    turn = call.turns[1]
    assert near(turn.stop_ms, 3500, 15)
    assert turn.exercised


# -- waits -----------------------------------------------------------------------------------------------------------


def test_a_wait_is_no_turn_and_what_the_agent_says_in_it_belongs_to_none() -> None:
    def nudge(line: RoomLine, turn: int) -> None:
        if turn == 1:
            line.say_in(500 + 500 + 1500 + 2000, 700)

    call = World(Agent(replies=[(500, 500), (600, 500)], on_turn=nudge)).call(SAY, {"wait": "4s"}, SAY)
    assert [turn.turn for turn in call.turns] == [1, 2]
    assert call.stray_speech == 1
    assert len(call.waits) == 1
    wait = call.waits[0]
    assert wait.ended_ms is not None
    assert wait.started_ms is not None
    assert near(wait.ended_ms - wait.started_ms, 4000, 2)
    assert near(wait.agent_spoke_ms, 2000, 300)  # the turn before ended when its silence was known of
    assert near(call.turns[1].ttfa_ms, 600)


def test_after_a_wait_the_next_turn_awaits_500_ms_of_silence() -> None:
    def talk(line: RoomLine, turn: int) -> None:
        if turn == 1:
            line.say_in(500 + 500 + 2500, 3000)

    call = World(Agent(replies=[(500, 500), (600, 500)], on_turn=talk)).call(SAY, {"wait": "2s"}, SAY)
    first, second = call.turns
    assert first.caller_end_ms is not None
    assert second.started_ms is not None
    assert second.started_ms >= first.caller_end_ms + 3500 + 3000 + 500
    assert not second.interrupted


def test_a_barge_in_after_a_wait_speaks_at_once_over_what_is_said() -> None:
    def talk(line: RoomLine, turn: int) -> None:
        if turn == 1:
            line.say_in(500 + 500 + 2500, 6000)

    call = World(Agent(replies=[(500, 500), (1500, 500)], on_turn=talk)).call(SAY, {"wait": "3s"}, barge_in("500ms"))
    assert call.turns[1].exercised
    assert near(call.turns[1].stop_ms, 400, 12)


# -- the room --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("world", "failure"),
    [
        (World(refuse_session=SessionFailure("session.rate_limited", "slow down")), "session.rate_limited"),
        (World(refuse_room=RoomFailure("room.refused", "expired")), "room.refused"),
        (World(Agent(joins=None)), "agent.never_joined"),
    ],
)
def test_a_call_that_does_not_come_about_has_its_failure_and_hangs_up(world: World, failure: str) -> None:
    call = world.call(SAY)
    assert (call.ok, call.failure, call.turns, call.greeting) == (False, failure, [], None)
    assert [line.hung_up for line in world.lines] == [1] * len(world.lines)
    assert isinstance(world.timeline.events[-1], CallEnded)


@pytest.mark.parametrize(
    ("lose", "failure"),
    [
        (lambda line: line.events.on_participant_left(line.clock.now_ns(), "agent"), "agent.left"),
        (lambda line: line.events.on_disconnected(line.clock.now_ns(), "room_deleted", by_service=True), "agent.left"),
        (lambda line: line.events.on_disconnected(line.clock.now_ns(), "signal_close", by_service=False), "room.lost"),
    ],
)
def test_an_agent_or_room_lost_in_the_call_ends_it_at_once(lose: Any, failure: str) -> None:
    def leave(line: RoomLine, turn: int) -> None:
        if turn == 2:
            line.later(200, lambda: lose(line))

    call = World(Agent(on_turn=leave)).call(SAY, SAY, SAY)
    assert (call.failure, len(call.turns)) == (failure, 2)
    assert near(call.turns[0].ttfa_ms, 800)
    assert (call.turns[1].ttfa_ms, call.turns[1].caller_end_ms is not None) == (None, True)
    assert call.failures[0].ended


def test_an_agent_that_leaves_before_its_audio_is_there_is_told_so() -> None:
    world = World(Agent(joins=None))

    def come_and_go(call: Call) -> None:
        def act(event: Event) -> None:
            if isinstance(event, MicPublished):
                line = world.lines[0]
                line.later(100, lambda: line.events.on_participant(line.clock.now_ns(), Participant("agent", "agent")))
                line.later(200, lambda: line.events.on_participant_left(line.clock.now_ns(), "agent"))

        world.timeline.on_event = act

    assert world.call(SAY, during=come_and_go).failure == "agent.left"


def test_a_second_agent_is_counted_and_the_first_is_measured() -> None:
    def join(line: RoomLine, turn: int) -> None:
        line.events.on_participant(line.clock.now_ns(), Participant("other", "agent"))

    call = World(Agent(on_turn=join)).call(SAY)
    assert (call.ok, call.agents) == (True, 2)


def test_texts_and_junk_of_the_room_are_noted_and_other_topics_are_not() -> None:
    def write(line: RoomLine, turn: int) -> None:
        line.write(b'{"type": "user_text", "text": "Do you have parking?"}')
        line.write(b'{"type": "reply", "text": "Yes.\\u2028Behind the house."}')
        line.write(b'{"type": "re\\ud800ply", "text": "\\ud83d"}')
        line.write(b"not json")
        line.write(b'{"type": "reply", "text": "elsewhere"}', topic="lk.chat")

    world = World(Agent(on_turn=write))
    call = world.call(TYPE)
    turn = call.turns[0]
    assert (turn.echo_ms, turn.reply, call.junk_frames) == (0, "Yes.\u2028Behind the house.?", 1)
    assert world.lines[0].sent == [("voice.user_text", b'{"type": "user_text", "text": "Do you have parking?"}')]


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.12, 1.0, 3.5, 4.5])
def test_a_cut_at_any_time_ends_the_call_tidily_and_is_no_failure(after_s: float) -> None:
    world = World()

    def cut(call: Call) -> None:
        asyncio.get_running_loop().call_later(after_s, call.cut)

    call = world.call(SAY, SAY, during=cut)
    assert (call.ok, call.failure, call.cut) == (None, None, True)
    assert [line.hung_up for line in world.lines] == [1] * len(world.lines)
    assert isinstance(world.timeline.events[-1], CallEnded)
    assert [turn.cut for turn in call.turns] == ([True] if after_s > 3 else [])


def test_a_bug_of_ours_is_not_blamed_on_the_agent() -> None:
    def break_it(line: RoomLine, turn: int) -> None:
        line.send_data = None  # type: ignore[assignment,method-assign] # the next typed turn raises a TypeError

    call = World(Agent(on_turn=break_it)).call(SAY, TYPE)
    assert call.failure == "harness.bug"


def test_each_second_tells_what_it_cost_us_and_lag_is_told_at_once() -> None:
    world = World()

    def lag(call: Call) -> None:
        world.timeline.on_event = lambda event: (
            call._watch._on_lag(event.t_ns, 25 * NS_PER_MS, Stall(disk_ms=21.0))
            if isinstance(event, AgentJoined)
            else None
        )

    call = world.call(SAY, during=lag)
    seconds = world.happened("second")
    assert len(seconds) >= 4
    assert all(event["sent"] == 100 for event in seconds[1:])
    assert call.own.send_late_ms == [0.0] * len(seconds)
    (lagged,) = world.happened("loop.lag")
    assert {name: value for name, value in lagged.items() if name not in ("t", "event")} == {
        "late_ms": 25.0,
        "disk_ms": 21.0,  # and nothing of what was not there
    }


def test_the_token_is_on_no_line_of_the_timeline() -> None:
    world = World()
    world.call(SAY)
    assert "token-of-a-test" not in str(world.timeline.events)


# -- looped turns ----------------------------------------------------------------------------------------------------


def test_turns_are_looped_until_the_call_has_lasted_as_long_as_asked() -> None:
    call = World(Agent(replies=[(500, 500)] * 40)).call(SAY, {"type": "And then?"}, loop_s=30)
    assert call.failures == []
    assert [turn.turn for turn in call.turns] == list(range(1, len(call.turns) + 1))
    assert {turn.kind for turn in call.turns[::2]} == {"say"}
    assert {turn.kind for turn in call.turns[1::2]} == {"type"}
    assert 30_000 <= call.duration_ms < 40_000


def test_a_script_is_followed_to_its_end_once_however_short_the_call_is_to_be() -> None:
    call = World(Agent(replies=[(500, 500)] * 4)).call(SAY, SAY, SAY, loop_s=1)
    assert len(call.turns) == 3


def test_a_barge_in_is_looped_with_the_turn_that_it_talks_over() -> None:
    world = World(Agent(replies=[(500, 3000)] * 40))
    call = world.call(SAY, barge_in("500ms", stops_within="1s"), loop_s=20)
    assert call.failures == []
    assert len(call.turns) % 2 == 0
    assert all(turn.exercised for turn in call.turns if turn.kind == "barge_in")


def test_an_agent_that_types_while_it_thinks_has_not_replied() -> None:
    """Its keys are heard 300 ms after the caller's end, for a second; it answers after 3."""

    def types(line: RoomLine, turn: int) -> None:
        line.type_in(300, 1000)

    call = World(Agent(replies=((3000, 1200),), on_turn=types)).call(TYPE, TYPE, timeouts={"end_silence": "800ms"})
    assert call.failure is None
    assert [turn.ttfa_ms for turn in call.turns] == [pytest.approx(3000, abs=2)] * 2
    assert [turn.first_sound_ms for turn in call.turns] == [pytest.approx(300, abs=25)] * 2


def test_an_agent_that_only_types_does_not_reply() -> None:
    agent = Agent(replies=(), on_turn=lambda line, turn: line.type_in(300, 1000))
    call = World(agent).call(TYPE, timeouts={"end_silence": "800ms", "reply": "4s"})
    assert call.failure == "agent.no_reply"
