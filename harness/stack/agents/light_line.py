"""An agent's line at the socket, on `harness.transport`: many agents in one process, each for a fraction of a percent.

It timestamps packets itself, when the kernel receives them or is handed them; that is the time of the packet's middle
sample. In silence it sends almost nothing (DTX), as agents in production do.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
from collections.abc import AsyncGenerator, Callable
from typing import Any

import numpy as np

from harness.clock import NS_PER_S
from harness.stack.agents.caller import CallerWatch
from harness.stack.agents.line import HEARD_RATE_HZ, LEAVE_TIMEOUT_S, REPLY_TOPIC, Seat, frame_of, text_of
from harness.stack.agents.mouth import FRAME, FRAME_NS, Mouth
from harness.stack.agents.trimmed_speech import Pcm
from harness.stack.shape import Shape
from harness.stack.tokens import LiveKitKeys
from harness.transport.hub import TransportHub
from harness.transport.opus import Decoder, Encoder, silence
from harness.transport.pacer import PACKET_NS
from harness.transport.publication import Publication
from harness.transport.reception import Reception
from harness.transport.room import Room
from harness.transport.room_events import Participant, RemoteTrack
from harness.transport.rtp import RtpPacket

COMPLEXITY = 9  # Opus encoder complexity, as libwebrtc uses on a desktop
HANGOVER = 10  # packets of silence sent after speech before DTX starts
# A packet without a frame, which holds the previous output (RFC 6716, 3.1: CELT, full band, 20 ms, mono).
DTX_PACKET = b"\xf8"
DTX_EVERY = 20  # in DTX one packet in this many is sent, one per 400 ms, as libopus does
HEAR_EVERY = 2  # packets decoded at a time: hearing is delayed by as many, which share the cost of one wake-up
SETTLED = 3  # packets of silence after which a decoder would output zeros and is skipped
_TURNS = itertools.count()
_RATIO = 48_000 // HEARD_RATE_HZ


class LightAgentLine:
    """See `Line`. It is also its room's `RoomEvents`.

    Args:
        keys: The LiveKit server and the key pair that signs the token.
        seat: The room and identity to join with.
        hub: What all rooms of the process share.
        coded: Packet cache shared by all agents of the process.
        shape: The agent's shape; several tracks and RED are not supported.
    """

    def __init__(self, keys: LiveKitKeys, seat: Seat, hub: TransportHub, coded: Coded, shape: Shape) -> None:
        self._coded = coded
        self._keys = keys
        self._seat = seat
        self._shape = shape
        self._hub = hub
        self._clock = hub.clock
        self._room: Room | None = None
        self._publication: Publication | None = None
        self._caller = CallerWatch(returns=shape.caller_returns)
        self._heard = asyncio.Event()
        self._ear: _Receiver | None = None
        self._frames: asyncio.Queue[tuple[Pcm, int]] = asyncio.Queue()
        self.caller_came = self._caller.came
        self.over = self._caller.over
        self.on_text: Callable[[str, int], None] = lambda text, at_ns: None
        self.on_published: Callable[[str], None] = lambda track: None

    async def join(self) -> None:
        """See `Line.join`.

        Raises:
            RoomFailure: The server cannot be reached or refuses.
        """
        token = self._seat.token(self._keys)
        # The agent runs beside its server, so a lost connection is the end.
        self._room = await Room.connect(
            self._hub, self._keys.url, token, self, timeout_s=LEAVE_TIMEOUT_S, resume_within_s=0
        )
        if not self._shape.tracks.late_s:
            await self._publish(self._room)
        self._room.greet_present()

    async def _publish(self, room: Room) -> None:
        async with asyncio.timeout(LEAVE_TIMEOUT_S):
            self._publication = await room.publish(name="agent-voice", dtx=True)
        self.on_published("agent-voice")

    async def heard_by_caller(self) -> None:
        """See `Line.heard_by_caller`."""
        await self._caller.active.wait()
        await self._heard.wait()

    async def carry(self, mouth: Mouth) -> None:
        """See `Line.carry`."""
        if self._room is None:
            return
        if self._publication is None:
            await asyncio.sleep(self._shape.tracks.late_s)
            await self._publish(self._room)
        if self._publication is None:
            return
        speaker = _Speaker(
            mouth, self._publication, self._coded, sends_silence=self._shape.publish.in_silence == "packets"
        )
        self._hub.pacer.add_sender(speaker.send)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._hub.pacer.remove(speaker.send)
            speaker.close()

    async def heard(self, frame_ms: int) -> AsyncGenerator[tuple[Pcm, int], None]:
        """See `Line.heard`; yields 40 ms of received audio at a time, whatever `frame_ms` is."""
        del frame_ms
        while True:
            yield await self._frames.get()

    async def jitter_buffer(self) -> dict[str, float | int]:
        """See `Line.jitter_buffer`: this line has none."""
        return {}

    async def send(self, payload: dict[str, Any] | bytes, *, topic: str = REPLY_TOPIC) -> int:
        """See `Line.send`."""
        at_ns = self._clock.now_ns()
        if self._room is not None:
            with contextlib.suppress(ConnectionError):  # the room is gone, which is reported elsewhere
                self._room.send_data(topic, frame_of(payload))
        return at_ns

    async def leave(self) -> None:
        """See `Line.leave`."""
        await self.drop()

    async def drop(self) -> None:
        """See `Line.drop`."""
        self._caller.close()
        self._stop_ear()
        if self._room is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.close(), LEAVE_TIMEOUT_S)

    # -- RoomEvents ------------------------------------------------------------------------------------------------

    def participant_came(self, t_ns: int, participant: Participant) -> None:
        """See `RoomEvents`."""
        del t_ns
        self._caller.take(participant.identity, is_agent=participant.is_agent)

    def participant_changed(self, t_ns: int, participant: Participant) -> None:
        """See `RoomEvents`."""

    def participant_active(self, t_ns: int, identity: str) -> None:
        """See `RoomEvents`."""
        del t_ns
        self._caller.became_active(identity)

    def participant_went(self, t_ns: int, identity: str) -> None:
        """See `RoomEvents`."""
        del t_ns
        self._caller.left(identity)

    def microphone_heard(self, t_ns: int) -> None:
        """See `RoomEvents`."""
        del t_ns
        self._heard.set()

    def track_came(self, t_ns: int, track: RemoteTrack) -> None:
        """See `RoomEvents`; a caller that rejoins is heard on its new track."""
        if not self._caller.is_caller(track.identity) or self._room is None:
            return
        self._stop_ear()
        self._ear = _Receiver(t_ns, self._frames)
        self._hub.pacer.add_listener(self._ear.listen)
        self._room.listen(track, self._ear.arrived)

    def _stop_ear(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            self._hub.pacer.remove(ear.listen)
            ear.close()

    def track_went(self, t_ns: int, track: RemoteTrack) -> None:
        """See `RoomEvents`."""

    def track_muted(self, t_ns: int, track: RemoteTrack, muted: bool) -> None:
        """See `RoomEvents`."""

    def data_came(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """See `RoomEvents`."""
        del identity
        text = text_of(topic, payload)
        if text is not None:
            self.on_text(text, t_ns)

    def reconnecting(self, t_ns: int, why: str) -> None:
        """See `RoomEvents`."""

    def reconnected(self, t_ns: int, how: str) -> None:
        """See `RoomEvents`."""

    def disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """See `RoomEvents`."""
        del t_ns, reason, by_service
        self.over.set()


class Coded:
    """Cache of encoded packets, keyed by their samples and those of the packet before, on which coding also depends."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._packets: dict[tuple[bytes, bytes], bytes] = {}

    def get(self, encoder: Encoder, before: bytes, pcm: Pcm) -> bytes:
        """The packet for `(960,)` int16 samples that follow the packet with the digest `before`."""
        key = (before, _digest(pcm))
        packet = self._packets.get(key)
        if packet is None:
            packet = self._packets[key] = encoder.encode(pcm)
            if len(self._packets) > self._most:
                del self._packets[next(iter(self._packets))]
        return packet


def _digest(pcm: Pcm) -> bytes:
    return hashlib.blake2b(pcm.data, digest_size=16).digest()


class _Speaker:
    """Sends a mouth's audio, one packet per pacer tick; in silence one in `DTX_EVERY`, or none."""

    def __init__(self, mouth: Mouth, publication: Publication, coded: Coded, *, sends_silence: bool) -> None:
        self._sends_silence = sends_silence
        self._mouth = mouth
        self._publication = publication
        self._coded = coded if mouth.in_whole_frames else None
        self._before = b""
        self._encoder = Encoder(COMPLEXITY)
        self._silent = HANGOVER
        self._due_ns = 0

    def send(self, due_ns: int, now_ns: int) -> None:
        """See `pacer.Job`. The packet's middle sample is due now, so its first 10 ms frame was due 10 ms ago."""
        del now_ns
        self._due_ns = due_ns
        first, second = self._mouth.sound(due_ns - FRAME_NS), self._mouth.sound(due_ns)
        if first is None and second is None:
            self._send_silence()
            return
        self._silent = 0
        packet = np.zeros(2 * FRAME, np.int16)
        for place, frame in ((0, first), (FRAME, second)):
            if frame is not None:
                packet[place : place + FRAME] = frame
        self._publication.send(self._encoded(packet), self._left)

    def _encoded(self, packet: Pcm) -> bytes:
        if self._coded is None:
            return self._encoder.encode(packet)
        coded = self._coded.get(self._encoder, self._before, packet)
        self._before = _digest(packet)
        return coded

    def _send_silence(self) -> None:
        self._silent += 1
        if self._silent <= HANGOVER:
            # The first of them contains the samples that the encoder's look-ahead held back.
            payload = self._encoded(np.zeros(2 * FRAME, np.int16)) if self._silent <= 2 else silence()
            self._publication.send(payload, self._left)
        elif self._sends_silence and (self._silent - HANGOVER) % DTX_EVERY == 1:
            self._publication.send(DTX_PACKET, self._left)
        else:
            self._publication.skip()

    def _left(self, left_ns: int) -> None:
        self._mouth.left(max(0, left_ns - self._due_ns))

    def close(self) -> None:
        """Closes the encoder; nothing more may be sent."""
        self._encoder.close()


class _Receiver:
    """Decodes the caller's packets in order, at 16 kHz."""

    def __init__(self, start_ns: int, frames: asyncio.Queue[tuple[Pcm, int]]) -> None:
        self._reception = Reception(start_ns)
        self._frames = frames
        self._decoder = Decoder(HEARD_RATE_HZ)
        self._settled = 0
        self._turn = next(_TURNS) % HEAR_EVERY  # spreads the agents over the ticks

    def arrived(self, packet: RtpPacket, came_ns: int) -> None:
        """Handles a packet from the caller."""
        self._reception.arrived(packet, came_ns)

    def listen(self, due_ns: int, now_ns: int) -> None:
        """See `pacer.Job`."""
        del due_ns
        self._turn = (self._turn + 1) % HEAR_EVERY
        if self._turn:
            return
        for piece in self._reception.play(now_ns):
            pcm = np.zeros(piece.samples // _RATIO, np.int16)
            if piece.payload is not None:
                self._settled = self._settled + 1 if piece.payload == silence() else 0
                if self._settled <= SETTLED:
                    self._decoder.decode(piece.payload, pcm)
            # A frame has arrived once its last sample has.
            end_ns = self._reception.wire_at(piece.position) + piece.samples * NS_PER_S // 48_000
            self._frames.put_nowait((pcm, end_ns))

    def close(self) -> None:
        """Closes the decoder; nothing more may be heard."""
        self._decoder.close()


assert 2 * FRAME_NS == PACKET_NS  # noqa: S101 - `_Speaker.send` relies on it
