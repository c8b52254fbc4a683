"""One open stack's page: what it shows, and what is sent to it over its WebSocket.

The page says what it looks at, each time one thing in place of the one before:

    {"watch": ROOM or null}             the conversation of a call
    {"run": RUN or null}                the calls of a run
    {"follow": [RUN, CALL] or null}     the timeline of one of them

It is told, with `type`: `hello` once; `agents`, `calls` and `runs` at first and when they have changed; `frames` of the
call and `timeline`, the events, both from number `start` on; `run_calls` of the run; `problem`, what cannot be shown
and why. `harness/stack/page/src/stack/protocol.ts` is the other side.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from harness.clock import NS_PER_S, SystemClock
from harness.errors import HarnessError
from harness.process.lines import message_in
from harness.secret import without_secrets
from harness.stack.web.agents_shown import agent_rows
from harness.stack.web.runs import RunCalls
from harness.timeline.codec import entry_of
from harness.timeline.events import (
    Event,
    LoopWasLate,
    MediaSecond,
    SecondPassed,
    SendLate,
    StreamAnchor,
)
from harness.timeline.timeline import GrowingTimeline

if TYPE_CHECKING:
    from harness.stack.web.stack_page import StackPage

TICK_S = 0.5
CALLS_EVERY_S = 1.0
RUNS_EVERY_S = 1.0
AGENTS_EVERY_S = 5.0
MOST_CALLS = 500
MOST_AGENTS = 500
MOST_BYTES_WANTED = 4096
HEARTBEAT_S = 20.0
# Events of the measuring itself; they are most of a timeline, and say nothing about the conversation.
_NOT_TOLD = (SecondPassed, MediaSecond, StreamAnchor, SendLate, LoopWasLate)
Message = dict[str, Any]


class Viewer:
    """One page that is open.

    Args:
        socket: Its WebSocket, ready to be used.
        page: What all pages share.
    """

    def __init__(self, socket: web.WebSocketResponse, page: StackPage) -> None:
        self._socket = socket
        self._page = page
        self._clock = SystemClock()
        self._told: dict[str, Any] = {}
        self._asked_ns: dict[str, int] = {}
        self._room: str | None = None
        self._frames: int | None = None
        self._run: tuple[str, RunCalls] | None = None
        self._timeline: _Followed | None = None
        self._problems: list[str] = []
        self.nudged = asyncio.Event()

    async def run(self) -> None:
        """Serves the page until it is closed."""
        telling = asyncio.create_task(self._tell())
        try:
            async for message in self._socket:
                wanted = message_in(message.data) if message.type is web.WSMsgType.TEXT else None
                if wanted is not None:
                    await self._look_at(wanted)
                    self.nudged.set()
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            await self._watch(None)

    async def close(self) -> None:
        """Ends the connection: the server stops."""
        await self._socket.close(code=1001)

    # -- what it looks at --------------------------------------------------------------------------------------------

    async def _look_at(self, wanted: Mapping[str, Any]) -> None:
        if "watch" in wanted:
            await self._watch(_text(wanted["watch"]))
        if "run" in wanted:
            self._run = await self._run_named(_text(wanted["run"]))
            self._told.pop("run_calls", None)
        if "follow" in wanted:
            self._timeline = await self._followed(wanted["follow"])

    async def _watch(self, room: str | None) -> None:
        before, self._room, self._frames = self._room, room, None
        if before is not None:
            await self._page.calls.unwatch(before)
        if room is not None:
            await self._page.calls.watch(room)

    async def _run_named(self, name: str | None) -> tuple[str, RunCalls] | None:
        runs = self._page.runs
        folder = None if name is None or runs is None else await asyncio.to_thread(runs.find, name)
        if name is not None and folder is None:
            self._problems.append("There is no such run.")
        return None if name is None or folder is None else (name, RunCalls(folder))

    async def _followed(self, wanted: Any) -> _Followed | None:
        names = [_text(name) for name in wanted] if isinstance(wanted, list) else []
        runs = self._page.runs
        path: Path | None = None
        if len(names) == 2 and names[0] and names[1] and runs is not None:
            path = await asyncio.to_thread(runs.timeline, names[0], names[1])
            if path is not None:
                return _Followed(names[0], names[1], GrowingTimeline(path))
        if wanted is not None:
            self._problems.append("There is no such timeline.")
        return None

    # -- what is sent to it ------------------------------------------------------------------------------------------

    async def _tell(self) -> None:
        runs = self._page.runs
        folder = None if runs is None else str(runs.folder)
        await self._send({"type": "hello", "runs": folder, "call_page": self._page.has_call_page})
        while True:
            self.nudged.clear()
            async for message in self._news():
                await self._send(message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self.nudged.wait()

    async def _send(self, message: Message) -> None:
        message["now_ms"] = round(self._clock.utc().timestamp() * 1000)
        await self._socket.send_str(json.dumps(without_secrets(message, self._page.secrets)))

    async def _news(self) -> AsyncIterator[Message]:
        problems, self._problems = self._problems, []
        for what in problems:
            yield {"type": "problem", "what": what}
        for message in await self._overview():
            if self._told.get(message["type"]) != message:
                self._told[message["type"]] = message
                yield dict(message)
        if (frames := self._new_frames()) is not None:
            yield frames
        async for message in self._new_events():
            yield message

    async def _overview(self) -> list[Message]:
        """What is due to be looked at again; most of it has not changed."""
        found: list[Message] = []
        if self._due("calls", CALLS_EVERY_S):
            found.append({"type": "calls", **self._page.calls.told(MOST_CALLS)})
        if self._due("agents", AGENTS_EVERY_S):
            with contextlib.suppress(sqlite3.Error):  # locked for a moment, say
                rows = await self._page.store.read(agent_rows)
                found.append({"type": "agents", "agents": rows[:MOST_AGENTS], "total": len(rows)})
        if self._page.runs is not None and self._due("runs", RUNS_EVERY_S):
            found.append({"type": "runs", "runs": await asyncio.to_thread(self._page.runs.told)})
        if self._run is not None and self._due("run_calls", RUNS_EVERY_S):
            name, calls = self._run
            found.append({"type": "run_calls", "run": name, **await asyncio.to_thread(calls.told)})
        return found

    def _due(self, what: str, every_s: float) -> bool:
        now_ns = self._clock.now_ns()
        is_first = what not in self._told
        # Half a tick early rather than a whole one late.
        if not is_first and now_ns - self._asked_ns.get(what, 0) < (every_s - TICK_S / 2) * NS_PER_S:
            return False
        self._asked_ns[what] = now_ns
        return True

    def _new_frames(self) -> Message | None:
        if self._room is None:
            return None
        start, is_first = self._frames or 0, self._frames is None
        frames = self._page.calls.frames(self._room, start)
        self._frames = start + len(frames)
        told = {"type": "frames", "room": self._room, "start": start, "frames": frames}
        return told if frames or is_first else None

    async def _new_events(self) -> AsyncIterator[Message]:
        while (followed := self._timeline) is not None:
            try:
                events = await asyncio.to_thread(followed.timeline.read_on)
            except (OSError, ValueError, HarnessError) as problem:
                self._timeline = None
                what = problem.what if isinstance(problem, HarnessError) else str(problem)
                yield {"type": "problem", "what": f"The timeline of {followed.call} cannot be read: {what}"}
                return
            if self._timeline is not followed:
                continue  # the page looks at another one by now
            if not events and followed.told is not None:
                return
            start, told = followed.told or 0, [entry_of(event) for event in events if _is_told(event)]
            followed.told = start + len(told)
            yield {"type": "timeline", "run": followed.run, "call": followed.call, "start": start, "events": told}


@dataclass
class _Followed:
    """A timeline that is followed, and how many of its events were sent."""

    run: str
    call: str
    timeline: GrowingTimeline
    told: int | None = None


def _is_told(event: Event) -> bool:
    return not isinstance(event, _NOT_TOLD)


def _text(value: Any) -> str | None:
    return value[:MOST_BYTES_WANTED] if isinstance(value, str) else None
