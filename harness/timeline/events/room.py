"""Events of the session and the room: joining it, who is in it, and which of them is the agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.timeline.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequested(Event):
    """A session was requested from the session service."""

    event: ClassVar[str] = "session.requested"
    held_back_ms: Annotated[float, "waited for our own session rate limit"] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated(Event):
    """The session service returned credentials."""

    event: ClassVar[str] = "session.created"
    room: str | None = None
    on_this_machine: Annotated[bool, "whether the media server runs on this machine"] = False
    retries: Annotated[int, "after a 429"] = 0
    retry_wait_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomConnecting(Event):
    """The join request was sent."""

    event: ClassVar[str] = "room.connecting"
    held_back_ms: Annotated[float, "waited for our own gate"] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomConnected(Event):
    """The room was joined."""

    event: ClassVar[str] = "room.connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class MicPublished(Event):
    """The caller's microphone was published."""

    event: ClassVar[str] = "mic.published"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantSeen(Event):
    """A participant is in the room, or more is known about it."""

    event: ClassVar[str] = "participant"
    identity: str
    kind: str
    on_behalf_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLeft(Event):
    """A participant left the room."""

    event: ClassVar[str] = "participant.left"
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackCame(Event):
    """An audio track was subscribed."""

    event: ClassVar[str] = "track.came"
    track: Annotated[str, "names the stream"]
    identity: str
    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackGone(Event):
    """An audio track ended."""

    event: ClassVar[str] = "track.gone"
    track: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackMuted(Event):
    """An audio track was muted."""

    event: ClassVar[str] = "track.muted"
    track: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackUnmuted(Event):
    """An audio track was unmuted."""

    event: ClassVar[str] = "track.unmuted"
    track: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSeen(Event):
    """The agent was identified, for the whole call; repeated if another participant turns out to be the agent."""

    event: ClassVar[str] = "agent.seen"
    identity: str
    by: Annotated[str, "`kind`: it is of kind AGENT; `audio`: it publishes audio; `name`: `agent_identity`"] = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSecond(Event):
    """A second agent is in the room; only in timelines from before `participant`."""

    event: ClassVar[str] = "agent.second"
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentJoined(Event):
    """The agent's audio was subscribed."""

    event: ClassVar[str] = "agent.joined"
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHandover(Event):
    """The agent left and another agent took over."""

    event: ClassVar[str] = "agent.handover"
    identity: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLeft(Event):
    """The agent left and no other took over."""

    event: ClassVar[str] = "agent.left"
    identity: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHungUp(Event):
    """The agent left, as the scenario expects."""

    event: ClassVar[str] = "agent.hung_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomReconnecting(Event):
    """The caller's own connection was lost."""

    event: ClassVar[str] = "room.reconnecting"
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomReconnected(Event):
    """The caller's own connection is back."""

    event: ClassVar[str] = "room.reconnected"
    how: str = ""
