"""The line of an agent whose voice is published by a second participant, as avatar services do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

from harness.stack.agents.line import REPLY_TOPIC, AgentLine, ChangingLine
from harness.stack.agents.mouth import Mouth
from harness.stack.agents.trimmed_speech import Pcm


class AvatarLine:
    """See `AgentLine`: listens and sends text as the agent, speaks as the avatar.

    Args:
        agent: The agent's line; it publishes no audio.
        avatar: The avatar's line; it publishes the voice.
        avatar_first: Whether the avatar joins before the agent.
    """

    def __init__(self, agent: AgentLine, avatar: ChangingLine, *, avatar_first: bool) -> None:
        self._agent = agent
        self._avatar = avatar
        self._in_order: tuple[AgentLine, ...] = (avatar, agent) if avatar_first else (agent, avatar)
        self.caller_came = agent.caller_came
        self.over = agent.over
        self.on_text: Callable[[str, int], None] = lambda text, at_ns: None
        self.on_published: Callable[[str], None] = lambda track: None

    async def join(self) -> None:
        """See `AgentLine.join`."""
        self._agent.on_text = self.on_text
        self._avatar.on_published = self.on_published
        for line in self._in_order:
            await line.join()

    async def heard_by_caller(self) -> None:
        """See `AgentLine.heard_by_caller`."""
        await self._agent.heard_by_caller()
        await self._avatar.heard_by_caller()

    async def carry(self, mouth: Mouth) -> None:
        """See `AgentLine.carry`."""
        await self._avatar.carry(mouth)

    def heard(self, frame_ms: int) -> AsyncGenerator[tuple[Pcm, int], None]:
        """See `AgentLine.heard`."""
        return self._agent.heard(frame_ms)

    async def jitter_buffer(self) -> dict[str, float | int]:
        """See `AgentLine.jitter_buffer`."""
        return await self._agent.jitter_buffer()

    async def send(self, payload: dict[str, Any] | bytes, *, topic: str = REPLY_TOPIC) -> int:
        """See `AgentLine.send`."""
        return await self._agent.send(payload, topic=topic)

    async def republish(self, *, overlap: bool) -> None:
        """See `ChangingLine.republish`."""
        await self._avatar.republish(overlap=overlap)

    def mute(self, *, on: bool) -> None:
        """See `ChangingLine.mute`."""
        self._avatar.mute(on=on)

    async def leave(self) -> None:
        """See `AgentLine.leave`."""
        for line in reversed(self._in_order):
            await line.leave()

    async def drop(self) -> None:
        """See `AgentLine.drop`."""
        for line in reversed(self._in_order):
            await line.drop()
