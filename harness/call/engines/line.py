"""The seam between a call and its media: a joined room in which one speaks, hears, and sends data.

Two clocks of sound meet here. A position in what the caller says becomes the time at which the packet that holds it
left (`Speaking.left_ns`); a position in what the agent says becomes the time at which its packet came in
(`Heard.wire_ns`). Each engine answers both for itself: one reads them at its socket, another estimates them from what
its library tells.
All audio is (frames,) int16 mono at 48 kHz; all times are monotonic nanoseconds.
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
    """Someone else in the room.

    Attributes:
        identity: Its name; unique in the room.
        kind: What it joined as, by its token.
        on_behalf_of: The identity of the agent whose voice it publishes (attribute `lk.publish_on_behalf`), as avatars
            do.
    """

    identity: str
    kind: Kind = "standard"
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """An audio track that is subscribed, and heard from then on.

    Attributes:
        sid: Names the stream; no other of the call has the same, also where a track is subscribed again.
        identity: Whose it is.
        name: As its publisher named it.
        source: As its publisher declared it, LiveKit's words in lower case: microphone, screen_share_audio, unknown.
    """

    sid: str
    identity: str
    name: str = ""
    source: str = "microphone"


@dataclass(frozen=True, slots=True)
class Rights:
    """What the token allows, as the join's answer tells it."""

    publish: bool = True
    subscribe: bool = True
    publish_data: bool = True


@dataclass(frozen=True, slots=True)
class Heard:
    """A block of one track; `position` is its first sample's, counted from the track's first block.

    Positions have no gaps: what was not sent, or was lost, is handed over as silence.

    Attributes:
        track: Which one, by its `AudioTrack.sid`.
        samples: (frames,) int16 mono at 48 kHz.
        position: Of the first sample.
        wire_ns: When the packet with the first sample came in.
        ear_ns: When a person would have heard the first sample; None where the engine has no jitter buffer.
        late_ns: How much later than it could have we read this block.
        wire_of: Where the engine knows when each packet came in: tells it of a sample's position.
    """

    track: str
    samples: NDArray[np.int16]
    position: int
    wire_ns: int
    ear_ns: int | None = None
    late_ns: int = 0
    wire_of: Callable[[int], int] | None = None

    def wire_at(self, position: int) -> int:
        """When the packet with the sample at `position` (in or before this block) came in."""
        if self.wire_of is not None:
            return self.wire_of(position)
        return self.wire_ns + round((position - self.position) * NS_PER_SAMPLE)

    def ear_at(self, position: int) -> int | None:
        """When the sample at `position` could be heard."""
        return None if self.ear_ns is None else self.ear_ns + round((position - self.position) * NS_PER_SAMPLE)


@dataclass(frozen=True, slots=True)
class Media:
    """How a track came over in the second before; None where the engine cannot tell.

    Attributes:
        track: Which one, by its `AudioTrack.sid`.
        received: Packets that came.
        lost: Packets that did not, by their sequence numbers; below zero where ones given up came after all.
        samples: Samples handed over, silence included.
        concealed: Samples made up for missing ones; silence put in for silence is none of them.
        jitter_ms: Of the packets' spacing, as RTCP reports it (RFC 3550, 6.4.1).
        rtt_ms: To the server and back.
        jitter_buffer_ms: The mean time that a sample waited in the jitter buffer; None also where none came.
        behind_ms: By how much the sender's own clock fell behind the packets' arrivals, where none was missing: it had
            no time to send, or the network had none to carry.
        server_heard: Whether anything at all came from the server: what tells a dead agent from a dead line.
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
    """An utterance on its way out."""

    async def finished(self) -> None:
        """Returns when the last sample has left, or the line was hung up."""
        ...

    def said_ns(self, position: int) -> int:
        """When a person at this microphone would have said the sample at `position`: our own sending not in it."""
        ...

    def left_ns(self, position: int) -> int:
        """When the packet with the sample at `position` left, or will leave."""
        ...


class Line(Protocol):
    """A joined room. Every audio track in it is subscribed and heard."""

    @property
    def rights(self) -> Rights:
        """What the token allows."""
        ...

    async def publish(self, *, timeout_s: float) -> None:
        """Publishes the microphone; from then on silence flows.

        Raises:
            RoomFailure: room.publish_failed.
        """
        ...

    def last_packet_ns(self, track: str) -> int | None:
        """When the last packet of a track came, as far as is known; None where no track is heard by that name."""
        ...

    def speak(self, pcm: NDArray[np.int16], *, not_before_ns: int = 0) -> Speaking:
        """Sends (frames,) int16 mono at 48 kHz after what is being sent, and not before the time given."""
        ...

    async def send_data(self, topic: str, payload: bytes) -> int:
        """Sends a reliable packet; returns when it left."""
        ...

    async def hang_up(self) -> None:
        """Microphone off, room left, nothing kept. Safe to call twice; raises nothing."""
        ...


class LineEvents(Protocol):
    """What an engine tells a call, always from the event loop, in the order in which things happened."""

    def on_participant(self, t_ns: int, participant: Participant) -> None:
        """A remote participant is in the room, or what is known of it has changed."""
        ...

    def on_participant_left(self, t_ns: int, identity: str) -> None:
        """A remote participant has left; not told of what a reconnecting library makes up."""
        ...

    def on_audio_track(self, t_ns: int, track: AudioTrack) -> None:
        """An audio track is subscribed; its participant was told of before."""
        ...

    def on_audio_track_gone(self, t_ns: int, track: str) -> None:
        """A track is there no more: all of it that came has been handed over."""
        ...

    def on_track_muted(self, t_ns: int, track: str, *, muted: bool) -> None:
        """Its publisher muted a track, or took that back."""
        ...

    def on_heard(self, heard: Heard) -> None:
        """A block of audio of one track."""
        ...

    def on_media(self, t_ns: int, media: Media) -> None:
        """Once a second for each track: how it came over."""
        ...

    def on_data(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """A data packet came."""
        ...

    def on_sent(self, due_ns: int, left_ns: int, samples: NDArray[np.int16] | None) -> None:
        """One packet of the microphone left; `samples` is None for silence."""
        ...

    def on_overflow(self, t_ns: int) -> None:
        """A receive queue was full: audio was lost before it was read, or was read when it was worth nothing."""
        ...

    def on_broken(self, t_ns: int, what: str) -> None:
        """The line itself failed, by a fault of ours: it neither speaks nor hears any more."""
        ...

    def on_reconnecting(self, t_ns: int, why: str) -> None:
        """Our own connection to the room is lost, and the engine tries to get it back."""
        ...

    def on_reconnected(self, t_ns: int, how: str) -> None:
        """Our connection is there again; who is in the room has been told anew."""
        ...

    def on_disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """The room is gone; `by_service` where it was ended or we were removed, not lost."""
        ...


class Engine(Protocol):
    """Joins rooms."""

    name: str

    async def may_join(self) -> None:
        """What a join waits for first, so that many that begin together do not make packets late; in no number."""
        ...

    async def join(self, url: str, token: Secret, events: LineEvents, *, timeout_s: float) -> Line:
        """Joins the token's room.

        Raises:
            RoomFailure: room.unreachable, room.refused or room.timeout; the token is in none of them.
        """
        ...
