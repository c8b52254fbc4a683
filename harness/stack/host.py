"""The process that runs the embedded stack; `harness.stack.embedded` starts it.

It runs the session service itself, starts the LiveKit server (under a guard) and the agents as children, and supervises
them. Its standard input is a pipe: the first line is a `HostSettings` as JSON, and when the pipe closes, however its
starter ended, everything ends. Each line it writes is a JSON object: `{"ready": …}` or `{"error": …}` first, then
`{"fallen": {"part", "said"}}` if a part dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from livekit.api import CreateRoomRequest, LiveKitAPI

from harness.clock import SystemClock
from harness.errors import ConfigError, HarnessError, StackError
from harness.process.child import Child
from harness.process.lines import error_in, error_message, line_of
from harness.process.log_tail import LogTail
from harness.secret import Secret
from harness.stack.agents_file import AgentSpec, load_agents
from harness.stack.cuts import Cuts
from harness.stack.host_messages import HostSettings
from harness.stack.livekit_server import RunningServer, start_server
from harness.stack.page_server import PageServer
from harness.stack.reference_voice.url_rules import PrivateHosts
from harness.stack.relay import Relays
from harness.stack.service.keys import RateLimit
from harness.stack.service.server import SessionServer
from harness.stack.service.state import Overrides, Service
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import renew_file_agents

# Generous: on a busy machine the speech worker, which loads the models, gets the CPU last.
AGENTS_READY_WITHIN_S = 180.0
AGENTS_GRACE_S = 5.0
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
    """

    def __init__(self) -> None:
        self.on: dict[str, Callable[[str], None]] = {}
        self._set: dict[str, asyncio.Event] = {}

    def take(self, room: str, what: str) -> None:
        """Handles a message about a room."""
        if what in ("set", "over") and room in self._set:
            self._set[room].set()
        if what in self.on:
            self.on[what](room)

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
                news.take(str(message["room"]), str(message.get("is")))
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


class Host:
    """All parts of the stack."""

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings
        self._ends = contextlib.AsyncExitStack()
        self._watched: list[Child] = []

    async def start(self) -> dict[str, Any]:
        """Starts everything; returns the content of the `ready` message.

        Raises:
            HarnessError: A setting is wrong or a part did not start.
            Fallen: A part died during startup.
        """
        settings = self._settings
        specs = load_agents(Path(settings.agents_file) if settings.agents_file else None)
        store = self._store()
        at = SystemClock().utc()
        store.remove_passages(await store.run(lambda database: renew_file_agents(database, specs, at=at)))
        agents = await Agents.start(settings.agents_command)
        self._ends.push_async_callback(agents.child.stop, grace_s=AGENTS_GRACE_S)
        server = await start_server(Path(settings.server))
        self._ends.push_async_callback(server.stop)
        self._watched.append(server.child)
        setting_up = asyncio.create_task(agents.set_up(server, settings))
        fallen = asyncio.create_task(self.wait_fallen())
        try:
            await asyncio.wait({setting_up, fallen}, return_when=asyncio.FIRST_COMPLETED)
            if not setting_up.done():
                raise await fallen
            await setting_up
        finally:
            setting_up.cancel()
            fallen.cancel()
            await asyncio.gather(setting_up, fallen, return_exceptions=True)
        self._watched.append(agents.child)

        keys = server.keys
        livekit = await self._ends.enter_async_context(LiveKitAPI(keys.url, keys.api_key, keys.api_secret.reveal()))

        async def dispatch(room: str, agent: str, overrides: Overrides, *, spec: AgentSpec | None = None) -> None:
            await livekit.room.create_room(CreateRoomRequest(name=room))
            if not (spec or specs[agent]).shape.session_waits:
                await agents.join(room, agent, overrides, spec)
                return
            async with agents.news.until_set(room):
                await agents.join(room, agent, overrides, spec)

        faults = {name: spec.session for name, spec in specs.items()}
        shapes = {name: spec.shape for name, spec in specs.items()}
        relays = Relays(keys.url)
        self._ends.push_async_callback(relays.close)
        service = Service(Secret(settings.api_key), keys, faults, dispatch, shapes=shapes, relayed_url=relays.url_for)
        service.private_hosts = PrivateHosts.parse(settings.private_hosts)
        service.store, service.limit = store, RateLimit(settings.rate_per_s)
        cuts = Cuts(livekit, relays, service)
        agents.news.on = {"cut": cuts.cut, "over": cuts.over}
        self._ends.push_async_callback(cuts.close)
        try:
            served = await SessionServer.start(service, port=settings.port)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on port {settings.port} of 127.0.0.1: {error.strerror}",
                where="--port",
                hint="use another port, or remove --port to use a free one",
            ) from error
        self._ends.push_async_callback(served.close)
        ready: dict[str, Any] = {"session_url": served.url, "livekit_url": keys.url, "agents": sorted(specs)}
        if settings.backend:
            page = await PageServer.start(session_url=served.url, api_key=Secret(settings.api_key))
            self._ends.push_async_callback(page.close)
            ready["page_url"] = page.url
        return ready

    def _store(self) -> Store:
        """Opens the database: that of the folder that is named, or one that goes with the stack."""
        data = self._settings.data
        store = Store.in_memory() if data is None else Store.opened(Path(data))
        self._ends.callback(store.close)
        return store

    async def wait_fallen(self) -> Fallen:
        """Waits until a part dies; returns which one, with its last output."""
        ends = {asyncio.create_task(child.wait()): child for child in self._watched}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in ends:
                waiting.cancel()
        child = ends[done.pop()]
        return Fallen(child.name, child.log_tail.last(LINES_SHOWN))

    async def stop(self) -> None:
        """Stops everything in reverse order of starting."""
        await self._ends.aclose()


def _report(message: Mapping[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(line_of(message))
        sys.stdout.flush()


async def _until_eof(reader: asyncio.StreamReader) -> None:
    while await reader.read(4096):
        pass


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _run() -> None:
    reader = await _stdin()
    line = await reader.readline()
    if not line:
        return
    host = Host(HostSettings(**json.loads(line)))
    leaving = asyncio.create_task(_until_eof(reader))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leaving.cancel)
    try:
        starting = asyncio.create_task(host.start())
        await asyncio.wait({starting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return
        _report({"ready": starting.result()})
        falling = asyncio.create_task(host.wait_fallen())
        await asyncio.wait({falling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if falling.done():
            raise falling.result()
        falling.cancel()
    except Fallen as fallen:
        _report({"fallen": {"part": fallen.part, "said": fallen.said}})
    except HarnessError as error:
        _report(error_message(error))
    finally:
        leaving.cancel()
        await host.stop()


def main() -> None:
    """Runs the host until its starter ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole process group; the starter decides
    asyncio.run(_run())


if __name__ == "__main__":
    main()
