"""A signalling connection that is lost while media lives: made again, or told as lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from livekit.api import RoomParticipantIdentity
from livekit.protocol import models, rtc

from harness.process.ports import free_tcp_port
from harness.stack.tokens import LiveKitKeys, agent_token, caller_token
from harness.transport.opus import silence
from harness.transport.publication import Publication
from harness.transport.room import Room
from harness.transport.room_events import RemoteTrack
from harness.transport.rtp import RtpPacket
from tests.transport.relay import relaying
from tests.transport.rooms import WITHIN_S, Seen, Server, serving, soon

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


class Stream:
    """Sends without end by the pacer, and counts at the other side what came."""

    def __init__(self, server: Server, publication: Publication) -> None:
        self._server = server
        self._publication = publication
        self.came: asyncio.Queue[int] = asyncio.Queue()
        server.hub.pacer.add_sender(self._send)

    def _send(self, due_ns: int, now_ns: int) -> None:
        self._publication.send(silence(), lambda left_ns: None)

    def heard(self, packet: RtpPacket, came_ns: int) -> None:
        self.came.put_nowait(packet.sequence)

    async def flows(self, packets: int = 10) -> None:
        """Returns when so many more have come."""
        while not self.came.empty():
            self.came.get_nowait()
        for _ in range(packets):
            await soon(self.came)

    def end(self) -> None:
        self._server.hub.pacer.remove(self._send)


class Both:
    """An agent at the server, and a caller by some other way to it; both send and hear."""

    def __init__(self, server: Server, room: str, caller: tuple[Room, Seen], agent: tuple[Room, Seen]) -> None:
        self.server, self.room = server, room
        self.caller, self.seen = caller
        self.agent, self.agent_seen = agent
        self.down: Stream
        self.up: Stream

    async def begin(self) -> None:
        self.down = Stream(self.server, await self.agent.publish())
        self.caller.listen(await soon(self.seen.tracks), self.down.heard)
        self.up = Stream(self.server, await self.caller.publish())
        track: RemoteTrack = await soon(self.agent_seen.tracks)
        self.agent.listen(track, self.up.heard)
        await self.flows()

    async def flows(self) -> None:
        """Returns when audio and data have come over, both ways."""
        await self.down.flows()
        await self.up.flows()
        self.caller.send_data("up", b"1")
        assert await soon(self.agent_seen.data) == ("up", b"1", "caller")
        self.agent.send_data("down", b"2")
        assert await soon(self.seen.data) == ("down", b"2", "the-agent")


@asynccontextmanager
async def both(server: Server, room: str, url: str, *, resume_within_s: float = 10.0) -> AsyncIterator[Both]:
    name = await server.room(room)
    seen = Seen()
    async with server.joined(agent_token(server.keys, name, "the-agent")) as (agent, agent_seen):
        token = caller_token(server.keys, name, "caller")
        caller = await Room.connect(server.hub, url, token, seen, timeout_s=WITHIN_S, resume_within_s=resume_within_s)
        caller.greet_present()
        pair = Both(server, name, (caller, seen), (agent, agent_seen))
        try:
            await pair.begin()
            yield pair
        finally:
            for stream in (pair.up, pair.down):
                stream.end()
            await caller.close()


async def test_a_cut_is_resumed_and_media_goes_on(livekit_keys: LiveKitKeys) -> None:
    async with (
        serving(livekit_keys) as server,
        relaying(livekit_keys.url) as relay,
        both(server, "cut", relay.url) as pair,
    ):
        assert (await soon(pair.seen.participants)).identity == "the-agent"
        for _ in range(2):
            relay.cut()
            kind, why = await soon(pair.seen.line)
            assert kind == "reconnecting"
            assert "signalling connection" in why
            assert await soon(pair.seen.line) == ("reconnected", "signalling and the way of media")
            await pair.flows()
        assert relay.accepted == 3
        # Nobody came or went: not for us, and not for the agent.
        for seen in (pair.seen, pair.agent_seen):
            assert seen.gone.empty()
            assert seen.tracks_gone.empty()
            assert seen.tracks.empty()
            assert seen.ended.empty()
        assert pair.seen.participants.empty()
        # And what comes later is told as ever.
        async with server.joined(agent_token(server.keys, pair.room, "another")):
            assert (await soon(pair.seen.participants)).identity == "another"
        assert await soon(pair.seen.gone) == "another"


async def test_who_left_meanwhile_is_told_as_gone(livekit_keys: LiveKitKeys) -> None:
    async with (
        serving(livekit_keys) as server,
        relaying(livekit_keys.url) as relay,
        both(server, "left-meanwhile", relay.url) as pair,
    ):
        await relay.stop()
        assert (await soon(pair.seen.line))[0] == "reconnecting"
        identity = RoomParticipantIdentity(room=pair.room, identity="the-agent")
        await server.api.room.remove_participant(identity)
        assert (await soon(pair.agent_seen.ended))[1]
        assert pair.seen.gone.empty()
        await relay.begin("127.0.0.1")
        assert (await soon(pair.seen.line))[0] == "reconnected"
        assert await soon(pair.seen.gone) == "the-agent"
        assert await soon(pair.seen.tracks_gone)


async def test_a_server_that_stays_away_is_a_lost_line(livekit_keys: LiveKitKeys) -> None:
    async with (
        serving(livekit_keys) as server,
        relaying(livekit_keys.url) as relay,
        both(server, "away", relay.url, resume_within_s=0.5) as pair,
    ):
        await relay.stop()
        assert (await soon(pair.seen.line))[0] == "reconnecting"
        reason, by_service = await soon(pair.seen.ended)
        assert not by_service
        assert reason.startswith(
            "the line was lost (the signalling connection was closed) and not resumed within 0.5 s"
        )
        assert "ClientConnectorError" in reason
        assert pair.seen.line.empty()


async def test_a_stay_that_the_server_has_ended_meanwhile_is_a_lost_line(livekit_keys: LiveKitKeys) -> None:
    async with (
        serving(livekit_keys) as server,
        relaying(livekit_keys.url) as relay,
        both(server, "ended-meanwhile", relay.url) as pair,
    ):
        await relay.stop()
        assert (await soon(pair.seen.line))[0] == "reconnecting"
        await server.api.room.remove_participant(RoomParticipantIdentity(room=pair.room, identity="caller"))
        assert await soon(pair.agent_seen.gone) == "caller"
        await relay.begin("127.0.0.1")
        reason, by_service = await soon(pair.seen.ended)
        assert not by_service
        assert "not resumed" in reason
        assert "state_mismatch" in reason


async def test_hanging_up_while_it_is_made_again_leaves_nothing(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server, relaying(livekit_keys.url) as relay:
        async with both(server, "hang-up", relay.url) as pair:
            await relay.stop()
            assert (await soon(pair.seen.line))[0] == "reconnecting"
            await pair.caller.close()
        assert server.hub.port.sockets == 0
        assert pair.seen.ended.empty()


async def test_a_room_that_does_not_resume_is_lost_at_once(livekit_keys: LiveKitKeys) -> None:
    async with (
        serving(livekit_keys) as server,
        relaying(livekit_keys.url) as relay,
        both(server, "does-not", relay.url, resume_within_s=0) as pair,
    ):
        relay.cut()
        reason, by_service = await soon(pair.seen.ended)
        assert (reason, by_service) == ("the signalling connection was closed", False)
        assert pair.seen.line.empty()


async def test_a_server_that_asks_us_to_resume(livekit_keys: LiveKitKeys) -> None:
    leave = rtc.LeaveRequest(action=rtc.LeaveRequest.RESUME, reason=models.DisconnectReason.CONNECTION_TIMEOUT)
    async with (
        serving(livekit_keys) as server,
        between(livekit_keys.url) as (url, say),
        both(server, "asked", url) as pair,
    ):
        say.put_nowait(rtc.SignalResponse(leave=leave).SerializeToString())
        assert await soon(pair.seen.line) == ("reconnecting", "the connection timed out (connection_timeout)")
        assert await soon(pair.seen.line) == ("reconnected", "signalling and the way of media")
        await pair.flows()
        leave.action = rtc.LeaveRequest.RECONNECT
        say.put_nowait(rtc.SignalResponse(leave=leave).SerializeToString())
        reason, by_service = await soon(pair.seen.ended)
        assert not by_service
        assert reason.endswith("the server asks us to join again, which the light engine does not do")


@asynccontextmanager
async def between(to_url: str) -> AsyncIterator[tuple[str, asyncio.Queue[bytes]]]:
    """A front that carries WebSockets to a server, and says to the client what is put in the queue."""
    say: asyncio.Queue[bytes] = asyncio.Queue()

    async def speak(socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_bytes(await say.get())

    async def carry(reader: aiohttp.ClientWebSocketResponse | web.WebSocketResponse, writer: object) -> None:
        async for frame in reader:
            if frame.type is WSMsgType.BINARY:
                await writer.send_bytes(frame.data)  # type: ignore[attr-defined]
        await writer.close()  # type: ignore[attr-defined]

    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async with aiohttp.ClientSession(headers={"Authorization": request.headers["Authorization"]}) as http:
            far = await http.ws_connect(f"{to_url}{request.rel_url}")
            speaking = asyncio.ensure_future(speak(socket))
            with contextlib.suppress(ConnectionError):
                await asyncio.gather(carry(socket, far), carry(far, socket))
            speaking.cancel()
        return socket

    app = web.Application()
    app.router.add_get("/rtc", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"ws://127.0.0.1:{port}", say
    finally:
        await runner.cleanup()
