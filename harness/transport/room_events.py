"""Events of a room: who is in it, what they send, and what happens to the connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from livekit.protocol import models

# The attribute in which a participant that publishes another's voice (an avatar) names that other one.
ON_BEHALF_OF = "lk.publish_on_behalf"
_KINDS = ("agent", "standard", "sip", "ingress", "egress")


@dataclass(frozen=True, slots=True)
class Participant:
    """Another participant in the room.

    Attributes:
        identity: Its identity in the room.
        sid: The server's id for this stay.
        kind: `agent`, `standard`, `sip`, `ingress`, `egress` or `other`.
        on_behalf_of: The identity whose voice it publishes (`lk.publish_on_behalf`); None if it is its own.
        joined_at_ms: When it joined, by the server's time of day.
    """

    identity: str
    sid: str
    kind: str
    on_behalf_of: str | None
    joined_at_ms: int

    @property
    def is_agent(self) -> bool:
        """Whether its kind is AGENT."""
        return self.kind == "agent"

    @classmethod
    def of(cls, info: models.ParticipantInfo) -> Participant:
        """The participant that the server describes."""
        return cls(
            info.identity,
            info.sid,
            kind_name(info.kind),
            info.attributes.get(ON_BEHALF_OF) or None,
            # Older servers report it in seconds only.
            info.joined_at_ms or info.joined_at * 1000,
        )


@dataclass(frozen=True, slots=True)
class RemoteTrack:
    """A subscribed audio track.

    Attributes:
        identity: The participant that publishes it.
        sid: The server's id for it.
        ssrc: The SSRC of its packets.
        is_encrypted: Whether it is end-to-end encrypted, so that it cannot be decoded without the key.
        name: Its publisher's name for it; often empty.
        source: `microphone`, `screen_share_audio`, `unknown`, …: LiveKit's name in lower case.
    """

    identity: str
    sid: str
    ssrc: int
    is_encrypted: bool
    name: str = ""
    source: str = "unknown"


@dataclass(frozen=True, slots=True)
class Rights:
    """The token's permissions, as the server read them.

    Attributes:
        publish: Whether a microphone may be published.
        subscribe: Whether others may be heard.
        publish_data: Whether data, and so text, may be sent.
    """

    publish: bool
    subscribe: bool
    publish_data: bool

    @classmethod
    def of(cls, permission: models.ParticipantPermission) -> Rights:
        """The permissions that the server states; an empty list of sources allows all of them."""
        sources = permission.can_publish_sources
        microphone = not sources or models.TrackSource.MICROPHONE in sources
        return cls(permission.can_publish and microphone, permission.can_subscribe, permission.can_publish_data)


class RoomEvents(Protocol):
    """Receives a room's events, on the event loop."""

    def participant_came(self, t_ns: int, participant: Participant) -> None:
        """A participant is in the room."""
        ...

    def participant_changed(self, t_ns: int, participant: Participant) -> None:
        """A participant's metadata changed, for example on whose behalf it publishes."""
        ...

    def participant_active(self, t_ns: int, identity: str) -> None:
        """A participant's media connection is established: data and audio reach it."""
        ...

    def participant_went(self, t_ns: int, identity: str) -> None:
        """A participant has left."""
        ...

    def microphone_heard(self, t_ns: int) -> None:
        """Someone has subscribed to our microphone."""
        ...

    def track_came(self, t_ns: int, track: RemoteTrack) -> None:
        """A track is subscribed and its packets will arrive. For a muted track `track_muted` follows at once."""
        ...

    def track_muted(self, t_ns: int, track: RemoteTrack, muted: bool) -> None:
        """A track was muted or unmuted."""
        ...

    def track_went(self, t_ns: int, track: RemoteTrack) -> None:
        """A track has gone."""
        ...

    def data_came(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """A data packet arrived."""
        ...

    def reconnecting(self, t_ns: int, why: str) -> None:
        """The connection to the server was lost and is being re-established."""
        ...

    def reconnected(self, t_ns: int, how: str) -> None:
        """The connection was re-established."""
        ...

    def disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """The room has ended, other than by our leaving it."""
        ...


def kind_name(kind: int) -> str:
    """Our name for a participant's kind."""
    known = models.ParticipantInfo.Kind.values()
    name = (
        models.ParticipantInfo.Kind.Name(models.ParticipantInfo.Kind.ValueType(kind)).lower() if kind in known else ""
    )
    return name if name in _KINDS else "other"


def source_name(source: int) -> str:
    """LiveKit's name for a track's source, in lower case."""
    known = models.TrackSource.values()
    return models.TrackSource.Name(models.TrackSource.ValueType(source)).lower() if source in known else "unknown"
