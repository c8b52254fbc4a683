"""An agent's line on LiveKit's SDK: a real jitter buffer and a real encoder, at their cost in CPU."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import numpy as np
from livekit import rtc

from harness.clock import NS_PER_S, Clock
from harness.stack.agents.caller import CallerWatch
from harness.stack.agents.line import HEARD_RATE_HZ, LEAVE_TIMEOUT_S, REPLY_TOPIC, Seat, frame_of, text_of
from harness.stack.agents.mouth import Mouth
from harness.stack.agents.sdk_network import require_network
from harness.stack.agents.sdk_tracks import OwnTrack, SteadySound, voice_track
from harness.stack.agents.trimmed_speech import Pcm
from harness.stack.shape import Shape
from harness.stack.tokens import LiveKitKeys

REPUBLISH_GAP_S = 0.2
REHEARD_WITHIN_S = 3.0  # seconds to wait for the caller to subscribe to a new track before the agent speaks regardless


class SdkAgentLine:
    """See `Line`.

    As agents in production do, it sends one small packet per 400 ms of silence (DTX). RED repeats every packet against
    loss, of which loopback has none, and costs 1.5 % of a core per call on either side: off unless the shape asks for
    it.

    Args:
        keys: The LiveKit server and the key pair that signs the token.
        seat: The room and identity to join with.
        clock: Timestamps what arrives.
        shape: The agent's shape: its tracks, and how they are published.
        voice: Whether it publishes a voice; False if another participant does.
    """

    def __init__(self, keys: LiveKitKeys, seat: Seat, clock: Clock, shape: Shape, *, voice: bool = True) -> None:
        self._keys = keys
        self._seat = seat
        self._clock = clock
        self._shape = shape
        self._has_voice = voice
        self._room = rtc.Room()
        self._voice: OwnTrack | None = None
        self._voices = 0
        self._background: SteadySound | None = None
        self._publishing: asyncio.Task[None] | None = None
        self._published = asyncio.Event()
        self._sending = asyncio.Lock()
        self._caller = CallerWatch(returns=shape.caller_returns)
        self._tracks: asyncio.Queue[rtc.RemoteAudioTrack] = asyncio.Queue()
        self._track: rtc.RemoteAudioTrack | None = None
        self._stream: rtc.AudioStream | None = None
        self._closing: asyncio.Task[None] | None = None
        self.caller_came = self._caller.came
        self.over = self._caller.over
        self.on_text: Callable[[str, int], None] = lambda text, at_ns: None
        self.on_published: Callable[[str], None] = lambda track: None

    async def join(self) -> None:
        """See `Line.join`.

        Raises:
            rtc.ConnectError: The server cannot be reached or refuses the connection.
            StackError: This machine has no network that the SDK uses.
        """
        require_network()
        room = self._room
        room.on("participant_connected", self._take)
        room.on("participant_disconnected", lambda participant: self._caller.left(participant.identity))
        room.on("participant_active", lambda participant: self._caller.became_active(participant.identity))
        room.on("track_subscribed", self._track_subscribed)
        room.on("track_unsubscribed", self._track_unsubscribed)
        room.on("data_received", self._data_received)
        room.on("disconnected", lambda *_: self.over.set())
        await room.connect(self._keys.url, self._seat.token(self._keys).reveal())
        if self._has_voice and self._shape.tracks.late_s:
            self._publishing = asyncio.create_task(self._publish())
        elif self._has_voice:
            await self._publish()
        for participant in list(room.remote_participants.values()):
            self._take(participant)

    async def _publish(self) -> None:
        tracks = self._shape.tracks
        if tracks.background is not None and tracks.background.before:
            await self._publish_background()
        await asyncio.sleep(tracks.late_s)
        self._voice = await self._next_voice()
        if tracks.background is not None and not tracks.background.before:
            await self._publish_background()
        self._published.set()

    async def _publish_background(self) -> None:
        told = self._shape.tracks.background
        if told is not None:
            self._background = SteadySound(
                self._room, self._clock, name="background_audio", source=told.source, sound=told.sound, dbfs=told.dbfs
            )
            await self._background.publish()
            self.on_published("background_audio")

    async def _next_voice(self) -> OwnTrack:
        self._voices += 1
        voice = voice_track(self._room, self._clock, self._shape, self._voices)
        await voice.publish()
        self.on_published(voice.name)
        return voice

    async def heard_by_caller(self) -> None:
        """See `Line.heard_by_caller`."""
        await self._caller.active.wait()
        if self._has_voice:
            await self._published.wait()
        if self._voice is not None:
            await self._voice.heard()

    async def carry(self, mouth: Mouth) -> None:
        """See `Line.carry`."""
        await mouth.run(self._push)

    async def _push(self, pcm: Pcm | None) -> None:
        if self._voice is not None and (pcm is not None or self._shape.publish.in_silence == "packets"):
            await self._voice.push(pcm)

    async def republish(self, *, overlap: bool) -> None:
        """See `ChangingLine.republish`."""
        old = self._voice
        if not overlap and old is not None:
            self._voice = None
            await old.close()
            await asyncio.sleep(REPUBLISH_GAP_S)
        new = await self._next_voice()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(new.heard(), REHEARD_WITHIN_S)
        self._voice = new
        if overlap and old is not None:
            await old.close()

    def mute(self, *, on: bool) -> None:
        """See `ChangingLine.mute`."""
        if self._voice is not None:
            self._voice.mute(on=on)

    async def heard(self, frame_ms: int) -> AsyncGenerator[tuple[Pcm, int], None]:
        """See `Line.heard`; a caller that rejoins is heard on its new track."""
        while True:
            self._track = await self._tracks.get()
            stream = self._stream = rtc.AudioStream.from_track(
                track=self._track, sample_rate=HEARD_RATE_HZ, num_channels=1, frame_size_ms=frame_ms
            )
            try:
                async for event in stream:
                    yield np.frombuffer(event.frame.data, np.int16), self._clock.now_ns()
            finally:
                await stream.aclose()

    def _track_unsubscribed(self, track: rtc.Track, *_: object) -> None:
        # The stream of a removed track does not end by itself: it continues with whatever track replaces it.
        if track is self._track and self._stream is not None:
            stream, self._stream = self._stream, None
            self._closing = asyncio.create_task(stream.aclose())

    async def jitter_buffer(self) -> dict[str, float | int]:
        """See `Line.jitter_buffer`."""
        if self._track is not None:
            for stat in await self._track.get_stats():
                if stat.WhichOneof("stats") == "inbound_rtp":
                    inbound = stat.inbound_rtp.inbound
                    last_ms = inbound.last_packet_received_timestamp
                    utc_less_clock_ns = round(self._clock.utc().timestamp() * NS_PER_S) - self._clock.now_ns()
                    return {
                        "delay_s": inbound.jitter_buffer_delay,
                        "samples": inbound.jitter_buffer_emitted_count,
                        "inserted": inbound.inserted_samples_for_deceleration,
                        "removed": inbound.removed_samples_for_acceleration,
                        "concealed": inbound.concealed_samples,
                        "packets": stat.inbound_rtp.received.packets_received,
                        "last_packet_ns": round(last_ms * 1e6) - utc_less_clock_ns,
                        "age_ms": stat.inbound_rtp.rtc.timestamp / 1000 - last_ms,
                    }
        return {}

    async def send(self, payload: dict[str, Any] | bytes, *, topic: str = REPLY_TOPIC) -> int:
        """See `Line.send`."""
        async with self._sending:
            at_ns = self._clock.now_ns()
            await self._room.local_participant.publish_data(frame_of(payload), reliable=True, topic=topic)
        return at_ns

    async def leave(self) -> None:
        """See `Line.leave`; each step takes at most `LEAVE_TIMEOUT_S`."""
        await self._take_back()
        await self.drop()

    async def drop(self) -> None:
        """See `Line.drop`."""
        self._caller.close()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._room.disconnect(), LEAVE_TIMEOUT_S)
        await self._take_back()

    async def _take_back(self) -> None:
        """Unpublishes all tracks."""
        if self._publishing is not None:
            self._publishing.cancel()
            await asyncio.gather(self._publishing, return_exceptions=True)
        voice, self._voice = self._voice, None
        background, self._background = self._background, None
        for track in (voice, background):
            if track is not None:
                await track.close()

    def _take(self, participant: rtc.RemoteParticipant) -> None:
        is_agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        if not self._caller.take(participant.identity, is_agent=is_agent):
            return
        if participant.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE:
            self._caller.became_active(participant.identity)

    def _track_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._take(participant)
        if not isinstance(track, rtc.RemoteAudioTrack) or publication.source != rtc.TrackSource.SOURCE_MICROPHONE:
            return
        if self._caller.is_caller(participant.identity):
            self._tracks.put_nowait(track)

    def _data_received(self, packet: rtc.DataPacket) -> None:
        at_ns = self._clock.now_ns()
        text = text_of(packet.topic or "", bytes(packet.data))
        if text is not None:
            self.on_text(text, at_ns)
