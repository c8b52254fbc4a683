"""The engine on LiveKit's own SDK: encoder, jitter buffer and network are those of a real client.

It estimates what the SDK does not report. The encoder has a look-ahead (`LOOK_AHEAD`), and a packet of 20 ms leaves
when its second half has been handed over: 10 ms after its first sample's time, 10 ms before its last one's, at it on
average. That mean is used for each sample, since a receiver plays the packet from its first sample on. A frame is heard
after the jitter buffer, whose mean delay is in the statistics: heard time minus that delay is wire time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from harness.call.engines.arrival import ArrivalFit
from harness.call.engines.line import SAMPLE_RATE, Heard, LineEvents, Participant, Rights
from harness.call.engines.sdk_room import audio_track, can_publish_microphone, connect_failure, participant_of
from harness.call.engines.sdk_stats import LevelJump, TrackStats
from harness.call.microphone import Microphone, OutgoingSpeech
from harness.clock import NS_PER_S, Clock
from harness.errors import RoomFailure
from harness.machine.networks import NO_NETWORK, has_network
from harness.proxies import SdkProxies
from harness.secret import Secret
from harness.transport.refusal import Ending, ending
from harness.transport.sdk_capture import Capture, capture_into

LOOK_AHEAD = 312  # an Opus encoder's look-ahead in samples (RFC 7845, pre-skip of libopus)
HEAR_FRAME_MS = 20
STATS_EVERY_S = 0.5
FIRST_STATS_S = 0.1  # until the first statistics: a greeting's onset needs them
ONSET_STATS_S = 0.051  # WebRTC caches its statistics for 50 ms
HANG_UP_S = 5.0
DRAIN_S = 0.3  # what a jitter buffer still delivers of a track that has gone
SLACK_S = 0.05
RETURN_S = 1.0
QUEUE_NS = 10 * NS_PER_S  # audio that waits longer to be read has overflowed any sane queue

_log = logging.getLogger(__name__)


class SdkEngine:
    """Joins rooms with `livekit.rtc`."""

    name = "sdk"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._proxies = SdkProxies()
        # The SDK logs signalling URLs, which hold tokens.
        sdk_log = logging.getLogger("livekit")
        sdk_log.addHandler(logging.NullHandler())
        sdk_log.propagate = False

    async def may_join(self) -> None:
        """See `Engine.may_join`: returns at once, as the SDK joins in threads of its own."""

    async def join(self, url: str, token: Secret, events: LineEvents, *, timeout_s: float) -> SdkLine:
        """See `Engine.join`."""
        if not has_network(ipv6=True):
            raise RoomFailure("room.unreachable", NO_NETWORK, hint="connect to a network, or use --engine light")
        room = rtc.Room()
        line = SdkLine(room, events, self._clock)
        options = rtc.RoomOptions(auto_subscribe=True, connect_timeout=timeout_s)
        try:
            async with self._proxies.towards(url):
                await asyncio.wait_for(room.connect(url, token.reveal(), options), timeout_s)
        except TimeoutError:
            await line.hang_up()
            raise RoomFailure(
                "room.timeout", f"the room was not joined within {timeout_s:g} s", hint="is the LiveKit server well?"
            ) from None
        except rtc.ConnectError as problem:
            await line.hang_up()
            raise connect_failure(token.scrub(str(problem))) from None
        except BaseException:
            await line.hang_up()
            raise
        line.greet_present()
        return line


@dataclass(slots=True)
class _Hearing:
    """A track being heard: its publisher, the server's sid, its readers, and since when it has been gone."""

    identity: str
    published: str
    stats: TrackStats
    task: asyncio.Task[None]
    gone_ns: int | None = None


class SdkLine:
    """One room; see `Line`."""

    def __init__(self, room: rtc.Room, events: LineEvents, clock: Clock) -> None:
        self._room = room
        self._events = events
        self._clock = clock
        self._source: rtc.AudioSource | None = None
        self._capture_frame: Capture | None = None
        self._publication: rtc.LocalTrackPublication | None = None
        self._microphone = Microphone(self._capture, clock, events.on_sent, look_ahead=LOOK_AHEAD)
        self._hearing: dict[str, _Hearing] = {}
        self._heard_before: Counter[str] = Counter()
        self._known: dict[str, Participant] = {}
        self._reconnecting = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._gone = False
        room.on("participant_connected", self._on_participant)
        room.on("participant_attributes_changed", lambda _, participant: self._on_participant(participant))
        room.on("participant_disconnected", lambda participant: self._on_participant_left(participant.identity))
        room.on("track_subscribed", self._on_track)
        room.on("track_unsubscribed", self._on_track_gone)
        room.on("track_muted", lambda _, publication: self._on_muted(publication, muted=True))
        room.on("track_unmuted", lambda _, publication: self._on_muted(publication, muted=False))
        room.on("data_received", self._on_data)
        room.on("reconnecting", self._on_reconnecting)
        room.on("reconnected", self._on_reconnected)
        room.on("disconnected", self._on_disconnected)

    def greet_present(self) -> None:
        """Reports the participants who were in the room before the caller, in the order in which they joined."""
        present = self._room.remote_participants.values()
        for participant in sorted(present, key=lambda participant: participant.joined_at or 0):
            self._on_participant(participant)

    @property
    def rights(self) -> Rights:
        """See `Line.rights`."""
        told = self._room.local_participant.permissions
        if told is None:
            return Rights()
        return Rights(can_publish_microphone(told), told.can_subscribe, told.can_publish_data)

    async def publish(self, *, timeout_s: float) -> None:
        """See `Line.publish`."""
        try:
            self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=0)
            self._capture_frame = capture_into(self._source, self._clock)
            track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False)
            self._publication = await asyncio.wait_for(
                self._room.local_participant.publish_track(track, options), timeout_s
            )
        except (rtc.participant.PublishTrackError, TimeoutError, RuntimeError) as problem:
            raise RoomFailure(
                "room.publish_failed",
                f"the microphone could not be published: {str(problem) or 'no answer in time'}",
                hint="does the token allow publishing?",
            ) from None
        self._start(self._microphone.run())

    def last_packet_ns(self, track: str) -> int | None:
        """See `Line.last_packet_ns`; as of the last reading of the statistics."""
        hearing = self._hearing.get(track)
        return None if hearing is None else hearing.stats.last_packet_ns

    def speak(self, pcm: NDArray[np.int16], *, not_before_ns: int = 0) -> OutgoingSpeech:
        """See `Line.speak`."""
        return self._microphone.speak(pcm, not_before_ns=not_before_ns)

    async def send_data(self, topic: str, payload: bytes) -> int:
        """See `Line.send_data`."""
        left_ns = self._clock.now_ns()
        try:
            await self._room.local_participant.publish_data(payload, reliable=True, topic=topic)
        except rtc.participant.PublishDataError as problem:
            raise RoomFailure("room.lost", f"a text could not be sent: {problem}") from None
        return left_ns

    async def hang_up(self) -> None:
        """See `Line.hang_up`."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # In this order: a room that ends before its track was unpublished leaks a capture thread of the SDK.
        if self._publication is not None and not self._gone:
            await self._quietly(self._room.local_participant.unpublish_track(self._publication.sid))
        if self._source is not None:
            await self._quietly(self._source.aclose())
        await self._quietly(self._room.disconnect())
        self._hearing.clear()

    @staticmethod
    async def _quietly(step: object) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(step, HANG_UP_S)  # type: ignore[arg-type] # the SDK's coroutines

    def _start(self, coroutine: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(coroutine)  # type: ignore[call-overload] # always a coroutine
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and not self._closed:
            problem = task.exception()
            _log.debug("a task of the line failed", exc_info=problem)
            self._events.on_broken(self._clock.now_ns(), f"{type(problem).__name__}: {problem}")

    async def _capture(self, frame: NDArray[np.int16]) -> None:
        if self._capture_frame is not None:
            await self._capture_frame(frame)

    async def _hear(self, sid: str, track: rtc.RemoteAudioTrack, track_stats: TrackStats) -> None:
        # Without a capacity: with one, the SDK silently drops the excess, and all later positions are off.
        stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=HEAR_FRAME_MS)
        fit = ArrivalFit()
        following = asyncio.ensure_future(self._follow_stats(track, track_stats, fit))
        following.add_done_callback(self._ended)  # without statistics, the wire times would silently be wrong
        jump = LevelJump()
        position = 0
        full = False
        try:
            async for event in stream:
                arrival_ns = self._clock.now_ns()
                samples = np.frombuffer(event.frame.data, np.int16)
                fit.arrived(position + samples.size, arrival_ns)
                ear_ns = fit.time_of(position)
                if jump.heard(samples):
                    track_stats.onset_begins()
                    track_stats.wanted.set()
                late_ns = max(0, arrival_ns - fit.time_of(position + samples.size))
                wire_ns = ear_ns - track_stats.jitter_buffer_ns
                if late_ns > QUEUE_NS and not full:
                    self._events.on_overflow(arrival_ns)
                full = late_ns > QUEUE_NS
                self._events.on_heard(Heard(sid, samples, position, wire_ns, ear_ns, late_ns))
                position += samples.size
        finally:
            following.cancel()
            await self._quietly(stream.aclose())

    async def _follow_stats(self, track: rtc.RemoteAudioTrack, stats: TrackStats, fit: ArrivalFit) -> None:
        """Keeps the track's statistics up to date, and reports them to the call once a second."""
        tell_ns = self._clock.now_ns() + NS_PER_S
        while True:
            every_s = STATS_EVERY_S if stats.begun else FIRST_STATS_S
            if await stats.wanted_within(every_s):
                # A possible onset: needs readings of its own packets, not of those before it.
                await self._read_stats(track, stats, fit)
                await asyncio.sleep(ONSET_STATS_S)
            else:
                stats.onset_ended()
            await self._read_stats(track, stats, fit)
            if self._clock.now_ns() >= tell_ns:
                self._events.on_media(self._clock.now_ns(), stats.second())
                tell_ns += NS_PER_S

    async def _read_stats(self, track: rtc.RemoteAudioTrack, stats: TrackStats, fit: ArrivalFit) -> None:
        answer = await track.get_stats()
        utc_less_clock_ns = round(self._clock.utc().timestamp() * NS_PER_S) - self._clock.now_ns()
        stats.read(answer, utc_less_clock_ns=utc_less_clock_ns, tick_ns=fit.soonest(0))

    # -- who is there, and what they publish ---------------------------------------------------------------------

    def _on_participant(self, participant: rtc.RemoteParticipant) -> None:
        told = participant_of(participant)
        if self._known.get(participant.identity) != told:
            self._known[participant.identity] = told
            self._events.on_participant(self._clock.now_ns(), told)

    def _on_participant_left(self, identity: str) -> None:
        # While it reconnects, the SDK reports that everybody has left. Who really has is checked afterwards.
        if self._reconnecting or self._room.connection_state != rtc.ConnectionState.CONN_CONNECTED:
            return
        if self._known.pop(identity, None) is not None:
            now_ns = self._clock.now_ns()
            for sid in [sid for sid, hearing in self._hearing.items() if hearing.identity == identity]:
                self._end_hearing(sid)
            self._events.on_participant_left(now_ns, identity)

    def _on_track(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if not isinstance(track, rtc.RemoteAudioTrack) or self._closed:
            return
        self._on_participant(participant)
        for sid in self._sids_of(publication):  # a reconnected SDK subscribes again
            self._end_hearing(sid)
        # The stream of a removed track does not end: it continues with the audio of whatever track replaces it.
        for hearing in self._hearing.values():
            if hearing.gone_ns is not None:
                hearing.task.cancel()
        self._heard_before[publication.sid] += 1
        times = self._heard_before[publication.sid]
        sid = publication.sid if times == 1 else f"{publication.sid}#{times}"
        self._events.on_audio_track(self._clock.now_ns(), audio_track(sid, publication, participant))
        if publication.muted:
            self._events.on_track_muted(self._clock.now_ns(), sid, muted=True)
        stats = TrackStats(sid)
        task = self._start(self._hear(sid, track, stats))
        self._hearing[sid] = _Hearing(participant.identity, publication.sid, stats, task)
        task.add_done_callback(lambda _: self._heard_out(sid))

    def _on_track_gone(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, _participant: rtc.RemoteParticipant
    ) -> None:
        for sid in self._sids_of(publication):
            self._end_hearing(sid)

    def _sids_of(self, publication: rtc.TrackPublication) -> list[str]:
        return [sid for sid, hearing in self._hearing.items() if hearing.published == publication.sid]

    def _end_hearing(self, sid: str) -> None:
        """Handles a track's end: what is still queued of it is heard, then it is closed."""
        hearing = self._hearing[sid]
        if hearing.gone_ns is None:
            hearing.gone_ns = self._clock.now_ns()
            asyncio.get_running_loop().call_later(DRAIN_S, hearing.task.cancel)

    def _heard_out(self, sid: str) -> None:
        hearing = self._hearing.pop(sid, None)
        if hearing is not None and not self._closed:
            self._events.on_audio_track_gone(hearing.gone_ns or self._clock.now_ns(), sid)

    def _on_muted(self, publication: rtc.TrackPublication, *, muted: bool) -> None:
        for sid in self._sids_of(publication):
            self._events.on_track_muted(self._clock.now_ns(), sid, muted=muted)

    # -- our own connection ----------------------------------------------------------------------------------------

    def _on_reconnecting(self) -> None:
        if not self._reconnecting and not self._closed:
            self._reconnecting = True
            self._events.on_reconnecting(self._clock.now_ns(), "the SDK lost its connection to the server")

    def _on_reconnected(self) -> None:
        if self._closed or not self._reconnecting:
            return
        self._reconnecting = False
        self._events.on_reconnected(self._clock.now_ns(), "the SDK")
        # Those who are still there are reported again; give that a moment before the others count as gone.
        asyncio.get_running_loop().call_later(RETURN_S, self._miss_those_who_left)

    def _miss_those_who_left(self) -> None:
        if self._closed or self._reconnecting:
            return
        self.greet_present()
        for identity in self._known.keys() - self._room.remote_participants.keys():
            self._on_participant_left(identity)

    # -- what they say ---------------------------------------------------------------------------------------------

    def _on_data(self, packet: rtc.DataPacket) -> None:
        identity = packet.participant.identity if packet.participant else None
        self._events.on_data(self._clock.now_ns(), packet.topic or "", bytes(packet.data), identity)

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self._gone = True
        if self._closed:
            return
        for sid in self._hearing:
            self._end_hearing(sid)
        # What the tracks still hold is heard before the call learns that it is over.
        told = ending(rtc.DisconnectReason.Name(reason), self._room.local_participant.identity)
        now_ns = self._clock.now_ns()
        asyncio.get_running_loop().call_later(DRAIN_S + SLACK_S, self._tell_end, now_ns, told)

    def _tell_end(self, t_ns: int, told: Ending) -> None:
        if not self._closed:
            self._events.on_disconnected(t_ns, told.what, by_service=told.by_service)
