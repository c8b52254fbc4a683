"""An HTTP proxy of the tests' own: it writes down what it is asked, and takes every host for 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

NAMES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


class TestProxy:
    """See the module.

    Attributes:
        asked: The first lines of what came, as `CONNECT host:443`.
        authorizations: The header `Proxy-Authorization` of each; empty where there was none.
        refuses: The status to answer with, instead of letting anybody through.
    """

    __test__ = False

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.refuses = ""
        self.address = ""
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """For a variable."""
        return f"http://{self.address}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            writer.close()
            self.tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        method, target, version = first.split(" ")
        self.asked.append(f"{method} {target}")
        fields = {name.lower(): value for name, _, value in (header.partition(": ") for header in headers)}
        self.authorizations.append(fields.get("proxy-authorization", ""))
        if self.refuses:
            writer.write(f"HTTP/1.1 {self.refuses}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
            return
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", parts.port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            origin = parts.path + (f"?{parts.query}" if parts.query else "")
            far_writer.write("\r\n".join([f"{method} {origin} {version}", *headers, "", ""]).encode("latin-1"))
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def proxying() -> AsyncIterator[TestProxy]:
    """A proxy that runs."""
    proxy = TestProxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        for task in list(proxy.tasks):
            task.cancel()
        await asyncio.gather(*proxy.tasks, return_exceptions=True)
