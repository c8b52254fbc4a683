"""An agent's line on LiveKit's SDK: a real jitter buffer, a real encoder, and what they cost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import numpy as np
from livekit import rtc

from harness.clock import NS_PER_S, Clock
from harness.stack.agents.line import HEARD_RATE_HZ, LEAVE_TIMEOUT_S, REPLY_TOPIC, frame_of, text_of
from harness.stack.agents.mouth import FRAME, Mouth
from harness.stack.agents.utterance import RATE_HZ, Pcm
from harness.stack.tokens import LiveKitKeys, agent_token

_SILENCE = rtc.AudioFrame(bytes(2 * FRAME), RATE_HZ, 1, FRAME)

# As agents of the field publish: in silence (dtx) one small packet in 400 ms. RED doubles every packet against loss, of
# which a loopback has none, and costs 1.5 % of a core a call on either side: off.
_PUBLISH = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=True, red=False)


class SdkLine:
    """See `Line`.

    Args:
        keys: The LiveKit server and what signs the token.
        room: The room's name.
        identity: The participant's name.
        clock: Stamps what comes in.
    """

    def __init__(self, keys: LiveKitKeys, room: str, identity: str, clock: Clock) -> None:
        self._keys = keys
        self._name = room
        self._identity = identity
        self._clock = clock
        self._room = rtc.Room()
        self._source: rtc.AudioSource | None = None
        self._publication: rtc.LocalTrackPublication | None = None
        self._sending = asyncio.Lock()
        self._caller: rtc.RemoteParticipant | None = None
        self._active = asyncio.Event()
        self._track: asyncio.Future[rtc.RemoteAudioTrack] = asyncio.get_running_loop().create_future()
        self.caller_came = asyncio.Event()
        self.over = asyncio.Event()
        self.on_text: Callable[[str, int], None] = lambda text, at_ns: None

    async def join(self) -> None:
        """See `Line.join`.

        Raises:
            rtc.ConnectError: The server cannot be reached or refuses.
        """
        room = self._room
        room.on("participant_connected", self._take_caller)
        room.on("participant_disconnected", self._participant_left)
        room.on("participant_active", self._participant_active)
        room.on("track_subscribed", self._track_subscribed)
        room.on("data_received", self._data_received)
        room.on("disconnected", lambda *_: self.over.set())
        await room.connect(self._keys.url, agent_token(self._keys, self._name, self._identity).reveal())
        # Tracks come after the connection: a source made before any room starts a native runtime of its own.
        self._source = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=0)
        track = rtc.LocalAudioTrack.create_audio_track("agent-voice", self._source)
        self._publication = await room.local_participant.publish_track(track, _PUBLISH)
        for participant in list(room.remote_participants.values()):
            self._take_caller(participant)

    async def heard_by_caller(self) -> None:
        """See `Line.heard_by_caller`."""
        await self._active.wait()
        if self._publication is not None:
            await self._publication.wait_for_subscription()

    async def carry(self, mouth: Mouth) -> None:
        """See `Line.carry`. A queue in the audio source would blur times by its own timer, so there is none."""
        await mouth.run(self._push)

    async def _push(self, pcm: Pcm | None) -> None:
        if self._source is not None:
            frame = _SILENCE if pcm is None else rtc.AudioFrame(pcm.tobytes(), RATE_HZ, 1, FRAME)
            await self._source.capture_frame(frame)

    async def heard(self, frame_ms: int) -> AsyncGenerator[tuple[Pcm, int], None]:
        """See `Line.heard`."""
        track = await asyncio.shield(self._track)
        stream = rtc.AudioStream.from_track(
            track=track, sample_rate=HEARD_RATE_HZ, num_channels=1, frame_size_ms=frame_ms
        )
        try:
            async for event in stream:
                yield np.frombuffer(event.frame.data, np.int16), self._clock.now_ns()
        finally:
            await stream.aclose()

    async def jitter_buffer(self) -> dict[str, float | int]:
        """See `Line.jitter_buffer`."""
        if self._track.done():
            for stat in await self._track.result().get_stats():
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

    async def send(self, payload: dict[str, Any] | bytes) -> int:
        """See `Line.send`."""
        async with self._sending:
            at_ns = self._clock.now_ns()
            await self._room.local_participant.publish_data(frame_of(payload), reliable=True, topic=REPLY_TOPIC)
        return at_ns

    async def leave(self) -> None:
        """See `Line.leave`; each step takes at most `LEAVE_TIMEOUT_S`."""
        with contextlib.suppress(Exception):
            if self._publication is not None and self._room.isconnected():
                await asyncio.wait_for(
                    self._room.local_participant.unpublish_track(self._publication.sid), LEAVE_TIMEOUT_S
                )
        await self.drop()

    async def drop(self) -> None:
        """See `Line.drop`."""
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._room.disconnect(), LEAVE_TIMEOUT_S)
        if self._source is not None:
            await self._source.aclose()

    def _take_caller(self, participant: rtc.RemoteParticipant) -> None:
        if self._caller is not None or participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return
        self._caller = participant
        if participant.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE:
            self._active.set()
        self.caller_came.set()

    def _is_caller(self, participant: rtc.RemoteParticipant | None) -> bool:
        return participant is not None and self._caller is not None and participant.identity == self._caller.identity

    def _participant_active(self, participant: rtc.RemoteParticipant) -> None:
        if self._is_caller(participant):
            self._active.set()

    def _participant_left(self, participant: rtc.RemoteParticipant) -> None:
        if self._is_caller(participant):
            self.over.set()

    def _track_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._take_caller(participant)
        if not isinstance(track, rtc.RemoteAudioTrack) or publication.source != rtc.TrackSource.SOURCE_MICROPHONE:
            return
        if self._is_caller(participant) and not self._track.done():
            self._track.set_result(track)

    def _data_received(self, packet: rtc.DataPacket) -> None:
        at_ns = self._clock.now_ns()
        text = text_of(packet.topic or "", bytes(packet.data))
        if text is not None:
            self.on_text(text, at_ns)
