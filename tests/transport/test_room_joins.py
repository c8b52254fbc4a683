"""Joins that the server ends before media came: told at once, in its words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from livekit.protocol import models, rtc

from harness.clock import SystemClock
from harness.errors import RoomFailure
from harness.process.ports import free_tcp_port
from harness.secret import Secret
from harness.stack.tokens import LiveKitKeys, caller_token
from harness.transport.hub import TransportHub
from harness.transport.room import Room
from tests.transport.rooms import WITHIN_S, Seen, serving, soon, token_with

PERMISSION = models.ParticipantPermission(can_subscribe=True, can_publish=True, can_publish_data=True)
JOIN = rtc.JoinResponse(
    participant=models.ParticipantInfo(identity="caller", sid="PA_1", permission=PERMISSION), subscriber_primary=True
)
After = Callable[[web.WebSocketResponse], Awaitable[object]]


@asynccontextmanager
async def letting_in(then: After) -> AsyncIterator[str]:
    """A server that answers the join, and then does this."""

    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_bytes(rtc.SignalResponse(join=JOIN).SerializeToString())
        await then(socket)
        return socket

    app = web.Application()
    app.router.add_get("/rtc", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def leaving(reason: models.DisconnectReason.ValueType) -> After:
    leave = rtc.SignalResponse(leave=rtc.LeaveRequest(reason=reason))
    return lambda socket: socket.send_bytes(leave.SerializeToString())


@pytest.mark.parametrize(
    ("then", "kind", "words", "hint"),
    [
        (
            leaving(models.DisconnectReason.DUPLICATE_IDENTITY),
            "room.refused",
            "another participant joined with the same identity `caller`",
            "check that the session service gives each caller its own identity",
        ),
        (leaving(models.DisconnectReason.ROOM_DELETED), "room.refused", "the room was deleted", "what deletes"),
        (leaving(models.DisconnectReason.SERVER_SHUTDOWN), "room.unreachable", "is shutting down", "when it is back"),
        (
            lambda socket: socket.close(),
            "room.unreachable",
            "signalling connection was closed",
            "is the LiveKit server well",
        ),
    ],
)
async def test_a_join_that_the_server_ends(then: After, kind: str, words: str, hint: str) -> None:
    seen, hub = Seen(), TransportHub(SystemClock())
    async with letting_in(then) as url:
        with pytest.raises(RoomFailure) as failure:
            # Far less than a test may take: it must not be waited out.
            await asyncio.wait_for(Room.connect(hub, url, Secret("a-token-of-tests"), seen, timeout_s=3600), WITHIN_S)
    assert failure.value.kind == kind
    assert words in failure.value.what
    assert hint in (failure.value.hint or "")
    assert seen.ended.empty()
    assert hub.port.sockets == 0


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="session")
async def test_where_nothing_may_be_received_a_join_does_not_wait_for_media(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("deaf")
        token = token_with(server.keys, name, can_publish=True, can_subscribe=False, can_publish_data=True)
        async with server.joined(caller_token(server.keys, name, "other")) as (_, other):
            async with server.joined(token) as (room, seen):
                assert not room.rights.subscribe
                assert (await soon(other.participants)).identity == "caller"
                await room.publish()
                assert (await soon(other.tracks)).identity == "caller"
                room.send_data("voice.user_text", b"hello")
                assert await soon(other.data) == ("voice.user_text", b"hello", "caller")
                assert seen.ended.empty()
            assert await soon(other.gone) == "caller"
