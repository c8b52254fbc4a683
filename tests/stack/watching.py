"""A caller that watches a room of the embedded stack: who is there, with which tracks, and which of them sound when."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
from livekit import rtc

from harness.clock import SystemClock
from harness.stack.embedded import EmbeddedStack

PATIENCE_S = 20.0
VOICE_DBFS = -35.0
QUIET_S = 0.4
FRAME_MS = 20
ANSWERED_WITHIN_S = 5.0
TYPED_AGAIN = 4


@dataclass
class Track:
    """An audio track as it was heard: frames of `FRAME_MS` with voice, and how many frames there were."""

    sid: str
    name: str
    identity: str
    source: int
    voiced_ns: list[int] = field(default_factory=list)
    channels_differ: bool = False

    def voiced_after(self, at_ns: int) -> bool:
        return bool(self.voiced_ns) and self.voiced_ns[-1] > at_ns


@dataclass
class Watcher:
    """The caller, and what it saw: `seen` are lines such as `+agent-x`, `-agent-x`, `+track agent-voice`."""

    session: dict[str, Any]
    clock: SystemClock = field(default_factory=SystemClock)
    seen: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    texts: list[tuple[str, str]] = field(default_factory=list)

    async def connect(self) -> None:
        self.changed = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.streams: dict[str, rtc.AudioStream] = {}
        self.room = room = rtc.Room()
        room.on("participant_connected", self._came)
        room.on("participant_disconnected", lambda one: self._see(f"-{one.identity}"))
        room.on("track_subscribed", self._subscribed)
        room.on("track_unsubscribed", self._unsubscribed)
        room.on("track_muted", lambda _, publication: self._see(f"muted {publication.name}"))
        room.on("track_unmuted", lambda _, publication: self._see(f"unmuted {publication.name}"))
        room.on("data_received", self._data)
        room.on("reconnecting", lambda: self._see("reconnecting"))
        room.on("reconnected", lambda: self._see("reconnected"))
        room.on("disconnected", lambda reason: self._see(f"disconnected {rtc.DisconnectReason.Name(reason)}"))
        await room.connect(self.session["livekit_url"], self.session["token"])
        self.at_first = [one.identity for one in room.remote_participants.values()]
        for one in room.remote_participants.values():
            self._came(one)
        source = rtc.AudioSource(48_000, 1, queue_size_ms=0)
        self.source = source
        track = rtc.LocalAudioTrack.create_audio_track("mic", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        if self.permission("can_publish"):
            await room.local_participant.publish_track(track, options)

    def permission(self, name: str) -> bool:
        return bool(getattr(self.room.local_participant.permissions, name))

    async def hang_up(self) -> None:
        await self.room.disconnect()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.source.aclose()

    async def type(self, text: str = "Do you have parking?") -> int:
        at_ns = self.clock.now_ns()
        payload = json.dumps({"type": "user_text", "text": text})
        await self.room.local_participant.publish_data(payload, reliable=True, topic="voice.user_text")
        return at_ns

    async def until(self, condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        async with asyncio.timeout(patience_s):
            while not (result := condition()):
                self.changed.clear()
                with contextlib.suppress(TimeoutError):  # time itself may be what is waited for
                    await asyncio.wait_for(self.changed.wait(), 0.1)
        return result

    async def until_spoken(self, after_ns: int = 0) -> list[Track]:
        """Waits for a voice after that time and for its end; the tracks that it was on."""
        speaking = await self.until(lambda: self._voiced_after(after_ns))
        quiet_ns = int(QUIET_S * 1e9)
        await self.until(lambda: self.clock.now_ns() - max(one.voiced_ns[-1] for one in speaking) > quiet_ns)
        return list(speaking)

    async def spoken_turn(self) -> list[Track]:
        """A typed turn and the reply to it."""
        return await self.until_spoken(await self.type())

    async def answered_turn(self) -> list[Track]:
        """As `spoken_turn`, typed again while nobody answers: who has just come may not be able to read yet."""
        for _ in range(TYPED_AGAIN):
            at_ns = await self.type()
            with contextlib.suppress(TimeoutError):
                await self.until(lambda at_ns=at_ns: self._voiced_after(at_ns), ANSWERED_WITHIN_S)
                return await self.until_spoken(at_ns)
        return await self.spoken_turn()

    def _voiced_after(self, after_ns: int) -> list[Track]:
        return [one for one in self.tracks.values() if one.voiced_after(after_ns)]

    def _see(self, what: str) -> None:
        self.seen.append(what)
        self.changed.set()

    def _came(self, one: rtc.RemoteParticipant) -> None:
        self.kinds[one.identity] = one.kind
        self.attributes[one.identity] = dict(one.attributes)
        self._see(f"+{one.identity}")

    def _subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, one: rtc.RemoteParticipant
    ) -> None:
        heard = Track(publication.sid, publication.name, one.identity, publication.source)
        self.tracks[publication.sid] = heard
        self._see(f"+track {publication.name}")
        stream = rtc.AudioStream.from_track(track=track, sample_rate=48_000, num_channels=2, frame_size_ms=FRAME_MS)
        self.streams[publication.sid] = stream
        self.tasks.append(asyncio.create_task(self._hear(stream, heard)))

    def _unsubscribed(self, _: rtc.Track, publication: rtc.RemoteTrackPublication, __: Any) -> None:
        self._see(f"-track {publication.name}")
        # It does not end by itself: it would go on with whatever track takes this one's place.
        self.tasks.append(asyncio.create_task(self.streams.pop(publication.sid).aclose()))

    def _data(self, packet: rtc.DataPacket) -> None:
        message = json.loads(packet.data)
        sender = packet.participant.identity if packet.participant is not None else ""
        self.texts.append((sender, message["text"]))
        self.changed.set()

    async def _hear(self, stream: rtc.AudioStream, heard: Track) -> None:
        try:
            async for event in stream:
                samples = np.frombuffer(event.frame.data, np.int16).astype(np.float32).reshape(-1, 2)
                rms = float(np.sqrt((samples**2).mean()))
                if 20 * np.log10(max(rms, 1e-3) / 32768) > VOICE_DBFS:
                    heard.voiced_ns.append(self.clock.now_ns())
                    difference = float(np.sqrt(((samples[:, 0] - samples[:, 1]) ** 2).mean()))
                    heard.channels_differ |= difference > rms / 4
                self.changed.set()
        finally:
            await stream.aclose()


async def session(stack: EmbeddedStack, agent: str) -> dict[str, Any]:
    """A new session, as the service answers it."""
    headers = {"x-api-key": stack.address.api_key.reveal()}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(stack.address.session_url, json={"agent": agent}) as answer,
    ):
        body = await answer.json()
    assert body["success"], body
    data: dict[str, Any] = body["data"]
    return data


@asynccontextmanager
async def watching(stack: EmbeddedStack, agent: str) -> AsyncIterator[Watcher]:
    """A call of that agent."""
    watcher = Watcher(await session(stack, agent))
    await watcher.connect()
    try:
        yield watcher
    finally:
        await watcher.hang_up()
