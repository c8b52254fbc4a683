"""The engine at the socket: one UDP packet each way in 20 ms, without encoder, jitter buffer or thread in between.

It knows what the other engine estimates. A packet's times are when it was handed to the kernel and when the kernel
received it; they belong to the packet's middle sample, and each other sample's follow from its position
(`docs/metrics.md`). Utterances are encoded once per process, silence is one packet sent repeatedly, and received
packets are decoded a few at a time. `light_ear` receives a track, `light_mouth` sends; this file connects them to a
room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from harness.call.engines.gate import Gate
from harness.call.engines.light_ear import LightEar
from harness.call.engines.light_mouth import LightMouth, LightUtterance
from harness.call.engines.line import AudioTrack, Kind, LineEvents, Participant, Rights
from harness.clock import Clock
from harness.errors import RoomFailure
from harness.machine.own_work import OWN_WORK
from harness.secret import Secret
from harness.transport.hub import TransportHub
from harness.transport.opus import Encoded
from harness.transport.private_names import check_versions
from harness.transport.room import Room
from harness.transport.room_events import Participant as RoomParticipant
from harness.transport.room_events import RemoteTrack


class LightEngine:
    """Joins rooms with `harness.transport`; one pacer serves all of an event loop.

    Raises:
        TransportVersionError: A library has an unknown version.
    """

    name = "light"

    def __init__(self, clock: Clock) -> None:
        check_versions()
        self._clock = clock
        self._hub = TransportHub(clock)
        self._encoded = Encoded()
        self._gate = Gate()

    async def may_join(self) -> None:
        """See `Engine.may_join`."""
        await self._gate.wait()

    async def prepare(self, utterances: Iterable[NDArray[np.int16]]) -> None:
        """Encodes the utterances, `(frames,)` int16 mono at 48 kHz each, in advance, so that no call waits for it."""
        for pcm in utterances:
            await asyncio.to_thread(self._encoded.make, pcm)

    async def join(self, url: str, token: Secret, events: LineEvents, *, timeout_s: float) -> LightLine:
        """See `Engine.join`."""
        line = LightLine(self._hub, self._encoded, events, self._clock)
        await line.connect(url, token, timeout_s=timeout_s)
        return line


class LightLine:
    """One room; see `Line`. It is also its room's `RoomEvents`."""

    def __init__(self, hub: TransportHub, encoded: Encoded, events: LineEvents, clock: Clock) -> None:
        self._hub = hub
        self._events = events
        self._clock = clock
        self._mouth = LightMouth(encoded, clock, events)
        self._room: Room | None = None
        self._ears: dict[str, LightEar] = {}
        self._tracks: dict[str, RemoteTrack] = {}
        self._closed = False

    async def connect(self, url: str, token: Secret, *, timeout_s: float) -> None:
        """Joins the room.

        Raises:
            RoomFailure: See `Engine.join`.
        """
        with OWN_WORK.joins():
            self._room = await Room.connect(self._hub, url, token, self, timeout_s=timeout_s)
        # After our caller has recorded that it is connected.
        asyncio.get_running_loop().call_soon(self._room.greet_present)

    @property
    def _joined(self) -> Room:
        if self._room is None:
            raise RoomFailure("room.lost", "the room was not joined")
        return self._room

    @property
    def rights(self) -> Rights:
        """See `Line.rights`."""
        told = self._joined.rights
        return Rights(told.publish, told.subscribe, told.publish_data)

    async def publish(self, *, timeout_s: float) -> None:
        """See `Line.publish`."""
        try:
            with OWN_WORK.joins():
                publication = await asyncio.wait_for(self._joined.publish(), timeout_s)
        except TimeoutError:
            raise RoomFailure(
                "room.publish_failed",
                "the microphone could not be published: no answer in time",
                hint="does the token allow publishing, and is UDP open to the server's media ports?",
            ) from None
        self._mouth.begin(publication.send)
        self._hub.pacer.add_sender(self._mouth.send)

    def last_packet_ns(self, track: str) -> int | None:
        """See `Line.last_packet_ns`."""
        ear = self._ears.get(track)
        return None if ear is None else ear.last_packet_ns

    def speak(self, pcm: NDArray[np.int16], *, not_before_ns: int = 0) -> LightUtterance:
        """See `Line.speak`."""
        return self._mouth.speak(pcm, not_before_ns=not_before_ns)

    async def send_data(self, topic: str, payload: bytes) -> int:
        """See `Line.send_data`."""
        left_ns = self._clock.now_ns()
        try:
            self._joined.send_data(topic, payload)
        except (ConnectionError, ValueError) as problem:
            raise RoomFailure("room.lost", f"a text could not be sent: {problem}") from None
        return left_ns

    async def hang_up(self) -> None:
        """See `Line.hang_up`."""
        if self._closed:
            return
        self._closed = True
        self._hub.pacer.remove(self._mouth.send)
        self._mouth.end()
        for sid in list(self._ears):
            self._stop_hearing(sid)
        if self._room is not None:
            await self._room.close()

    def _hear(self, track: RemoteTrack) -> None:
        room = self._joined
        ear = LightEar(
            track.sid,
            self._clock,
            self._events,
            rtt_ms=lambda: room.rtt_ms,
            stamped=lambda: self._hub.port.stamped,
            server_heard_ns=lambda: room.heard_ns,
        )
        self._ears[track.sid], self._tracks[track.sid] = ear, track
        self._hub.pacer.add_listener(ear.listen)
        room.listen(track, ear.arrived)

    def _stop_hearing(self, sid: str) -> None:
        ear = self._ears.pop(sid, None)
        self._tracks.pop(sid, None)
        if ear is not None:
            self._hub.pacer.remove(ear.listen)
            ear.close()

    # -- RoomEvents ------------------------------------------------------------------------------------------------

    def participant_came(self, t_ns: int, participant: RoomParticipant) -> None:
        """See `RoomEvents`."""
        self._events.on_participant(t_ns, _told(participant))

    def participant_changed(self, t_ns: int, participant: RoomParticipant) -> None:
        """See `RoomEvents`."""
        self._events.on_participant(t_ns, _told(participant))

    def participant_active(self, t_ns: int, identity: str) -> None:
        """See `RoomEvents`."""

    def microphone_heard(self, t_ns: int) -> None:
        """See `RoomEvents`."""

    def participant_went(self, t_ns: int, identity: str) -> None:
        """See `RoomEvents`."""
        for track in [track for track in self._tracks.values() if track.identity == identity]:
            self.track_went(t_ns, track)
        self._events.on_participant_left(t_ns, identity)

    def track_came(self, t_ns: int, track: RemoteTrack) -> None:
        """See `RoomEvents`."""
        self._events.on_audio_track(t_ns, AudioTrack(track.sid, track.identity, track.name, track.source))
        if track.is_encrypted:
            what = f"the audio of {track.identity} is encrypted end to end, which engine light does not do"
            self._events.on_broken(t_ns, f"{what}; use --engine sdk")
            return
        self._hear(track)

    def track_went(self, t_ns: int, track: RemoteTrack) -> None:
        """See `RoomEvents`."""
        ear = self._ears.get(track.sid)
        if ear is not None:
            ear.finish(self._clock.now_ns())
            self._stop_hearing(track.sid)
            self._events.on_audio_track_gone(t_ns, track.sid)

    def track_muted(self, t_ns: int, track: RemoteTrack, muted: bool) -> None:
        """See `RoomEvents`."""
        self._events.on_track_muted(t_ns, track.sid, muted=muted)

    def data_came(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """See `RoomEvents`."""
        self._events.on_data(t_ns, topic, payload, identity)

    def reconnecting(self, t_ns: int, why: str) -> None:
        """See `RoomEvents`."""
        if not self._closed:
            self._events.on_reconnecting(t_ns, why)

    def reconnected(self, t_ns: int, how: str) -> None:
        """See `RoomEvents`."""
        if not self._closed:
            self._events.on_reconnected(t_ns, how)

    def disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """See `RoomEvents`."""
        if not self._closed:
            for track in list(self._tracks.values()):
                self.track_went(t_ns, track)
            self._events.on_disconnected(t_ns, reason, by_service=by_service)


def _told(participant: RoomParticipant) -> Participant:
    return Participant(participant.identity, cast("Kind", participant.kind), participant.on_behalf_of)
