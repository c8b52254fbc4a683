"""The process that runs the embedded stack; `harness.stack.embedded` starts it.

It runs the session service itself, starts the LiveKit server (under a guard) and the agents as children, and supervises
them. Its standard input is a pipe: the first line is a `HostSettings` as JSON, and when the pipe closes, however its
starter ended, everything ends. Each line it writes is a JSON object: `{"ready": …}` or `{"error": …}` first, then
`{"fallen": {"part", "said"}}` if a part dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livekit.api import CreateRoomRequest, LiveKitAPI

from harness.clock import SystemClock
from harness.errors import ConfigError, HarnessError
from harness.process.child import Child
from harness.process.lines import error_message, line_of
from harness.secret import Secret
from harness.stack.agents_child import LINES_SHOWN, Agents, Fallen
from harness.stack.agents_file import AgentSpec, load_agents
from harness.stack.cuts import Cuts
from harness.stack.host_messages import HostSettings
from harness.stack.livekit_server import start_server
from harness.stack.reference_voice.url_rules import PrivateHosts
from harness.stack.relay import Relays
from harness.stack.service.keys import RateLimit
from harness.stack.service.server import SessionServer
from harness.stack.service.state import Overrides, Service
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import renew_file_agents
from harness.stack.tokens import LiveKitKeys
from harness.stack.web.live_calls import LiveCalls

AGENTS_GRACE_S = 5.0


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
            if settings.page_options.any:
                await asyncio.sleep(0)  # the order to set up leaves first
                _import_pages()
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
            try:
                await livekit.room.create_room(CreateRoomRequest(name=room))
            except BaseException:
                agents.news.take({"room": room, "is": "over"})
                raise
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
        calls = LiveCalls(lambda room, on: agents.watch(room, on=on))
        agents.news.on = {"cut": (cuts.cut,), "met": (calls.met,), "over": (cuts.over, calls.over)}
        agents.news.on_frame = calls.framed
        service.on_session = calls.begun
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
        if settings.page_options.any:
            ready |= await self._serve_pages(served.url, calls, store, keys)
        return ready

    async def _serve_pages(self, session_url: str, calls: LiveCalls, store: Store, keys: LiveKitKeys) -> dict[str, Any]:
        """Serves the pages; returns their URLs for the `ready` message."""
        from harness.stack.page_server import PageServer
        from harness.stack.web.runs import Runs
        from harness.stack.web.stack_page import StackPage

        settings, options, api_key = self._settings, self._settings.page_options, Secret(self._settings.api_key)
        password = None if settings.page_password is None else Secret(settings.page_password)
        hidden = [api_key, keys.api_secret, *([] if password is None else [password])]
        runs = None if options.runs is None else Runs(options.runs)
        stack = StackPage(calls, store, keys, runs, hidden, has_call_page=options.backend)
        try:
            pages = await PageServer.start(
                session_url=session_url,
                api_key=api_key,
                options=options,
                password=password,
                stack=stack if options.web else None,
            )
        except OSError as error:
            is_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
            raise ConfigError(
                f"cannot listen on port {options.port} of {options.host}: {error.strerror}",
                where="--page-port" if is_port else "--page-host",
                hint="use another port, or remove --page-port to use a free one"
                if is_port
                else "name an address of this machine, or 0.0.0.0 for all of them",
            ) from error
        self._ends.push_async_callback(pages.close)
        urls = {"page_url": pages.url} if options.backend else {}
        return urls | ({"web_url": pages.stack_url} if options.web else {})

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


def _import_pages() -> None:
    """Imports what serves the pages while the agents get ready; without pages, nothing waits for that."""
    import harness.stack.page_server
    import harness.stack.web.stack_page  # noqa: F401 - to be there when it is needed


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
