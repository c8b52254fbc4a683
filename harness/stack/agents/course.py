"""What happens after an agent's replies: it hangs up, crashes, hands over, changes its track, or the line is cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.stack.agents.line import AgentLine, ChangingLine
from harness.stack.agents.mouth import Log
from harness.stack.shape import Shape

PLAYED_OUT_S = 0.3  # seconds from the last sample's departure until the caller has certainly heard it


@dataclass(frozen=True, slots=True)
class Doings:
    """Actions of an agent's course that others carry out.

    Attributes:
        cut: Cuts the caller's signalling.
        delete_room: Closes the room for everyone.
        hand_over: Arranges for a successor; returns when the agent may leave.
    """

    cut: Callable[[], None]
    delete_room: Callable[[], Awaitable[None]]
    hand_over: Callable[[], Awaitable[None]]


class Course:
    """The course of one agent for as long as it is in its room.

    Args:
        shape: Says what happens, and after which reply.
        line: The agent's line.
        may_speak: Cleared while the agent must not speak.
        doings: What others do for it.
        log: The truth log.
    """

    def __init__(self, shape: Shape, line: AgentLine, may_speak: asyncio.Event, doings: Doings, log: Log) -> None:
        self._shape = shape
        self._line = line
        # `AgentSpec` allows the shapes that need it only on such a line.
        self._voice = line if isinstance(line, ChangingLine) else None
        self._may_speak = may_speak
        self._doings = doings
        self._log = log
        self.retired = False

    def begins(self) -> None:
        """Called when the agent is about to speak."""
        if self._shape.tracks.muted and self._voice is not None:
            self._voice.mute(on=False)

    def crashes_in(self, reply: int) -> bool:
        """Whether the agent crashes in the middle of that reply."""
        return self._shape.crash is not None and self._shape.crash.in_reply == reply

    async def crash(self) -> None:
        """Disconnects the agent at once; does not return if its process is killed."""
        vanishes = self._shape.dies
        self._log("crashed", how="vanish" if vanishes else "leave")
        if vanishes:
            os.kill(os.getpid(), signal.SIGKILL)
        await self._line.drop()
        self._line.over.set()

    async def ended(self, reply: int) -> None:
        """Called when the agent has finished reply number `reply`; 0 is the greeting."""
        await asyncio.sleep(PLAYED_OUT_S)
        shape = self._shape
        cut, hangs_up, handover = shape.line.cut, shape.hangs_up, shape.handover
        if cut is not None and cut.after_reply == reply:
            self._log("line_cut")
            self._doings.cut()
        if shape.crash is not None and shape.crash.after_reply == reply:
            await self.crash()
        elif hangs_up is not None and hangs_up.after_reply == reply:
            self._log("hangs_up", deletes_room=hangs_up.room)
            if hangs_up.room:
                await self._doings.delete_room()
            self._line.over.set()
        elif handover is not None and handover.after_reply == reply:
            self._log("hands_over")
            await self._doings.hand_over()
            self.retired = True
            self._line.over.set()
        else:
            await self._change_track(reply)

    async def _change_track(self, reply: int) -> None:
        tracks, voice = self._shape.tracks, self._voice
        if voice is None:
            return
        if tracks.muted:
            voice.mute(on=True)
        if tracks.republish is None or reply == 0:
            return
        self._may_speak.clear()
        try:
            with contextlib.suppress(Exception):  # the room may already be closed
                await voice.republish(overlap=tracks.republish == "overlap")
            self._log("republished", how=tracks.republish)
        finally:
            self._may_speak.set()
