"""Translates the SDK's view of a room to the types of `line.py`."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Protocol

from livekit import rtc

from harness.call.engines.line import AudioTrack, Kind, Participant
from harness.errors import JoinFailure
from harness.failures import FailureKind
from harness.transport.refusal import LIMIT_HINT, REFUSED_HINT, URL_HINT
from harness.transport.room_events import ON_BEHALF_OF

_KINDS: dict[int, Kind] = {
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD: "standard",
    rtc.ParticipantKind.PARTICIPANT_KIND_AGENT: "agent",
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP: "sip",
    rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS: "ingress",
    rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS: "egress",
}


def participant_of(participant: rtc.RemoteParticipant) -> Participant:
    """Translates a participant."""
    on_behalf_of = participant.attributes.get(ON_BEHALF_OF) or None
    return Participant(participant.identity, _KINDS.get(participant.kind, "other"), on_behalf_of)


def audio_track(sid: str, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> AudioTrack:
    """Translates a track, under our own sid."""
    source = rtc.TrackSource.Name(publication.source).removeprefix("SOURCE_").lower()
    return AudioTrack(sid, participant.identity, publication.name, source.replace("screenshare", "screen_share"))


class Permission(Protocol):
    """The part of the SDK's permission type that is used here; it has no public name."""

    @property
    def can_publish(self) -> bool:
        """Whether anything may be published."""
        ...

    @property
    def can_publish_sources(self) -> Container[int]:
        """The sources that may be published; empty for all."""
        ...


def can_publish_microphone(permission: Permission) -> bool:
    """Whether the token allows publishing a microphone; without a list of sources all are allowed."""
    sources = permission.can_publish_sources
    return permission.can_publish and (not sources or rtc.TrackSource.SOURCE_MICROPHONE in sources)


def connect_failure(message: str) -> JoinFailure:
    """Classifies the SDK's single exception by its message; leaves out URLs, which may contain tokens."""
    said = re.sub(r"(wss?|https?)://[^\s\"')]+", "<url>", message)[:300]
    lower = said.lower()
    kind: FailureKind
    if re.search(r"\b(401|403|404)\b|unauthor|forbidden|invalid token|expired|permission|not allowed", lower):
        kind, hint = "room.refused", REFUSED_HINT
    elif re.search(r"\b(429|503)\b|too many requests|service unavailable|limit exceeded", lower):
        kind, hint = "room.unreachable", LIMIT_HINT
    elif "timeout" in lower or "timed out" in lower:
        kind, hint = "room.timeout", "is the LiveKit server well, and are its UDP and TCP ports open?"
    else:
        kind, hint = "room.unreachable", URL_HINT
    return JoinFailure(kind, said, hint=hint)
