"""A TCP relay of the tests' own: it stands before a server, at another address, and can be cut."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Relay:
    """Carries each connection to it to a server on 127.0.0.1.

    Attributes:
        url: Where it is, `ws://`.
        port: Its port.
        accepted: How many connections came.
    """

    def __init__(self, to_port: int) -> None:
        self.url = ""
        self.port = 0
        self.accepted = 0
        self._to_port = to_port
        self._host = ""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, host: str) -> None:
        """Takes connections, after `stop` again at the same port."""
        self._host = host
        self._server = await asyncio.start_server(self.carry, host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://[{host}]:{self.port}" if ":" in host else f"ws://{host}:{self.port}"

    async def stop(self) -> None:
        """Takes none any more, and cuts those that are there."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Cuts all connections, both ways, without a word."""
        for writer in self._writers:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one."""
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            for one in (writer, far_writer):
                self._writers.discard(one)
                one.transport.abort()
            self._tasks.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def relaying(to_url: str, host: str = "127.0.0.1") -> AsyncIterator[Relay]:
    """A relay before the server at `to_url`."""
    relay = Relay(int(to_url.rsplit(":", 1)[1]))
    await relay.begin(host)
    try:
        yield relay
    finally:
        await relay.stop()
