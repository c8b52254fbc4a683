"""Rooms for tests: what they told, and a server that has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livekit.api import AccessToken, CreateRoomRequest, LiveKitAPI, VideoGrants

from harness.clock import SystemClock
from harness.secret import Secret
from harness.stack.tokens import LiveKitKeys
from harness.transport.hub import TransportHub
from harness.transport.publication import Publication
from harness.transport.room import Room
from harness.transport.room_events import Participant, RemoteTrack

WITHIN_S = 20


class Seen:
    """What a room told, by what it was."""

    def __init__(self) -> None:
        self.participants: asyncio.Queue[Participant] = asyncio.Queue()
        self.active: asyncio.Queue[str] = asyncio.Queue()
        self.heard: asyncio.Queue[int] = asyncio.Queue()
        self.gone: asyncio.Queue[str] = asyncio.Queue()
        self.tracks: asyncio.Queue[RemoteTrack] = asyncio.Queue()
        self.tracks_gone: asyncio.Queue[RemoteTrack] = asyncio.Queue()
        self.data: asyncio.Queue[tuple[str, bytes, str | None]] = asyncio.Queue()
        self.ended: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self.changed: asyncio.Queue[Participant] = asyncio.Queue()
        self.muted: asyncio.Queue[tuple[RemoteTrack, bool]] = asyncio.Queue()
        self.line: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def participant_came(self, t_ns: int, participant: Participant) -> None:
        self.participants.put_nowait(participant)

    def participant_changed(self, t_ns: int, participant: Participant) -> None:
        self.changed.put_nowait(participant)

    def participant_active(self, t_ns: int, identity: str) -> None:
        self.active.put_nowait(identity)

    def microphone_heard(self, t_ns: int) -> None:
        self.heard.put_nowait(t_ns)

    def participant_went(self, t_ns: int, identity: str) -> None:
        self.gone.put_nowait(identity)

    def track_came(self, t_ns: int, track: RemoteTrack) -> None:
        self.tracks.put_nowait(track)

    def track_went(self, t_ns: int, track: RemoteTrack) -> None:
        self.tracks_gone.put_nowait(track)

    def track_muted(self, t_ns: int, track: RemoteTrack, muted: bool) -> None:
        self.muted.put_nowait((track, muted))

    def reconnecting(self, t_ns: int, why: str) -> None:
        self.line.put_nowait(("reconnecting", why))

    def reconnected(self, t_ns: int, how: str) -> None:
        self.line.put_nowait(("reconnected", how))

    def data_came(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        self.data.put_nowait((topic, payload, identity))

    def disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        self.ended.put_nowait((reason, by_service))


async def soon(queue: asyncio.Queue):  # type: ignore[type-arg,no-untyped-def] # of whatever it holds
    return await asyncio.wait_for(queue.get(), WITHIN_S)


class Server:
    """A server's rooms."""

    def __init__(self, keys: LiveKitKeys, api: LiveKitAPI) -> None:
        self.keys = keys
        self.api = api
        self.hub = TransportHub(SystemClock())

    async def room(self, name: str) -> str:
        await self.api.room.create_room(CreateRoomRequest(name=name))
        return name

    @asynccontextmanager
    async def joined(self, token: Secret) -> AsyncIterator[tuple[Room, Seen]]:
        seen = Seen()
        room = await Room.connect(self.hub, self.keys.url, token, seen, timeout_s=WITHIN_S)
        room.greet_present()
        try:
            yield room, seen
        finally:
            await room.close()


@asynccontextmanager
async def serving(keys: LiveKitKeys) -> AsyncIterator[Server]:
    api = LiveKitAPI(keys.url.replace("ws", "http"), keys.api_key, keys.api_secret.reveal())
    try:
        yield Server(keys, api)
    finally:
        await api.aclose()


def speak(server: Server, publication: Publication, payloads: list[bytes]) -> None:
    """Sends these packets by the pacer, and then nothing."""
    left = list(payloads)

    def send(due_ns: int, now_ns: int) -> None:
        if left:
            publication.send(left.pop(0), lambda left_ns: None)
        else:
            server.hub.pacer.remove(send)

    server.hub.pacer.add_sender(send)


def token_with(keys: LiveKitKeys, room: str, identity: str = "caller", **grants: object) -> Secret:
    """A token that grants only what is named."""
    token = AccessToken(keys.api_key, keys.api_secret.reveal()).with_identity(identity)
    return Secret(token.with_grants(VideoGrants(room_join=True, room=room, **grants)).to_jwt())  # type: ignore[arg-type]
