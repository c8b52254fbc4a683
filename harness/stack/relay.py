"""A TCP relay in front of the LiveKit server's signalling that can be cut: one port for each room.

It carries signalling only; media bypasses it. While it is cut, connections are dropped at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import SplitResult, urlsplit

from harness.process.ports import LOOPBACK

CHUNK_BYTES = 1 << 16
LINGER_S = 30.0  # seconds that a relay stays up after the agent has left: the caller may still be there


class Relay:
    """One room's relay, created by `start`."""

    def __init__(self, target: SplitResult) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._cut = False
        self._mending: asyncio.TimerHandle | None = None
        self.url = ""

    @classmethod
    async def start(cls, url: str) -> Relay:
        """Listens on a free port of 127.0.0.1, in front of the server at `url`.

        Raises:
            OSError: No port is available.
        """
        relay = cls(urlsplit(url))
        relay._server = await asyncio.start_server(relay._take, LOOPBACK, 0)
        port = int(relay._server.sockets[0].getsockname()[1])
        relay.url = relay._target._replace(netloc=f"{LOOPBACK}:{port}").geturl()
        return relay

    def cut(self, lasts_s: float | None) -> None:
        """Drops all connections, and refuses new ones for `lasts_s` seconds; None for ever."""
        self._drop()
        if lasts_s is not None:
            self._mending = asyncio.get_running_loop().call_later(lasts_s, self._mend)

    def _drop(self) -> None:
        self._cut = True
        for writer in self._writers:
            writer.transport.abort()

    def _mend(self) -> None:
        self._cut = False

    async def close(self) -> None:
        """Closes the port and all connections. Never raises."""
        if self._mending is not None:
            self._mending.cancel()
        if self._server is not None:
            self._server.close()
        self._drop()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._links.add(task)
            task.add_done_callback(self._links.discard)
        writers = [writer]
        self._writers.add(writer)
        try:
            if self._cut:
                return
            with contextlib.suppress(OSError):
                theirs, to_server = await asyncio.open_connection(self._target.hostname, self._target.port)
                writers.append(to_server)
                if self._cut:
                    return
                self._writers.add(to_server)
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pass_on(reader, to_server))
                    group.create_task(_pass_on(theirs, writer))
        finally:
            self._writers.difference_update(writers)
            for one in writers:
                one.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies data until one side ends, then closes the other."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


class Relays:
    """The relays of all rooms that have one.

    Args:
        url: The server's own URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._relays: dict[str, Relay] = {}
        self._lingering: set[asyncio.Task[None]] = set()

    async def url_for(self, room: str) -> str:
        """The URL to which the caller of that room connects; starts the room's relay if needed.

        Raises:
            OSError: No port is available.
        """
        if room not in self._relays:
            self._relays[room] = await Relay.start(self._url)
        return self._relays[room].url

    def cut(self, room: str, lasts_s: float | None) -> None:
        """Cuts the room's relay, if it has one."""
        if room in self._relays:
            self._relays[room].cut(lasts_s)

    def over(self, room: str) -> None:
        """Closes the relay of a room that its agent has left, after `LINGER_S`."""
        relay = self._relays.pop(room, None)
        if relay is not None:
            lingering = asyncio.create_task(_linger(relay))
            self._lingering.add(lingering)
            lingering.add_done_callback(self._lingering.discard)

    async def close(self) -> None:
        """Closes all relays."""
        for lingering in self._lingering:
            lingering.cancel()
        await asyncio.gather(*self._lingering, return_exceptions=True)
        for relay in self._relays.values():
            await relay.close()


async def _linger(relay: Relay) -> None:
    try:
        await asyncio.sleep(LINGER_S)
    finally:
        await relay.close()
