"""Against WebSocket servers of the tests' own: what a server may answer instead of letting us in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web
from livekit.protocol import models, rtc

from harness.clock import SystemClock
from harness.errors import RoomFailure
from harness.process.ports import free_tcp_port
from harness.secret import Secret
from harness.transport.signalling import Signalling, signalling_url

TOKEN = Secret("eyJhbGciOiJIUzI1NiJ9.token-of-a-test")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def connect(url: str) -> Signalling:
    async with asyncio.timeout(5):
        return await Signalling.connect(url, TOKEN, SystemClock())


def answering(*messages: bytes | str, then: Handler | None = None) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in messages:
            await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
        if then is not None:
            async for frame in socket:
                if frame.type is WSMsgType.BINARY:
                    break
        await socket.close()
        return socket

    return handler


JOIN = rtc.SignalResponse(join=rtc.JoinResponse(participant=models.ParticipantInfo(identity="caller")))
LEAVE = rtc.SignalResponse(leave=rtc.LeaveRequest(reason=models.DisconnectReason.JOIN_FAILURE))


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (401, "room.refused", "expired"),
        (403, "room.refused", "expired"),
        (404, "room.refused", "this server and room"),
        (429, "room.unreachable", "at a limit"),
        (503, "room.unreachable", "at a limit"),
        (500, "room.unreachable", "the LiveKit server's log"),
        (200, "room.unreachable", "livekit_url"),
    ],
)
async def test_an_http_answer_is_told_in_the_servers_words(status: int, kind: str, hint: str) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=f"\nno more for {TOKEN.reveal()}, sk_live_1234567890ab\nfurther down")

    async with serving(handler) as url:
        with pytest.raises(RoomFailure) as failure:
            await connect(url)
    assert failure.value.kind == kind
    assert f"the server answered {status}: no more for ***, ***" in failure.value.what
    assert "further down" not in str(failure.value)
    assert hint in (failure.value.hint or "")
    assert TOKEN.reveal() not in str(failure.value)


async def test_a_limit_tells_when_to_come_again() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "7"})

    async with serving(handler) as url:
        with pytest.raises(RoomFailure, match=r"answered 429 \(Retry-After: 7\)"):
            await connect(url)


async def test_a_refusal_without_end_is_cut() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=401)
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await answer.write(b"no " * 1000)
        return answer

    async with serving(handler) as url:
        with pytest.raises(RoomFailure) as failure:
            await connect(url)
    assert failure.value.kind == "room.refused"
    assert len(failure.value.what) < 300


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        ((LEAVE.SerializeToString(),), "room.refused"),
        ((b"\xff\xff\xff junk",), "room.unreachable"),
        (("a text",), "room.unreachable"),
        ((rtc.SignalResponse(pong=1).SerializeToString(),), "room.unreachable"),
        ((), "room.unreachable"),
    ],
)
async def test_a_first_message_that_is_no_join(messages: tuple[bytes | str, ...], kind: str) -> None:
    async with serving(answering(*messages)) as url:
        with pytest.raises(RoomFailure) as failure:
            await connect(url)
    assert failure.value.kind == kind


@pytest.mark.parametrize(
    "url", ["", "not a url", "ftp://host", "ws://", "ws://127.0.0.1:1", "ws://[::1", "ws://host:port"]
)
async def test_an_address_at_which_there_is_nothing(url: str) -> None:
    with pytest.raises(RoomFailure) as failure:
        await connect(url)
    assert failure.value.kind == "room.unreachable"


async def test_the_token_goes_in_a_header_and_in_no_url() -> None:
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await answering(JOIN.SerializeToString())(request)

    async with serving(handler) as url:
        line = await connect(url)
        await line.close()
        await line.close()
    assert seen[0].headers["Authorization"] == f"Bearer {TOKEN.reveal()}"
    assert TOKEN.reveal() not in str(seen[0].url)
    assert "auto_subscribe=1" in str(seen[0].url)


async def test_what_cannot_be_read_is_passed_over_and_the_end_is_told() -> None:
    update = rtc.SignalResponse(update=rtc.ParticipantUpdate())
    messages = (JOIN.SerializeToString(), b"\xff junk", "a text", b"", update.SerializeToString())
    async with serving(answering(*messages)) as url:
        line = await connect(url)
        heard = [response.WhichOneof("message") async for response in line.responses()]
        assert "update" in heard
        assert line.lost
        await line.send(ping=1)  # nobody is there: nothing happens
        await line.close()


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("ws://host:7880", "ws://host:7880/rtc?"),
        ("wss://host/", "wss://host/rtc?"),
        ("https://host/prefix/", "wss://host/prefix/rtc?"),
        ("http://host/rtc", "ws://host/rtc?"),
    ],
)
def test_where_the_websocket_is(url: str, begins: str) -> None:
    assert signalling_url(url).startswith(begins)
