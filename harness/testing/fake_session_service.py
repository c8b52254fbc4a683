"""A session service on 127.0.0.1 that sends scripted answers and records the requests it received.

It implements HTTP by hand, so that it can misbehave in ways that no web framework allows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.secret import MASK
from harness.testing.scripted import ScriptedAnswer, good_session

PATH = "/api/agents/agent-session/"
_SHOWN_HEADERS = frozenset({"host", "content-type", "content-length", "accept", "user-agent"})

Script = ScriptedAnswer | Sequence[ScriptedAnswer] | Callable[["ReceivedRequest"], ScriptedAnswer]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request: its method, its target as in the request line, headers (names in lower case), body."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: It is not JSON.
        """
        return json.loads(self.body)

    def __repr__(self) -> str:
        headers = {name: value if name in _SHOWN_HEADERS else MASK for name, value in self.headers.items()}
        return f"ReceivedRequest({self.method} {self.target}, {headers}, {self.body!r})"


class FakeSessionService:
    """An async context manager; `url` is the endpoint, `requests` are those received.

    Args:
        answer: One answer for all requests; several, given in order, the last one repeated; or a function from the
            request to its answer. A good session by default.
    """

    def __init__(self, answer: Script | None = None) -> None:
        self._script: Script = answer if answer is not None else good_session()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Condition()
        self.requests: list[ReceivedRequest] = []

    @property
    def base_url(self) -> str:
        """Scheme, host and port, without a trailing slash."""
        if self._server is None:
            raise RuntimeError("the fake session service has not been started; use `async with`")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def url(self) -> str:
        """The endpoint's complete URL, with the contract's path."""
        return f"{self.base_url}{PATH}"

    async def wait_for_requests(self, count: int) -> None:
        """Waits until `count` requests have been received in total."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        # A client that disconnects midway is what many tests are about.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            request = await _read_request(reader)
            async with self._arrived:
                self.requests.append(request)
                answer = self._answer(request)
                self._arrived.notify_all()
            await _give(answer, reader, writer)
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    def _answer(self, request: ReceivedRequest) -> ScriptedAnswer:
        if isinstance(self._script, ScriptedAnswer):
            return self._script
        if isinstance(self._script, Sequence):
            return self._script[min(len(self.requests), len(self._script)) - 1]
        return self._script(request)


async def _read_request(reader: asyncio.StreamReader) -> ReceivedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return ReceivedRequest(method, target, headers, body)


async def _give(answer: ScriptedAnswer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if answer.delay_s:
        await asyncio.sleep(answer.delay_s)
    content = answer.content()
    if answer.manner == "no_answer":
        return
    if answer.manner == "hang":
        await reader.read()  # until the client disconnects
        return
    writer.write(answer.head())
    if answer.manner == "endless":
        while True:
            writer.write(b"%x\r\n%s\r\n" % (len(content), content))
            await writer.drain()
    if answer.manner == "drip":
        for byte in content:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(answer.drip_s)
    else:
        writer.write(content[: len(content) // 2] if answer.manner == "cut_short" else content)
    await writer.drain()
