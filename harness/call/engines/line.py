"""The interface between a call and its media: a joined room in which one speaks, hears, and sends data.

Two sample clocks meet here. A position in what the caller says maps to the time at which the packet that holds it left
(`Speaking.left_ns`); a position in what the agent says maps to the time at which its packet arrived (`Heard.wire_ns`).
One engine reads both at its socket, another estimates them from what its library reports.
All audio is `(frames,)` int16 mono at 48 kHz; all times are monotonic nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.secret import Secret

SAMPLE_RATE = 48_000
NS_PER_SAMPLE = 1e9 / SAMPLE_RATE

Kind = Literal["agent", "standard", "sip", "ingress", "egress", "other"]


@dataclass(frozen=True, slots=True)
class Participant:
    """Another participant in the room.

    Attributes:
        identity: Its identity; unique in the room.
        kind: The kind that its token declares.
        on_behalf_of: The identity of the agent whose voice it publishes, as avatars do (attribute
            `lk.publish_on_behalf`).
    """

    identity: str
    kind: Kind = "standard"
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """A subscribed audio track, which is heard from then on.

    Attributes:
        sid: The stream's id; unique within the call, even if a track is subscribed again.
        identity: The participant that publishes it.
        name: Its publisher's name for it.
        source: The source declared by its publisher, LiveKit's name in lower case: microphone, screen_share_audio,
            unknown.
    """

    sid: str
    identity: str
    name: str = ""
    source: str = "microphone"


@dataclass(frozen=True, slots=True)
class Rights:
    """The token's permissions, as in the server's answer to the join."""

    publish: bool = True
    subscribe: bool = True
    publish_data: bool = True


@dataclass(frozen=True, slots=True)
class Heard:
    """A block of one track; `position` is its first sample's, counted from the track's first block.

    Positions have no gaps: what was not sent, or was lost, is delivered as silence.

    Attributes:
        track: The track's `AudioTrack.sid`.
        samples: `(frames,)` int16 mono at 48 kHz.
        position: Position of the first sample.
        wire_ns: When the packet with the first sample arrived.
        ear_ns: When a person would have heard the first sample; None if the engine has no jitter buffer.
        late_ns: How much later than possible we read this block.
        wire_of: Returns the arrival time of the sample at a position, where the engine knows it for each packet.
    """

    track: str
    samples: NDArray[np.int16]
    position: int
    wire_ns: int
    ear_ns: int | None = None
    late_ns: int = 0
    wire_of: Callable[[int], int] | None = None

    def wire_at(self, position: int) -> int:
        """When the packet with the sample at `position` (in or before this block) arrived."""
        if self.wire_of is not None:
            return self.wire_of(position)
        return self.wire_ns + round((position - self.position) * NS_PER_SAMPLE)

    def ear_at(self, position: int) -> int | None:
        """When the sample at `position` could be heard; None if the engine has no jitter buffer."""
        return None if self.ear_ns is None else self.ear_ns + round((position - self.position) * NS_PER_SAMPLE)


@dataclass(frozen=True, slots=True)
class Media:
    """A track's reception in the last second; None where the engine cannot tell.

    Attributes:
        track: The track's `AudioTrack.sid`.
        received: Packets that arrived.
        lost: Packets that did not, by sequence number; negative if some that were given up on arrived after all.
        samples: Samples delivered, including silence.
        concealed: Samples concealed for missing ones; silence that replaces untransmitted silence does not count.
        jitter_ms: Interarrival jitter, as in RTCP (RFC 3550, 6.4.1).
        rtt_ms: Round-trip time to the server.
        jitter_buffer_ms: Mean time that a sample waited in the jitter buffer; None also if none arrived.
        behind_ms: By how much the sender's own clock fell behind the packets' arrivals, where none was missing: the
            sender was short of CPU, or the network congested.
        server_heard: Whether anything at all arrived from the server, which tells a dead agent from a dead line.
    """

    track: str
    received: int
    lost: int
    samples: int | None = None
    concealed: int | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    jitter_buffer_ms: float | None = None
    behind_ms: float | None = None
    server_heard: bool | None = None


class Speaking(Protocol):
    """An utterance being sent."""

    async def finished(self) -> None:
        """Returns once the last sample has left, or the line was hung up."""
        ...

    def said_ns(self, position: int) -> int:
        """When a person at this microphone would have said the sample at `position`: without our own sending delay."""
        ...

    def left_ns(self, position: int) -> int:
        """When the packet with the sample at `position` left, or will leave."""
        ...


class Line(Protocol):
    """A joined room. Every audio track in it is subscribed and heard."""

    @property
    def rights(self) -> Rights:
        """The token's permissions."""
        ...

    async def publish(self, *, timeout_s: float) -> None:
        """Publishes the microphone; from then on silence flows.

        Raises:
            RoomFailure: room.publish_failed.
        """
        ...

    def last_packet_ns(self, track: str) -> int | None:
        """When a track's last packet arrived, as far as is known; None for an unknown track."""
        ...

    def speak(self, pcm: NDArray[np.int16], *, not_before_ns: int = 0) -> Speaking:
        """Queues `(frames,)` int16 mono at 48 kHz after what is being sent, to start at `not_before_ns` or later."""
        ...

    async def send_data(self, topic: str, payload: bytes) -> int:
        """Sends a reliable data packet; returns its departure time."""
        ...

    async def hang_up(self) -> None:
        """Leaves the room and closes everything. Idempotent; never raises."""
        ...


class LineEvents(Protocol):
    """An engine's events for a call, always from the event loop, in the order in which they happened."""

    def on_participant(self, t_ns: int, participant: Participant) -> None:
        """A remote participant is in the room, or its metadata has changed."""
        ...

    def on_participant_left(self, t_ns: int, identity: str) -> None:
        """A remote participant has left; not reported for departures that a reconnecting library makes up."""
        ...

    def on_audio_track(self, t_ns: int, track: AudioTrack) -> None:
        """An audio track is subscribed; its participant was reported before."""
        ...

    def on_audio_track_gone(self, t_ns: int, track: str) -> None:
        """A track has gone; everything received on it has been delivered."""
        ...

    def on_track_muted(self, t_ns: int, track: str, *, muted: bool) -> None:
        """Its publisher muted or unmuted a track."""
        ...

    def on_heard(self, heard: Heard) -> None:
        """A block of audio of one track."""
        ...

    def on_media(self, t_ns: int, media: Media) -> None:
        """A track's statistics, once a second."""
        ...

    def on_data(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """A data packet arrived."""
        ...

    def on_sent(self, due_ns: int, left_ns: int, samples: NDArray[np.int16] | None) -> None:
        """One packet of the microphone left; `samples` is None for silence."""
        ...

    def on_overflow(self, t_ns: int) -> None:
        """A receive queue overflowed: audio was lost before it was read, or was read too late to be useful."""
        ...

    def on_broken(self, t_ns: int, what: str) -> None:
        """The line itself failed through a bug of ours: it neither sends nor receives any more."""
        ...

    def on_reconnecting(self, t_ns: int, why: str) -> None:
        """Our own connection to the room is lost, and the engine is trying to restore it."""
        ...

    def on_reconnected(self, t_ns: int, how: str) -> None:
        """Our connection is back; the participants in the room have been reported again."""
        ...

    def on_disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """The room has ended; `by_service` if it was closed or we were removed, rather than lost."""
        ...


class Engine(Protocol):
    """Joins rooms."""

    name: str

    async def may_join(self) -> None:
        """Staggers joins, so that many that begin together do not delay packets; part of no metric."""
        ...

    async def join(self, url: str, token: Secret, events: LineEvents, *, timeout_s: float) -> Line:
        """Joins the token's room.

        Raises:
            RoomFailure: room.unreachable, room.refused or room.timeout; never contains the token.
        """
        ...
