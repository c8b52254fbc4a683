"""The way to the server that can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from harness.stack.relay import Relays

ROOM = "call-1"
Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def relays() -> AsyncIterator[Relays]:
    """In front of a server that says back what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    relays = Relays(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    yield relays
    await relays.close()
    server.close()


async def connect(relays: Relays, room: str = ROOM) -> Link:
    url = urlsplit(await relays.url_for(room))
    assert url.scheme == "ws"
    return await asyncio.open_connection(url.hostname, url.port)


async def answers(link: Link) -> bool:
    """Whether the server is there, at the link's other end."""
    reader, writer = link
    try:
        writer.write(b"are you there\n")
        async with asyncio.timeout(5):
            return await reader.readline() == b"are you there\n"
    except ConnectionError:
        return False


async def test_what_is_said_goes_through(relays: Relays) -> None:
    assert await answers(await connect(relays))
    assert await relays.url_for(ROOM) == await relays.url_for(ROOM)


async def test_a_cut_drops_what_there_is_and_what_comes_but_no_other_rooms(relays: Relays) -> None:
    before, other = await connect(relays), await connect(relays, "call-2")
    assert await answers(before)
    relays.cut(ROOM, None)
    assert not await answers(before)
    assert not await answers(await connect(relays))
    assert await answers(other)


async def test_after_a_cut_connections_go_through_again(relays: Relays) -> None:
    before = await connect(relays)
    relays.cut(ROOM, 0.2)
    assert not await answers(before)
    async with asyncio.timeout(5):
        while not await answers(await connect(relays)):
            pass
