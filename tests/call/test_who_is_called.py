"""A call in rooms with others in it: who is listened to, who follows whom, and whose fault a lost line is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from world import Agent, RoomLine, World

from harness.call.call import Call
from harness.call.engines.line import AudioTrack, Heard, Media, Participant, Rights
from harness.record.result import CallResult
from harness.timeline.events import Event

SAY = {"say": "a-fixture"}
TYPE = {"type": "Do you have parking?"}
GOODBYE = {**TYPE, "expect": {"ends_call": True}}


def at(world: World, happened: str, act: Callable[[RoomLine], None], *, delay_ms: float = 0) -> Callable[[Call], None]:
    """What does something so long after an event, once."""
    done: list[bool] = []

    def during(call: Call) -> None:
        def on_event(event: Event) -> None:
            if event.event == happened and not done:
                done.append(True)
                line = world.lines[0]
                line.later(delay_ms, lambda: act(line))

        world.timeline.on_event = on_event

    return during


def leave(line: RoomLine) -> None:
    now_ns = line.clock.now_ns()
    line.track = None
    line.events.on_audio_track_gone(now_ns, "TR_agent")
    line.events.on_participant_left(now_ns, "agent")


def come(identity: str = "agent-2", kind: str = "agent") -> Callable[[RoomLine], None]:
    def act(line: RoomLine) -> None:
        now_ns = line.clock.now_ns()
        line.events.on_participant(now_ns, Participant(identity, kind))  # type: ignore[arg-type] # one of the kinds
        line.events.on_audio_track(now_ns, AudioTrack(f"TR_{identity}", identity))

    return act


def follow(line: RoomLine) -> None:
    come()(line)
    line.track = "TR_agent-2"


def test_an_agent_that_leaves_after_its_last_reply_is_told_so_and_the_turn_keeps_its_times() -> None:
    def act(line: RoomLine, turn: int) -> None:
        line.later(3000, lambda: leave(line))  # the reply ends after 2,000

    call = World(Agent(on_turn=act)).call(TYPE, timeouts={"end_silence": "1.5s"})
    assert call.failure == "agent.left"
    assert call.turns[0].ttfa_ms == pytest.approx(800, abs=1)


def test_a_scenario_may_expect_the_agent_to_end_the_call() -> None:
    def act(line: RoomLine, turn: int) -> None:
        if turn == 2:
            line.later(2300, lambda: leave(line))

    call = World(Agent(on_turn=act)).call(TYPE, GOODBYE)
    assert (call.failure, call.turns[1].ends_call_ms) == (None, pytest.approx(300, abs=1))
    assert call.turns[1].ttfa_ms == pytest.approx(800, abs=1)


def test_an_agent_that_stays_though_it_is_to_end_the_call_is_hung_up_on() -> None:
    call = World(Agent()).call(TYPE, GOODBYE)
    assert (call.failure, call.turns[1].ends_call_ms) == (None, None)
    assert call.duration_ms < 20_000


def test_an_agent_that_leaves_without_its_last_reply_has_not_ended_the_call() -> None:
    def act(line: RoomLine, turn: int) -> None:
        if turn == 2:
            line.later(300, lambda: leave(line))

    assert World(Agent(on_turn=act)).call(TYPE, GOODBYE).failure == "agent.left"


def test_another_agent_that_comes_in_time_goes_on_with_the_call() -> None:
    def act(line: RoomLine, turn: int) -> None:
        if turn == 1:
            line.later(2500, lambda: leave(line))
            line.later(4500, lambda: follow(line))

    call = World(Agent(on_turn=act)).call(TYPE, TYPE)
    assert call.failure is None
    assert [(each.left, each.followed) for each in call.handovers] == [("agent", "agent-2")]
    assert call.agents == 2
    assert [turn.ttfa_ms for turn in call.turns] == [pytest.approx(800, abs=1)] * 2


def test_one_that_comes_too_late_or_is_no_agent_does_not() -> None:
    def late(line: RoomLine, turn: int) -> None:
        line.later(2500, lambda: leave(line))
        line.later(6000, lambda: come()(line))

    def person(line: RoomLine, turn: int) -> None:
        line.later(2500, lambda: leave(line))
        line.later(3000, lambda: come("somebody", "standard")(line))

    assert World(Agent(on_turn=late)).call(TYPE).failure == "agent.left"
    assert World(Agent(on_turn=person)).call(TYPE).failure == "agent.left"


def test_hold_music_before_the_agent_is_not_the_agent_and_the_greeting_starts_over() -> None:
    world = World(Agent(joins=4000))
    call = world.call(SAY, during=at(world, "room.connected", come("music", "standard")))
    assert call.failure is None
    assert world.happened("greeting.anew")
    assert call.turns[0].ttfa_ms == pytest.approx(800, abs=1)
    assert call.turns[0].doubtful == []
    assert call.agents == 1


def come_and_leave(identity: str, stays_ms: float) -> Callable[[RoomLine], None]:
    def gone(line: RoomLine) -> None:
        now_ns = line.clock.now_ns()
        line.events.on_audio_track_gone(now_ns, f"TR_{identity}")
        line.events.on_participant_left(now_ns, identity)

    def act(line: RoomLine) -> None:
        come(identity, "standard")(line)
        line.later(stays_ms, lambda: gone(line))

    return act


def test_hold_music_that_has_long_ended_when_the_agent_comes_is_not_the_agent() -> None:
    world = World(Agent(joins=8000))
    music = at(world, "room.connected", come_and_leave("music", 1500))
    call = world.call(SAY, during=music, timeouts={"agent_join": "15s", "greeting": "3s"})
    assert call.failure is None
    assert call.turns[0].ttfa_ms == pytest.approx(800, abs=1)
    assert call.greeting is not None
    assert call.greeting.onset_ms == pytest.approx(8300, abs=1)


def test_one_of_no_kind_that_leaves_for_good_has_left() -> None:
    world = World(Agent(joins=None))
    call = world.call(SAY, during=at(world, "room.connected", come_and_leave("somebody", 1500)))
    assert (call.failure, call.turns) == ("agent.left", [])


def test_turns_measured_on_the_wrong_one_are_doubtful() -> None:
    world = World(Agent(joins=4000))
    music = at(world, "room.connected", come("music", "standard"))
    call = world.call(TYPE, SAY, during=music, greeting=False)
    assert list(map(str, call.turns[0].doubtful)) == ["music was taken for the agent until agent came"]
    assert call.turns[1].doubtful == []
    assert call.failures == [] or not call.failures[0].fit


def test_a_named_agent_is_waited_for_and_nobody_else_is_taken() -> None:
    world = World(Agent())
    call = world.call(TYPE, agent_identity="someone-else")
    assert call.failure == "agent.never_joined"
    assert "someone-else" in call.failures[0].what
    assert World(Agent()).call(TYPE, agent_identity="agent").failure is None


def write_as(identity: str | None) -> CallResult:
    def act(line: RoomLine, turn: int) -> None:
        now_ns = line.clock.now_ns()
        payload = json.dumps({"type": "user_text", "text": "Do you have parking?"}).encode()
        line.events.on_data(now_ns, "voice.reply", payload, identity)
        line.write(payload)

    return World(Agent(on_turn=act)).call(TYPE)


def test_a_frame_of_an_observer_is_counted_apart_and_takes_no_echo() -> None:
    call = write_as("observer")
    assert (call.other_texts, call.turns[0].echo_ms, call.stray_texts) == (1, 0, 0)


def test_a_frame_without_a_sender_is_the_agents() -> None:
    call = write_as(None)
    assert (call.other_texts, call.turns[0].echo_ms) == (0, 0)


@pytest.mark.parametrize(
    ("rights", "grant"),
    [
        (Rights(publish=False), "canPublish"),
        (Rights(subscribe=False), "canSubscribe"),
        (Rights(publish_data=False), "canPublishData"),
    ],
)
def test_a_grant_that_the_token_lacks_is_named_at_once(rights: Rights, grant: str) -> None:
    call = World(rights=rights).call(SAY, TYPE)
    assert call.failure == "room.refused"
    assert grant in call.failures[0].what
    if grant == "canPublishData":
        assert World(rights=rights).call(SAY).failure is None  # nothing is typed


def test_a_line_that_comes_back_makes_what_lies_in_the_gap_unfit() -> None:
    def act(line: RoomLine, turn: int) -> None:
        if turn == 1:
            line.later(200, lambda: line.events.on_reconnecting(line.clock.now_ns(), "a cable"))
            line.later(900, lambda: line.events.on_reconnected(line.clock.now_ns(), "a new cable"))

    call = World(Agent(on_turn=act)).call(TYPE, TYPE)
    assert call.failure is None
    assert [turn.fit for turn in call.turns] == [False, True]
    assert "our own connection" in str(call.turns[0].unfit_why[0])


def test_a_line_that_does_not_come_back_is_our_loss() -> None:
    def act(line: RoomLine, turn: int) -> None:
        line.later(200, lambda: line.events.on_reconnecting(line.clock.now_ns(), "a cable"))

    call = World(Agent(on_turn=act, replies=())).call(TYPE, timeouts={"connect": "2s"})
    assert call.failure == "room.lost"
    assert call.duration_ms < 8000


def test_packets_that_stop_end_the_call_by_their_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    came: dict[str, int] = {}
    monkeypatch.setattr(RoomLine, "last_packet_ns", lambda self, track: came.get(track))

    def tell(line: RoomLine, received: int) -> None:
        now_ns = line.clock.now_ns()
        if received:
            came["TR_agent"] = now_ns
        line.events.on_media(now_ns, Media("TR_agent", received, 0, server_heard=True))

    def second(line: RoomLine, number: int = 0) -> None:
        tell(line, 3 if number < 40 else 0)
        line.later(200 if number < 40 else 1000, lambda: second(line, number + 1))

    world = World(Agent(replies=()))
    call = world.call(TYPE, during=at(world, "agent.joined", second), timeouts={"reply": "30s"})
    assert (call.failure, call.turns[0].ttfa_ms) == ("agent.gone_silent", None)


def test_a_track_that_comes_later_is_heard_and_told_of() -> None:
    def act(line: RoomLine, turn: int) -> None:
        now_ns = line.clock.now_ns()
        line.events.on_audio_track(now_ns, AudioTrack("TR_bed", "agent", "background_audio", "unknown"))
        line.events.on_heard(Heard("TR_bed", line._block(0)[:0], 0, now_ns))

    call = World(Agent(on_turn=act)).call(SAY)
    assert [(track.name, track.background) for track in call.tracks] == [("", False), ("background_audio", True)]
    assert any("2 audio tracks" in note for note in call.notes)
