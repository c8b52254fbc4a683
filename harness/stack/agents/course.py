"""What becomes of an agent as its replies end: it hangs up, crashes, hands over, its track changes, the line is cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.stack.agents.line import Line
from harness.stack.agents.mouth import Log
from harness.stack.shape import Shape

PLAYED_OUT_S = 0.3
"""After the last sample left, it has been heard."""


@dataclass(frozen=True, slots=True)
class Doings:
    """What an agent's course does by way of others.

    Attributes:
        cut: Cuts the caller's signalling.
        delete_room: Ends the room for all.
        hand_over: Sees that the agent is followed; returns when it may go.
    """

    cut: Callable[[], None]
    delete_room: Callable[[], Awaitable[None]]
    hand_over: Callable[[], Awaitable[None]]


class Course:
    """One agent's, for as long as it is in its room.

    Args:
        shape: Which says what happens.
        line: The agent's.
        may_speak: Cleared while it cannot speak.
        doings: See there.
        log: The truth log.
    """

    def __init__(self, shape: Shape, line: Line, may_speak: asyncio.Event, doings: Doings, log: Log) -> None:
        self._shape = shape
        self._line = line
        self._may_speak = may_speak
        self._doings = doings
        self._log = log
        self.retired = False

    def begins(self) -> None:
        """The agent is about to speak."""
        if self._shape.tracks.muted:
            self._line.mute(on=False)

    def crashes_in(self, reply: int) -> bool:
        """Whether the agent is gone in the middle of that reply."""
        return self._shape.crash is not None and self._shape.crash.in_reply == reply

    async def crash(self) -> None:
        """The agent is gone at once; where its process is killed, this does not return."""
        vanishes = self._shape.dies
        self._log("crashed", how="vanish" if vanishes else "leave")
        if vanishes:
            os.kill(os.getpid(), signal.SIGKILL)
        await self._line.drop()
        self._line.over.set()

    async def ended(self, reply: int) -> None:
        """The agent has said its reply of that number, 0 the greeting, to the end."""
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
        tracks = self._shape.tracks
        if tracks.muted:
            self._line.mute(on=True)
        if tracks.republish is None or reply == 0:
            return
        self._may_speak.clear()
        try:
            with contextlib.suppress(Exception):  # the room may be over
                await self._line.republish(overlap=tracks.republish == "overlap")
            self._log("republished", how=tracks.republish)
        finally:
            self._may_speak.set()
