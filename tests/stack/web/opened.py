"""The stack's page as a browser's program sees it, without a stack: the test says what happens to its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from harness.secret import Secret
from harness.stack.page_server import PageServer
from harness.stack.service.store import Store
from harness.stack.tokens import LiveKitKeys
from harness.stack.web.live_calls import LiveCalls
from harness.stack.web.options import PageOptions
from harness.stack.web.runs import Runs
from harness.stack.web.stack_page import StackPage

KEY = Secret("sk_canary-of-the-stacks-page-0123456789")
KEYS = LiveKitKeys("ws://127.0.0.1:7", "APItest", Secret("a-secret-of-more-than-thirty-two-characters"))
SESSIONS = "http://127.0.0.1:9/api/agents/agent-session/"
PATIENCE_S = 20


@dataclass
class Page:
    """A served page.

    Attributes:
        url: Of the server, without a slash at its end.
        calls: The stack's calls.
        orders: What the agents' process was told: a room, and whether its frames are to be reported.
        unwatched: Set once it was told that they are not.
    """

    url: str
    http: aiohttp.ClientSession
    store: Store
    calls: LiveCalls
    orders: list[tuple[str, bool]] = field(default_factory=list)
    unwatched: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def followed(self, **more: Any) -> AsyncIterator[Socket]:
        """The page's WebSocket."""
        async with self.http.ws_connect(f"{self.url}/stack/live", **more) as socket:
            yield Socket(socket)


@dataclass
class Socket:
    """The page's side of its WebSocket."""

    socket: aiohttp.ClientWebSocketResponse
    texts: list[str] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)

    async def look(self, **at: Any) -> None:
        await self.socket.send_json(at)

    async def told(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next message of that type with these fields; others of the type are passed over, those of others kept."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                told = await self._next(kind)
                if told.items() >= fields.items():
                    return told

    async def _next(self, kind: str) -> dict[str, Any]:
        while not (waiting := [told for told in self.kept if told["type"] == kind]):
            message = await self.socket.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, message
            self.texts.append(message.data)
            self.kept.append(message.json())
        self.kept.remove(waiting[0])
        return waiting[0]


@asynccontextmanager
async def opened(built: Path, *, runs: Path | None = None, password: Secret | None = None) -> AsyncIterator[Page]:
    """Serves the page, and the call page beside it."""
    store = Store.in_memory()
    orders: list[tuple[str, bool]] = []
    unwatched = asyncio.Event()

    async def watch(room: str, on: bool) -> None:
        orders.append((room, on))
        if not on:
            unwatched.set()

    calls = LiveCalls(watch)
    stack = StackPage(calls, store, KEYS, None if runs is None else Runs(runs), [KEY, KEYS.api_secret])
    server = await PageServer.start(
        session_url=SESSIONS,
        api_key=KEY,
        built=built,
        options=PageOptions(backend=True, web=True),
        password=password,
        stack=stack,
    )
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Page(server.url.rstrip("/"), http, store, calls, orders, unwatched)
    await server.close()
    store.close()
