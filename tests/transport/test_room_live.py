"""Rooms on a real LiveKit server, both sides on this transport: what one sends, the other gets; and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import re
from itertools import pairwise

import numpy as np
import psutil
import pytest
from livekit.api import DeleteRoomRequest, RoomParticipantIdentity

from harness.clock import SystemClock
from harness.errors import RoomFailure
from harness.process.ports import free_tcp_port
from harness.secret import Secret
from harness.stack.livekit_server import find_server, start_server
from harness.stack.tokens import LiveKitKeys, agent_token, caller_token
from harness.transport.hub import TransportHub
from harness.transport.opus import encode
from harness.transport.room import Room
from harness.transport.rtp import RtpPacket
from tests.transport.rooms import WITHIN_S, Seen, serving, soon, speak, token_with

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_what_one_side_says_and_writes_comes_to_the_other(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("both")
        payloads = encode((np.random.default_rng(1).normal(0, 3000, 48_000)).astype(np.int16))
        async with server.joined(agent_token(server.keys, name, "the-agent")) as (agent, agent_seen):
            publication = await agent.publish()
            async with server.joined(caller_token(server.keys, name, "caller")) as (caller, seen):
                there = await soon(seen.participants)
                assert (there.identity, there.is_agent) == ("the-agent", True)
                came = await soon(agent_seen.participants)
                assert (came.identity, came.is_agent) == ("caller", False)
                assert await soon(agent_seen.active) == "caller"
                await soon(agent_seen.heard)
                track = await soon(seen.tracks)
                assert (track.identity, track.sid, track.is_encrypted) == ("the-agent", publication.sid, False)

                heard: list[tuple[RtpPacket, int]] = []
                whole = asyncio.Event()

                def on_rtp(packet: RtpPacket, came_ns: int) -> None:
                    heard.append((packet, came_ns))
                    if len(heard) == len(payloads):
                        whole.set()

                caller.listen(track, on_rtp)
                speak(server, publication, payloads)
                await asyncio.wait_for(whole.wait(), WITHIN_S)
                assert [packet.payload for packet, _ in heard] == payloads
                steps = {(b.timestamp - a.timestamp) % 2**32 for (a, _), (b, _) in pairwise(heard)}
                assert steps == {960}
                times = [came_ns for _, came_ns in heard]
                assert times == sorted(times)
                assert caller.rtt_ms is not None

                await caller.publish()
                caller.send_data("voice.user_text", b"hello")
                assert await soon(agent_seen.data) == ("voice.user_text", b"hello", "caller")
                agent.send_data("voice.reply", b"{}" * 5000)  # more than a packet holds
                assert await soon(seen.data) == ("voice.reply", b"{}" * 5000, "the-agent")
            assert await soon(agent_seen.gone) == "caller"
        assert agent_seen.ended.empty()
        assert seen.ended.empty()


async def test_after_leaving_nothing_is_left(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("nothing-left")
        process = psutil.Process()
        tasks, sockets = asyncio.all_tasks(), len(process.net_connections())
        async with server.joined(caller_token(server.keys, name, "caller")) as (room, _):
            await room.publish()
            assert server.hub.port.sockets == 2
        await room.close()
        assert server.hub.port.sockets == 0
        assert asyncio.all_tasks() == tasks
        assert len(process.net_connections()) == sockets
        with pytest.raises(ConnectionError):
            room.send_data("x", b"y")


async def test_an_agent_that_leaves_and_one_that_comes_back_are_told(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("comes-and-goes")
        async with server.joined(caller_token(server.keys, name, "caller")) as (_, seen):
            for _ in range(2):
                async with server.joined(agent_token(server.keys, name, "the-agent")) as (agent, _):
                    await agent.publish()
                    assert (await soon(seen.participants)).identity == "the-agent"
                    track = await soon(seen.tracks)
                assert await soon(seen.gone) == "the-agent"
                assert await soon(seen.tracks_gone) == track
            assert seen.ended.empty()


async def test_a_room_that_is_ended_and_a_caller_that_is_removed(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("ended")
        async with server.joined(caller_token(server.keys, name, "caller")) as (_, seen):
            await server.api.room.delete_room(DeleteRoomRequest(room=name))
            assert await soon(seen.ended) == ("the room was deleted (room_deleted)", True)
        name = await server.room("removed")
        async with server.joined(caller_token(server.keys, name, "caller")) as (room, seen):
            await server.api.room.remove_participant(RoomParticipantIdentity(room=name, identity="caller"))
            assert await soon(seen.ended) == ("we were removed from the room (participant_removed)", True)
            with pytest.raises(ConnectionError):
                room.send_data("x", b"y")
            assert seen.ended.empty()


async def test_someone_else_with_the_same_name_takes_our_place(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("twice")
        token = caller_token(server.keys, name, "caller")
        async with server.joined(token) as (_, seen), server.joined(token):
            reason, by_service = await soon(seen.ended)
            assert reason.startswith("another participant joined with the same identity `caller` (duplicate_identity)")
            assert not by_service


async def test_a_server_that_dies_is_a_lost_room() -> None:
    running = await start_server(await find_server(say=print))
    async with serving(running.keys) as server:
        name = await server.room("dies")
        async with server.joined(caller_token(server.keys, name, "caller")) as (room, seen):
            await room.publish()
            await running.stop()
            _, by_service = await soon(seen.ended)
            assert not by_service
            assert seen.ended.empty()


async def test_what_the_token_does_not_allow(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("refused")
        expired = caller_token(server.keys, name, "caller", ttl_s=-600)
        elsewhere = caller_token(server.keys, "a-room-that-is-not-there", "caller")
        stranger = LiveKitKeys(server.keys.url, server.keys.api_key, Secret("x" * 40))
        for token in (expired, elsewhere, caller_token(stranger, name, "caller"), Secret("no token at all")):
            with pytest.raises(RoomFailure) as failure:
                await Room.connect(server.hub, server.keys.url, token, Seen(), timeout_s=WITHIN_S)
            assert failure.value.kind == "room.refused"
            assert re.search(r"the server answered 40[14]: \w+", failure.value.what)
            assert token.reveal() not in str(failure.value)
        async with server.joined(token_with(server.keys, name, can_publish=False)) as (room, _):
            with pytest.raises(RoomFailure, match="does the token allow publishing") as failure:
                await room.publish()
            assert failure.value.kind == "room.publish_failed"


async def test_an_address_at_which_there_is_no_server(livekit_keys: LiveKitKeys) -> None:
    hub = TransportHub(SystemClock())
    token = caller_token(livekit_keys, "x", "caller")
    with pytest.raises(RoomFailure) as failure:
        await Room.connect(hub, f"ws://127.0.0.1:{free_tcp_port()}", token, Seen(), timeout_s=WITHIN_S)
    assert failure.value.kind == "room.unreachable"

    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(RoomFailure) as failure:
        await Room.connect(hub, f"ws://127.0.0.1:{port}", token, Seen(), timeout_s=0.3)
    assert failure.value.kind == "room.timeout"
    silent.close()


async def test_a_join_that_is_cancelled_leaves_nothing(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("cancelled")
        before = asyncio.all_tasks()
        for turns in (1, 5, 20, 60, 200):
            token = caller_token(server.keys, name, f"caller-{turns}")
            joining = asyncio.ensure_future(
                Room.connect(server.hub, server.keys.url, token, Seen(), timeout_s=WITHIN_S)
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            joining.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await (await joining).close()
        assert server.hub.port.sockets == 0
        assert asyncio.all_tasks() == before


async def test_twenty_join_at_once(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        names = [await server.room(f"many-{number}") for number in range(20)]
        hub = server.hub
        seen = [Seen() for _ in names]
        rooms = await asyncio.gather(
            *(
                Room.connect(hub, server.keys.url, caller_token(server.keys, name, "caller"), one, timeout_s=WITHIN_S)
                for name, one in zip(names, seen, strict=True)
            )
        )
        await asyncio.wait_for(asyncio.gather(*(room.publish() for room in rooms)), WITHIN_S)
        assert hub.port.sockets == 40
        await asyncio.gather(*(room.close() for room in rooms))
        assert hub.port.sockets == 0
        assert all(one.ended.empty() for one in seen)
