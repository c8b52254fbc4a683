"""Signalling by one address family, media by the other, as behind a front that has both."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from harness.stack.tokens import LiveKitKeys, agent_token, caller_token
from harness.transport.opus import encode
from harness.transport.room import Room
from harness.transport.rtp import RtpPacket
from tests.transport.relay import relaying
from tests.transport.rooms import WITHIN_S, Seen, serving, soon, speak

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_signalling_by_ipv6_and_media_by_ipv4(livekit_keys: LiveKitKeys) -> None:
    payloads = encode((np.random.default_rng(1).normal(0, 3000, 9_600)).astype(np.int16))
    async with serving(livekit_keys) as server, relaying(livekit_keys.url, "::1") as relay:
        assert relay.url.startswith("ws://[::1]:")
        name = await server.room("families")
        async with server.joined(agent_token(server.keys, name, "the-agent")) as (agent, agent_seen):
            publication = await agent.publish()
            seen = Seen()
            token = caller_token(server.keys, name, "caller")
            room = await Room.connect(server.hub, relay.url, token, seen, timeout_s=WITHIN_S)
            room.greet_present()
            track = await soon(seen.tracks)
            heard: list[bytes] = []
            whole = asyncio.Event()

            def on_rtp(packet: RtpPacket, came_ns: int) -> None:
                heard.append(packet.payload)
                if len(heard) == len(payloads):
                    whole.set()

            room.listen(track, on_rtp)
            speak(server, publication, payloads)
            await asyncio.wait_for(whole.wait(), WITHIN_S)
            assert heard == payloads
            await room.publish()
            room.send_data("voice.user_text", b"hello")
            assert await soon(agent_seen.data) == ("voice.user_text", b"hello", "caller")
            assert room.rtt_ms is not None
            # Two for each room: those of the family that was not needed are closed.
            assert server.hub.port.sockets == 4
            await room.close()
            assert server.hub.port.sockets == 2
            assert seen.ended.empty()
