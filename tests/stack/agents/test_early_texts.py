"""What is typed before an agent has met the caller is answered, after the greeting. The room is a stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from harness.clock import SystemClock
from harness.secret import Secret
from harness.stack.agents.agent import Agent
from harness.stack.agents.ear import AgentEar
from harness.stack.agents.frames import Frames
from harness.stack.agents.light_line import Coded
from harness.stack.agents.line import REPLY_TOPIC
from harness.stack.agents.lines import Lines
from harness.stack.agents.mouth import Mouth
from harness.stack.agents.server import ServerApi
from harness.stack.agents.surroundings import Surroundings
from harness.stack.agents.thought import Truth
from harness.stack.agents.trimmed_speech import Pcm
from harness.stack.agents.truth_log import TruthLog
from harness.stack.agents_file import AgentSpec
from harness.stack.tokens import LiveKitKeys
from harness.transport.hub import TransportHub


class Line:
    """A room with a caller who comes when the test says so; keeps the texts that the agent sends."""

    def __init__(self) -> None:
        self.caller_came, self.over, self.carried = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.on_text: Callable[[str, int], None] = lambda _text, _at_ns: None
        self.on_published: Callable[[str], None] = lambda _track: None
        self.sent: asyncio.Queue[str] = asyncio.Queue()

    async def join(self) -> None: ...

    async def leave(self) -> None: ...

    async def heard_by_caller(self) -> None: ...

    async def carry(self, mouth: Mouth) -> None:
        del mouth
        self.carried.set()
        await self.over.wait()

    async def heard(self, frame_ms: int) -> AsyncGenerator[tuple[Pcm, int], None]:
        del frame_ms
        await self.over.wait()
        for _ in ():
            yield _

    async def send(self, payload: dict[str, Any] | bytes, *, topic: str = REPLY_TOPIC) -> int:
        del topic
        assert isinstance(payload, dict)
        self.sent.put_nowait(f"{payload['type']}: {payload['text']}")
        return SystemClock().now_ns()


async def test_the_greeting_comes_first_and_then_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    line, clock = Line(), SystemClock()
    monkeypatch.setattr(Lines, "main", lambda _lines, _name: line)
    keys = LiveKitKeys("ws://127.0.0.1:1", "key", Secret("secret-of-thirty-two-characters-or-more"))
    around = Surroundings(
        keys=keys,
        hub=TransportHub(clock),
        coded=Coded(),
        thinking=lambda spec, _tools: Truth(spec),
        tools=lambda _spec, _log: None,
        hearing=lambda _spec: AgentEar(0.5, by_level=True),
        truth_log=TruthLog(None, clock),
        clock=clock,
        server=ServerApi(keys),
        tell=lambda _room, _what: None,
        frames=Frames(lambda _room, _number, _frame: None, clock),
    )
    fields = {"ear": "none", "brain": "fixed", "faults": ["text_only"]}
    spec = AgentSpec.model_validate({"prompt": "At nine.", "greeting": "Hello.", **fields})
    agent = Agent("a", spec, "room", around)
    running = asyncio.create_task(agent.run())
    async with asyncio.timeout(10):
        await line.carried.wait()
        line.on_text("When do you open?", clock.now_ns())
        line.caller_came.set()
        told = [await line.sent.get() for _ in range(3)]
        line.over.set()
        await running
    assert told == ["agent_text: Hello.", "user_text: When do you open?", "agent_text: At nine."]
