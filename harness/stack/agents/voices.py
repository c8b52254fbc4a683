"""The agents' access to the speech worker, which starts on first use; synthesised speech is cached."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from harness.errors import HarnessError, KnowledgeError
from harness.stack.agents.answer import Answer, Knowledge
from harness.stack.agents.trimmed_speech import Pcm, TrimmedSpeech, trimmed
from harness.stack.agents_file import AgentSpec
from harness.stack.speech import Speech
from harness.stack.speech.brain import answer
from harness.stack.speech.phrases import unknown
from harness.stack.speech.vocabulary import vocabulary
from harness.stack.tools.plan import PlannedCall
from harness.stack.tools.session import SessionTools

KEPT = 200


class Voices:
    """Speech, recognition and answers for all agents of the process; one worker per recogniser model."""

    def __init__(self) -> None:
        self._workers: dict[str | None, asyncio.Task[Speech]] = {}
        self._kept: OrderedDict[tuple[str, str, str], TrimmedSpeech] = OrderedDict()
        self._learning: set[asyncio.Task[None]] = set()

    async def warm(self, spec: AgentSpec) -> None:
        """Loads the models that the agent will need. Raises as `say`."""
        speech = await self._speech(spec)
        await speech.warm(voice=spec.spoken_voice, language=spec.language, ear=spec.ear == "whisper")
        if spec.documents:
            await speech.learn(spec.documents)

    def expect(self, spec: AgentSpec) -> None:
        """Starts indexing the agent's documents, so that the first question does not wait; `answer` reports errors."""
        if spec.documents:
            task = asyncio.create_task(self._learn(spec))
            self._learning.add(task)
            task.add_done_callback(self._learning.discard)

    async def _learn(self, spec: AgentSpec) -> None:
        with contextlib.suppress(HarnessError):
            speech = await self._speech(spec)
            await speech.learn(spec.documents)

    async def say(self, text: str, spec: AgentSpec) -> TrimmedSpeech:
        """`text` in the agent's voice.

        Raises:
            ConfigError: The extra `stack` is missing.
            StackError: The speech worker has died.
        """
        key = (text, spec.spoken_voice, spec.language)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        speech = await self._speech(spec)
        spoken = trimmed(await speech.say(text, voice=spec.spoken_voice, language=spec.language))
        self._kept[key] = spoken
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return spoken

    async def hear(self, pcm: Pcm, spec: AgentSpec) -> str:
        """The words in `pcm`, `(frames,)` int16 mono at 16 kHz; empty if there are none. Raises as `say`."""
        speech = await self._speech(spec)
        return (await speech.hear(pcm, language=spec.language, vocabulary=vocabulary(spec.prompt))).strip()

    async def answer(self, question: str, spec: AgentSpec, tools: SessionTools | None = None) -> Answer:
        """The answer: its fixed text, what its prompt says, a call of one of its tools, or what a document says.

        Raises as `say`.
        """
        if spec.brain == "fixed":
            return Answer.in_one(" ".join(spec.prompt.split()))
        speech = await self._speech(spec)
        if tools is not None and (answered := tools.answered(question)) is not None:
            return _planned(answered, tools)
        known = await answer(spec.prompt, question, speech.rank, language=spec.language)
        if known is not None:
            return Answer.in_sentences(known)
        planned = await tools.plan(question, speech.rank) if tools is not None else None
        if tools is not None and planned is not None:
            return _planned(planned, tools)
        documented = await self._from_documents(question, spec, speech)
        if documented is not None:
            return documented
        unavailable = tools.unavailable() if tools is not None else None
        return Answer.in_sentences(unavailable if unavailable is not None else unknown(spec.language))

    @staticmethod
    async def _from_documents(question: str, spec: AgentSpec, speech: Speech) -> Answer | None:
        if not spec.documents:
            return None
        try:
            found = await speech.look_up(question, spec.documents)
        except KnowledgeError as problem:  # removed since the agents were loaded: no reason to end the call
            print(f"a document cannot be used, the agent answers without: {problem}", file=sys.stderr, flush=True)  # noqa: T201
            return None
        if found is None:
            return None
        return Answer.in_sentences(found.answer, knowledge=Knowledge(found.document, found.place, found.score))

    async def close(self) -> None:
        """Ends the workers."""
        for starting in (*self._workers.values(), *self._learning):
            starting.cancel()
        for started in await asyncio.gather(*self._workers.values(), return_exceptions=True):
            if isinstance(started, Speech):
                await started.close()

    async def _speech(self, spec: AgentSpec) -> Speech:
        model = spec.ear_model if spec.ear == "whisper" else None
        if model not in self._workers:
            self._workers[model] = asyncio.create_task(Speech.start(ear_model=Path(model) if model else None))
        try:
            return await asyncio.shield(self._workers[model])
        except Exception:
            # The next call tries again: an extra may have been installed, or a worker restarted, in the meantime.
            self._workers.pop(model, None)
            raise


def _planned(call: PlannedCall, tools: SessionTools) -> Answer:
    """An answer that calls a tool, or asks for what the call lacks."""
    return replace(Answer.in_sentences(tools.question(call)), call=call)
