"""Tool calls over a real LiveKit server, on both engines, from an agent that is a plain participant."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from harness.call.call import Call
from harness.call.engines.make import EngineName, make_engine
from harness.clock import SystemClock
from harness.machine.loop_lag import LoopLag
from harness.measure.call import measure_call
from harness.record.result import CallResult
from harness.stack.tokens import LiveKitKeys, agent_token, caller_token
from harness.target.session import Session, SessionRequest
from harness.timeline.timeline import Timeline
from harness.transport.room import Room
from tests.call.world import call_plan
from tests.transport.rooms import Seen, Server, serving, soon

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]
TOPIC = "voice.tool_call"
STEP = {"type": "Is table four free?"}


@dataclass
class OneRoom:
    """A session service with one room."""

    keys: LiveKitKeys
    room: str

    async def admit(self) -> None:
        return

    async def create(self, request: SessionRequest, *, timeout_s: float) -> Session:
        return Session(caller_token(self.keys, self.room, "caller"), self.keys.url, self.room)


def frame(name: str, **fields: Any) -> bytes:
    arguments = {"table": 4, "key": "sk_live_0123456789ABCDEF"}
    whole = {
        "type": "tool_call",
        "name": name,
        "arguments": arguments,
        "result": {"free": True},
        "ms": 12.5,
        "ok": True,
    }
    return json.dumps(whole | fields).encode()


async def answer(agent: Room, seen: Seen, observer: Room) -> None:
    """Reports tool calls once the caller has typed: an observer first, then the agent, with a frame of junk."""
    while (await soon(seen.data))[0] != "voice.user_text":
        pass
    observer.send_data(TOPIC, frame("of-an-observer"))
    agent.send_data(TOPIC, b"junk")
    agent.send_data(TOPIC, frame("is_table_free"))
    agent.send_data(TOPIC, frame("list_tables", result="x" * 40_000, ok=False))
    agent.send_data("voice.reply", b'{"type": "reply", "text": "It is free."}')


async def called(server: Server, engine: EngineName) -> CallResult:
    """One call on that engine, with an agent that says nothing and an observer."""
    name = await server.room(f"tools-{engine}")
    clock, timeline = SystemClock(), Timeline()
    plan = call_plan(STEP, greeting=False, timeouts={"reply": "2s"}, agent_identity="the-agent")
    async with (
        server.joined(agent_token(server.keys, name, "the-agent")) as (agent, seen),
        server.joined(caller_token(server.keys, name, "observer")) as (observer, _),
    ):
        await agent.publish()
        await observer.publish()
        answering = asyncio.create_task(answer(agent, seen, observer))
        call = Call(
            plan,
            sessions=OneRoom(server.keys, name),
            engine=await make_engine(engine, clock),
            clock=clock,
            lag=LoopLag(clock),
            timeline=timeline,
        )
        await call.make()
        await answering
    return measure_call(timeline.events)


@pytest.mark.parametrize("engine", get_args(EngineName))
async def test_an_agents_tool_calls_are_in_their_turn_and_others_are_counted(
    livekit_keys: LiveKitKeys, engine: EngineName
) -> None:
    async with serving(livekit_keys) as server:
        call = await called(server, engine)
    [turn] = call.turns
    first, second = turn.tool_calls
    assert (first.name, first.arguments, first.result) == (
        "is_table_free",
        {"table": 4, "key": "***"},
        {"free": True},
    )
    assert (first.ms, first.ok, first.shortened) == (12.5, True, False)
    assert turn.caller_end_ms is not None
    assert first.at_ms is not None
    assert first.at_ms >= turn.caller_end_ms
    assert (second.name, second.ok, second.shortened) == ("list_tables", False, True)
    assert second.result.endswith("(36,000 characters more)")
    assert (call.junk_tool_frames, call.other_tool_frames, call.stray_tool_calls) == (1, 1, 0)
    assert (turn.reply, call.other_texts, call.junk_frames) == ("It is free.", 0, 0)
