"""How the caller waits: until something holds, a deadline passes, or the script is ended from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from harness.call.ear import Ear
from harness.clock import NS_PER_S, Clock, s_to_ns
from harness.errors import AgentFailure, CallFailure
from harness.hearing.voice import talking_since

TALKS_ON_NS = 60 * NS_PER_S
LOOK_AGAIN_NS = NS_PER_S // 10

Result = TypeVar("Result")
Check = Callable[[], bool]


class Waiting:
    """Waits on the ear; `end_silence_s` is the silence after which the agent has ended."""

    def __init__(self, ear: Ear, clock: Clock, *, end_silence_s: float) -> None:
        self._ear = ear
        self._clock = clock
        self._end_silence_s = end_silence_s
        self._end_silence_ns = s_to_ns(end_silence_s)
        self._ended_by: CallFailure | None = None

    def end(self, failure: CallFailure) -> None:
        """Ends all waiting at once, with `failure`."""
        self._ended_by = self._ended_by or failure
        self._ear.wake()

    async def until(self, holds: Check, deadline_ns: int | None = None) -> bool:
        """Waits until `holds`; False if the deadline comes first.

        Raises:
            CallFailure: The script was ended from outside, or the agent never stops talking.
        """
        while True:
            if self._ended_by is not None:
                raise self._ended_by
            if holds():
                return True
            now_ns = self._clock.now_ns()
            if deadline_ns is not None and now_ns >= deadline_ns:
                return False
            self._check_talks_on(now_ns)
            # All calls of a process poll at the same moments: one wake-up for all of them.
            again_ns = (now_ns // LOOK_AGAIN_NS + 1) * LOOK_AGAIN_NS
            await self._ear.changed(again_ns if deadline_ns is None else min(again_ns, deadline_ns))

    async def unless_ended(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Awaits work by the line, which may take long if the connection is lost.

        Raises:
            CallFailure: As `until`.
        """
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self._ear.wake())
        try:
            await self.until(task.done)
        finally:
            task.cancel()
        return task.result()

    def _check_talks_on(self, now_ns: int) -> None:
        since_ns = talking_since(
            self._ear.voices, gap_ns=self._end_silence_ns, known_until_ns=self._ear.known_until_ns()
        )
        if since_ns is not None and now_ns - since_ns > TALKS_ON_NS:
            raise AgentFailure(
                "agent.talks_on",
                f"it spoke for {TALKS_ON_NS // NS_PER_S} s without a pause of {self._end_silence_s:g} s",
                hint="does the agent hear itself, or repeat a reply?",
            )

    def silent_for(self, silence_ns: int, after_ns: int = 0) -> bool:
        """Whether the agent is known to have been silent for `silence_ns`, counted from `after_ns` at the earliest."""
        if self._ear.voiced:
            return False
        voices = self._ear.voices
        since_ns = max(after_ns, voices[-1].end_ns or 0) if voices else after_ns
        return self._ear.known_until_ns() - since_ns >= silence_ns

    def has_ended(self, after_ns: int = 0) -> bool:
        """Whether the agent has ended: it was silent for `end_silence_s`, counted as in `silent_for`."""
        return self.silent_for(self._end_silence_ns, after_ns)
