"""From the caller's words to the agent's reply: started at the first pause, discarded if the caller goes on."""

from __future__ import annotations

import asyncio
from typing import Protocol

from harness.stack.agents.answer import NO_ANSWER, Answer
from harness.stack.agents.session_voice import SessionVoice
from harness.stack.agents.trimmed_speech import Pcm, TrimmedSpeech
from harness.stack.agents.truth import tone
from harness.stack.agents.voices import Voices
from harness.stack.agents_file import AgentSpec
from harness.stack.tools.session import SessionTools


class Thinking(Protocol):
    """Recogniser, brain and voice of one agent."""

    async def hear(self, pcm: Pcm) -> str | None:
        """Transcribes `pcm`: empty if it has no words, None if the agent does not use words."""
        ...

    async def answer(self, words: str | None) -> Answer:
        """The answer to the words; None if the agent heard a voice and uses no words.

        It has no side effect, as the caller may go on: a tool is planned (`Answer.call`) and not called.
        """
        ...

    async def say(self, part: str) -> TrimmedSpeech:
        """Synthesises a part of a reply, or a greeting."""
        ...


class Real:
    """Recogniser, retrieval, tools and a synthetic voice.

    Args:
        spec: The agent.
        voices: The speech worker.
        tools: The tools of its session, if it has any.
        session_voice: The voice of its session, if it has a reference audio.
    """

    def __init__(
        self,
        spec: AgentSpec,
        voices: Voices,
        tools: SessionTools | None = None,
        session_voice: SessionVoice | None = None,
    ) -> None:
        self._spec = spec
        self._voices = voices
        self._tools = tools
        self._session_voice = session_voice
        voices.expect(spec)

    async def hear(self, pcm: Pcm) -> str | None:
        """See `Thinking.hear`."""
        return await self._voices.hear(pcm, self._spec) if self._spec.ear == "whisper" else None

    async def answer(self, words: str | None) -> Answer:
        """See `Thinking.answer`."""
        return await self._voices.answer(words or "", self._spec, self._tools)

    async def say(self, part: str) -> TrimmedSpeech:
        """See `Thinking.say`."""
        session_voice = self._session_voice
        spec = self._spec if session_voice is None else await session_voice.spoken(self._spec)
        return await self._voices.say(part, spec)


class Truth:
    """Always answers with the same tone."""

    def __init__(self, spec: AgentSpec) -> None:
        self._answer = Answer.in_one(" ".join(spec.prompt.split()))

    async def hear(self, pcm: Pcm) -> str | None:
        """See `Thinking.hear`."""
        return None

    async def answer(self, words: str | None) -> Answer:
        """See `Thinking.answer`."""
        return self._answer

    async def say(self, part: str) -> TrimmedSpeech:
        """See `Thinking.say`."""
        return tone()


class Thought:
    """Transcript and reply, computed in the background.

    Args:
        group: Runs the work; a failure there ends the call.
        thinking: The agent's recogniser, brain and voice.
        pcm: What was said, `(frames,)` int16 mono at 16 kHz.
        text: What was typed, instead of `pcm`.
    """

    def __init__(
        self, group: asyncio.TaskGroup, thinking: Thinking, *, pcm: Pcm | None = None, text: str | None = None
    ) -> None:
        self._thinking = thinking
        self.words: asyncio.Task[str | None] = group.create_task(self._words(pcm, text))
        self.reply: asyncio.Task[Answer] = group.create_task(self._reply())
        self._voice = group.create_task(self._first_part())

    def cancel(self) -> None:
        """Cancels what is not done yet."""
        for task in (self._voice, self.reply, self.words):
            task.cancel()

    async def _words(self, pcm: Pcm | None, text: str | None) -> str | None:
        return await self._thinking.hear(pcm) if pcm is not None else text

    async def _reply(self) -> Answer:
        words = await asyncio.shield(self.words)
        return NO_ANSWER if words == "" else await self._thinking.answer(words)

    async def _first_part(self) -> None:
        """Synthesises the first part of the reply early, so that it is ready when the end of the turn is confirmed."""
        answer = await asyncio.shield(self.reply)
        if answer.parts:
            await self._thinking.say(answer.parts[0])
