"""What a room tells of: who is in it, what they send, and what becomes of the connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from livekit.protocol import models

ON_BEHALF_OF = "lk.publish_on_behalf"
"""The attribute in which one who publishes another's voice (an avatar) names that one."""
_KINDS = ("agent", "standard", "sip", "ingress", "egress")


@dataclass(frozen=True, slots=True)
class Participant:
    """Someone else in the room.

    Attributes:
        identity: The name in the room.
        sid: The server's name for this stay of it.
        kind: `agent`, `standard`, `sip`, `ingress`, `egress` or `other`.
        on_behalf_of: The identity whose voice it publishes (`lk.publish_on_behalf`); None where it is its own.
        joined_at_ms: By the server's time of day.
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
        """As the server describes it."""
        return cls(
            info.identity,
            info.sid,
            kind_name(info.kind),
            info.attributes.get(ON_BEHALF_OF) or None,
            # Older servers tell it in seconds only.
            info.joined_at_ms or info.joined_at * 1000,
        )


@dataclass(frozen=True, slots=True)
class RemoteTrack:
    """An audio track that is subscribed.

    Attributes:
        identity: Whose it is.
        sid: The server's name for it.
        ssrc: Its packets' source.
        is_encrypted: Whether its sender encrypts it end to end, so that nobody without the key can decode it.
        name: As its sender calls it; often empty.
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
    """What the token allows, as the server read it.

    Attributes:
        publish: A microphone may be published.
        subscribe: Others may be heard.
        publish_data: Data, and with it text, may be sent.
    """

    publish: bool
    subscribe: bool
    publish_data: bool

    @classmethod
    def of(cls, permission: models.ParticipantPermission) -> Rights:
        """As the server states it; an empty list of sources allows all of them."""
        sources = permission.can_publish_sources
        microphone = not sources or models.TrackSource.MICROPHONE in sources
        return cls(permission.can_publish and microphone, permission.can_subscribe, permission.can_publish_data)


class RoomEvents(Protocol):
    """What a room tells, from the event loop."""

    def participant_came(self, t_ns: int, participant: Participant) -> None:
        """Someone is in the room."""
        ...

    def participant_changed(self, t_ns: int, participant: Participant) -> None:
        """Something that is told of someone in the room is another now, as on whose behalf it publishes."""
        ...

    def participant_active(self, t_ns: int, identity: str) -> None:
        """Someone's connection is made: data and audio reach it."""
        ...

    def participant_went(self, t_ns: int, identity: str) -> None:
        """Someone has left."""
        ...

    def microphone_heard(self, t_ns: int) -> None:
        """Someone has subscribed to our microphone."""
        ...

    def track_came(self, t_ns: int, track: RemoteTrack) -> None:
        """A track is subscribed: its packets come. One that is muted is told as muted right after it."""
        ...

    def track_muted(self, t_ns: int, track: RemoteTrack, muted: bool) -> None:
        """A track that is there was muted, or is no longer."""
        ...

    def track_went(self, t_ns: int, track: RemoteTrack) -> None:
        """A track is there no more."""
        ...

    def data_came(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """A data packet came."""
        ...

    def reconnecting(self, t_ns: int, why: str) -> None:
        """The connection to the server was lost; it is being made again."""
        ...

    def reconnected(self, t_ns: int, how: str) -> None:
        """It was made again."""
        ...

    def disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """The room is gone, and not because we left it."""
        ...


def kind_name(kind: int) -> str:
    """A participant's kind in our words."""
    known = models.ParticipantInfo.Kind.values()
    name = (
        models.ParticipantInfo.Kind.Name(models.ParticipantInfo.Kind.ValueType(kind)).lower() if kind in known else ""
    )
    return name if name in _KINDS else "other"


def source_name(source: int) -> str:
    """A track's source, as LiveKit calls it, in lower case."""
    known = models.TrackSource.values()
    return models.TrackSource.Name(models.TrackSource.ValueType(source)).lower() if source in known else "unknown"
