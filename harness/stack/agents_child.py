"""The agents' process as the host sees it: started, given its orders, and heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from harness.errors import StackError
from harness.process.child import Child
from harness.process.lines import error_in
from harness.process.log_tail import LogTail
from harness.stack.agents_file import AgentSpec
from harness.stack.host_messages import HostSettings
from harness.stack.livekit_server import RunningServer
from harness.stack.service.state import Overrides

# Generous: on a busy machine the speech worker, which loads the models, gets the CPU last.
AGENTS_READY_WITHIN_S = 180.0
LINES_SHOWN = 20
SET_WITHIN_S = 20.0


class Fallen(Exception):  # noqa: N818 - named after the event it reports
    """A part of the stack died."""

    def __init__(self, part: str, said: str) -> None:
        super().__init__(part)
        self.part = part
        self.said = said


class News:
    """Dispatches what the agents' process reports about its rooms.

    Attributes:
        on: Handlers by kind of message; each is called with the room.
        on_frame: Called with a room that is watched, a frame's number there, and the frame.
    """

    def __init__(self) -> None:
        self.on: dict[str, tuple[Callable[[str], None], ...]] = {}
        self.on_frame: Callable[[str, int, dict[str, Any]], None] | None = None
        self._set: dict[str, asyncio.Event] = {}

    def take(self, message: Mapping[str, Any]) -> None:
        """Handles a message about a room."""
        room, what = str(message["room"]), str(message.get("is"))
        if what == "frame" and self.on_frame is not None:
            self.on_frame(room, int(message["number"]), message["frame"])
        if what in ("set", "over") and room in self._set:
            self._set[room].set()
        for handler in self.on.get(what, ()):
            handler(room)

    @contextlib.asynccontextmanager
    async def until_set(self, room: str) -> AsyncIterator[None]:
        """Context manager that, after its body, waits until everyone due in the room is there or has failed to join.

        Raises:
            TimeoutError: Neither happened within `SET_WITHIN_S`.
        """
        self._set[room] = asyncio.Event()
        try:
            yield
            await asyncio.wait_for(self._set[room].wait(), SET_WITHIN_S)
        finally:
            self._set.pop(room, None)


class Agents:
    """The agents' process: starts at once, gets the server's address when that is up; `join` sends agents to rooms."""

    def __init__(self, child: Child, log_tail: LogTail, ready: asyncio.Future[None], news: News) -> None:
        self.child = child
        self.log_tail = log_tail
        self.news = news
        self._ready = ready

    @classmethod
    async def start(cls, command: list[str]) -> Agents:
        """Starts the process, which does its imports while it waits for its first line."""
        log_tail = LogTail()
        news = News()
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def take(message: dict[str, Any]) -> None:
            error = error_in(message) if "error" in message else None
            if error is not None:
                log_tail.add(error.what)
                if not ready.done():
                    ready.set_exception(error)
            elif "room" in message:
                news.take(message)
            elif "ready" in message and not ready.done():
                ready.set_result(None)

        return cls(await Child.start("agents", command, log_tail=log_tail, on_message=take), log_tail, ready, news)

    async def set_up(self, server: RunningServer, settings: HostSettings) -> None:
        """Passes on the server's keys and waits until the agents are ready.

        Raises:
            HarnessError: The error that the agents reported.
            Fallen: They died.
        """
        keys = server.keys
        livekit = {"url": keys.url, "api_key": keys.api_key, "api_secret": keys.api_secret.reveal()}
        files = {"agents_file": settings.agents_file, "truth_log": settings.truth_log}
        more = {"warm": settings.warm, "tokens": settings.tokens, "private_hosts": settings.private_hosts}
        await self.child.send({"do": "start", "livekit": livekit, **files, **more})
        ended = asyncio.create_task(self.child.wait())
        try:
            waited: set[asyncio.Future[Any]] = {self._ready, ended}
            await asyncio.wait(waited, timeout=AGENTS_READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
            if self._ready.done():
                self._ready.result()
            elif ended.done():
                raise Fallen("agents", self.log_tail.last(LINES_SHOWN))
            else:
                last = self.log_tail.last(LINES_SHOWN)
                raise StackError(
                    f"the agents were not ready within {AGENTS_READY_WITHIN_S:.0f} s:\n{last}",
                    hint="check the load of this machine, and try again",
                )
        finally:
            ended.cancel()

    async def join(self, room: str, agent: str, overrides: Overrides, spec: AgentSpec | None) -> None:
        """Sends `agent` to `room`; `spec` are its settings, if they are not those of the agents file."""
        order: dict[str, Any] = {"do": "join", "room": room, "agent": agent, "overrides": dict(overrides)}
        if spec is not None:
            order["spec"] = spec.model_dump(mode="json", exclude_defaults=True)
        await self.child.send(order)

    async def watch(self, room: str, *, on: bool) -> None:
        """Has the frames of a room reported, those so far included, or no longer."""
        await self.child.send({"do": "watch" if on else "unwatch", "room": room})
