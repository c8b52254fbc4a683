"""Frames on voice.tool_call: what is taken for a tool call, what of it is kept, and in which turn it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from world import TOKEN, Agent, RoomLine, World

from harness.call.chat import Junk
from harness.call.line_watch import MOST_TOOL_CALLS
from harness.call.tool_calls import FRAME_BYTES, KEPT_CHARS, ToolCall, read_tool_call
from harness.record.result import ToolCallSeen
from harness.secret import Secret
from harness.timeline.timeline import Timeline

SAY = {"say": "a-fixture"}
TYPE = {"type": "Is table four free?"}
KEY = "sk_live_0123456789ABCDEF"
OWN = "a-key-of-another-form-0123456789"


def frame(**fields: Any) -> bytes:
    """A frame of a tool call; a field of None is left out."""
    whole = {
        "type": "tool_call",
        "name": "is_table_free",
        "arguments": {"table": 4},
        "result": True,
        "ms": 12,
        "ok": True,
    }
    return json.dumps({name: value for name, value in (whole | fields).items() if value is not None}).encode()


def read(payload: bytes) -> ToolCall | Junk:
    return read_tool_call(payload, Timeline(secrets=[None, Secret(OWN)]).writable)


def taken(**fields: Any) -> ToolCall:
    found = read(frame(**fields))
    assert isinstance(found, ToolCall), found
    return found


def test_a_frame_is_a_tool_call() -> None:
    assert taken() == ToolCall("is_table_free", {"table": 4}, True, 12.0, True)
    assert taken(name=" a b ", arguments=None, result=None, ms=None, ok=False) == ToolCall("a b", {}, None, None, False)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[1]", "not a JSON object"),
        (frame(type="reply"), "its type is not tool_call"),
        (frame(type=None), "its type is not tool_call"),
        (frame(name=None), "without a name"),
        (frame(name=7), "without a name"),
        (frame(name=" \n"), "without a name"),
        (frame(name="a" * 201), "a name of more than 200 characters"),
        (frame(arguments=[4]), "its arguments are not an object"),
        (frame(arguments="{}"), "its arguments are not an object"),
        (frame(ms=-1), "its ms is not a duration"),
        (frame(ms=True), "its ms is not a duration"),
        (frame(ms="12"), "its ms is not a duration"),
        (frame(ms=10**400), "its ms is not a duration"),
        (frame(ms=float("nan")), "its ms is not a duration"),
        (frame(ok=None), "its ok is not true or false"),
        (frame(ok=1), "its ok is not true or false"),
        (frame(result=[float("inf")]), "a number that is not finite"),
        (frame(arguments={"a": {"b": float("nan")}}), "a number that is not finite"),
        (frame()[:-1] + b', "result": 1e999}', "a number that is not finite"),
        (frame()[:-1] + b', "result": ' + b"[" * 200 + b"]" * 200 + b"}", "nested more than 64 levels deep"),
        (frame()[:-1] + b', "result": ' + b"[" * 900 + b"]" * 900 + b"}", "nested more than 64 levels deep"),
        (frame(result="x" * FRAME_BYTES), "larger than 4 MB"),
    ],
)
def test_junk_is_ignored_and_says_why(payload: bytes, why: str) -> None:
    assert read(payload) == Junk(why)


def test_a_huge_result_is_cut_and_says_so() -> None:
    text = taken(result="x" * 1_000_000)
    assert text.shortened
    assert text.result == "x" * KEPT_CHARS + f"… ({1_000_000 - KEPT_CHARS:,} characters more)"
    rows = taken(result=[{"table": number} for number in range(40_000)])
    assert rows.shortened
    assert rows.result.startswith('[{"table": 0}, {"table": 1}')
    assert "characters more)" in rows.result[KEPT_CHARS:]


def test_huge_arguments_stay_an_object_of_the_first_of_them() -> None:
    many = taken(arguments={f"{number:03}": "y" * 500 for number in range(100)})
    assert many.shortened
    assert next(iter(many.arguments)) == "000"
    assert many.arguments["…"] == "80 more"
    assert many.arguments["019"] == "y" * 120 + "… (380 characters more)"
    deep = taken(arguments={"k" * 5000: {"rows": [1, 2, 3] * 1000}, "table": 4})
    assert len(json.dumps(deep.arguments)) < KEPT_CHARS
    assert deep.arguments["table"] == 4


@pytest.mark.parametrize("secret", [KEY, TOKEN, OWN])
def test_a_key_is_masked_wherever_it_is(secret: str) -> None:
    place = f"x {secret} y"
    found = taken(name=place, arguments={secret: [place, {"a": place}]}, result={"deep": [place]})
    assert found == ToolCall("x *** y", {"***": ["x *** y", {"a": "x *** y"}]}, {"deep": ["x *** y"]}, 12.0, True)


@pytest.mark.parametrize("secret", [KEY, TOKEN, OWN])
@pytest.mark.parametrize("before", range(KEPT_CHARS - 40, KEPT_CHARS + 2, 3))
def test_no_part_of_a_key_is_left_where_a_result_is_cut(secret: str, before: int) -> None:
    found = taken(result=" " * before + secret + " " + "x" * 5000)
    assert secret[:8] not in found.result
    assert found.shortened


def agent(act: Callable[[RoomLine, int], None], **how: Any) -> World:
    return World(Agent(on_turn=act, **how), timeline=Timeline(secrets=[Secret(OWN)]))


def call_tool(line: RoomLine, **fields: Any) -> None:
    line.write(frame(**fields), "voice.tool_call")


def names(calls: list[ToolCallSeen]) -> list[str]:
    return [call.name for call in calls]


def test_a_tool_call_is_in_its_turn_with_all_that_the_agent_says_of_it() -> None:
    def act(line: RoomLine, turn: int) -> None:
        if turn == 2:
            line.later(300, lambda: call_tool(line, result={"free": OWN}, ms=250.5, ok=False))

    world = agent(act)
    call = world.call(SAY, TYPE)
    assert (call.failures, call.turns[0].tool_calls) == ([], [])
    [seen] = call.turns[1].tool_calls
    assert (seen.name, seen.arguments, seen.result) == ("is_table_free", {"table": 4}, {"free": "***"})
    assert (seen.ms, seen.ok, seen.shortened) == (250.5, False, False)
    assert call.turns[1].caller_end_ms is not None
    assert seen.at_ms == pytest.approx(call.turns[1].caller_end_ms + 300, abs=1)
    [event] = world.happened("agent.tool_call")
    assert (event["identity"], event["ms"], "shortened" in event) == ("agent", 250.5, False)


def test_one_that_comes_after_the_replys_begin_or_while_the_next_caller_speaks_is_still_of_its_turn() -> None:
    def act(line: RoomLine, turn: int) -> None:
        if turn == 1:
            line.later(1500, lambda: call_tool(line, name="during-the-reply"))
            line.later(4500, lambda: call_tool(line, name="while-the-next-speaks"))
            line.later(9000, lambda: call_tool(line, name="much-later"))

    call = agent(act).call(SAY, SAY)
    first, second = call.turns
    assert second.caller_start_ms is not None
    assert second.caller_end_ms is not None
    late = first.tool_calls[-1].at_ms
    assert late is not None
    assert second.caller_start_ms < late < second.caller_end_ms
    assert names(first.tool_calls) == ["during-the-reply", "while-the-next-speaks"]
    assert names(second.tool_calls) in (["much-later"], [])


@pytest.mark.parametrize("greets", [True, False])
def test_one_before_the_first_turn_belongs_to_the_greeting_if_there_is_one(*, greets: bool) -> None:
    world = World(Agent())

    def during(call: object) -> None:
        def on_event(event: Any) -> None:
            if event.event == "agent.joined":
                call_tool(world.lines[0], name="look-up-caller")

        world.timeline.on_event = on_event

    keys = {} if greets else {"greeting": False}
    call = world.call(SAY, during=during, **keys)
    assert call.turns[0].tool_calls == []
    assert call.reports_tool_calls
    if greets:
        assert call.greeting is not None
        assert (names(call.greeting.tool_calls), call.stray_tool_calls) == (["look-up-caller"], 0)
    else:
        assert (call.greeting, call.stray_tool_calls) == (None, 1)
        assert "before the first turn: 1 tool call" in call.notes


def test_frames_of_an_observer_and_junk_are_counted_and_are_no_tool_calls() -> None:
    def act(line: RoomLine, turn: int) -> None:
        now_ns = line.clock.now_ns()
        line.events.on_data(now_ns, "voice.tool_call", frame(), "observer")
        line.events.on_data(now_ns, "voice.tool_call", b"junk", "observer")
        line.write(b"junk", "voice.tool_call")
        line.write(frame(ok="yes"), "voice.tool_call")

    world = agent(act)
    call = world.call(TYPE)
    assert call.turns[0].tool_calls == []
    assert (call.other_tool_frames, call.junk_tool_frames, call.stray_tool_calls) == (2, 2, 0)
    assert (call.other_texts, call.junk_frames, call.failures) == (0, 0, [])
    assert not call.reports_tool_calls
    assert "ignored on voice.tool_call: 2 frames" in call.notes
    assert "on voice.tool_call from others than the agent: 2 frames" in call.notes
    reasons = [event["why"] for event in world.happened("agent.tool_call.junk")]
    assert reasons == ["not JSON", "not JSON", "its ok is not true or false"]


def test_a_frame_without_a_sender_is_the_agents() -> None:
    def act(line: RoomLine, turn: int) -> None:
        line.events.on_data(line.clock.now_ns(), "voice.tool_call", frame(), None)

    assert names(agent(act).call(TYPE).turns[0].tool_calls) == ["is_table_free"]


def test_a_reply_is_no_tool_call_and_a_tool_call_no_reply() -> None:
    def act(line: RoomLine, turn: int) -> None:
        line.write(frame())
        line.write(b'{"type": "reply", "text": "It is free."}', "voice.tool_call")

    call = agent(act).call(TYPE)
    assert (call.turns[0].tool_calls, call.turns[0].reply) == ([], "")
    assert (call.junk_frames, call.junk_tool_frames) == (1, 1)


def test_an_agent_that_reports_tool_calls_without_end_does_not_fill_the_disk() -> None:
    def act(line: RoomLine, turn: int) -> None:
        for number in range(MOST_TOOL_CALLS + 50):
            call_tool(line, name=f"tool-{number}")

    world = agent(act)
    call = world.call(TYPE)
    assert (len(call.turns[0].tool_calls), call.junk_tool_frames) == (MOST_TOOL_CALLS, 50)
    assert {event["why"] for event in world.happened("agent.tool_call.junk")} == {"more than 1,000 tool calls"}
