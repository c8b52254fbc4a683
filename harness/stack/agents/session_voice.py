"""The voice of one session whose agent has a reference audio: sought while the agent joins, ready before it greets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from harness.stack.agents_file import AgentSpec
from harness.stack.reference_voice.references import References
from harness.stack.reference_voice.refused import RefusedError
from harness.target.shown import shown_url

READY_WITHIN_S = 12.0  # to fetch (10 s) and to measure; the greeting waits for it
NO_WORDS = "an agent of kind truth plays one fixed sound."


class SessionVoice:
    """Seeks the voice from the time it is created; without one, the agent speaks in its own.

    Args:
        spec: The agent, with its reference.
        references: Finds voices.
        log: Writes the event `voice` to the truth log.
        by_owner: See `References.voice`.
    """

    def __init__(self, spec: AgentSpec, references: References, log: Callable[..., None], *, by_owner: bool) -> None:
        self._spec = spec
        self._references = references
        self._log = log
        self._voice = asyncio.create_task(self._seek(spec.reference_audio_url or "", by_owner=by_owner))

    async def spoken(self, spec: AgentSpec) -> AgentSpec:
        """The agent with the voice that it speaks with in this session."""
        voice = await asyncio.shield(self._voice)
        return spec if voice is None else spec.model_copy(update={"voice": voice})

    def close(self) -> None:
        """Stops seeking."""
        self._voice.cancel()

    async def _seek(self, url: str, *, by_owner: bool) -> str | None:
        if self._spec.kind == "truth":
            self._log("voice", url=shown_url(url), why=NO_WORDS)
            return None
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                reference, like = await self._references.voice(url, self._spec.language, by_owner=by_owner)
        except (RefusedError, TimeoutError) as problem:
            why = str(problem) or f"was not measured within {READY_WITHIN_S:g} s."
            self._log("voice", url=shown_url(url), why=why)
            return None
        told: dict[str, Any] = {"pitch_hz": round(like.speaks.pitch_hz, 1), "pace": round(like.speaks.pace, 2)}
        told |= {"reference_pitch_hz": round(reference.pitch_hz, 1), "reference_pace": round(reference.pace, 2)}
        self._log("voice", voice=like.name, **told)
        return like.name
