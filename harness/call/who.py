"""Decides which participant is the agent: a pure function of who is there, evaluated again on every change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.call.engines.line import Participant
from harness.clock import NS_PER_S

FOLLOWS_NS = 3 * NS_PER_S  # how long an AGENT may take to publish audio, or to follow one that left
PUBLISHES_NS = 10 * NS_PER_S  # a successor that came in time has this long to publish


@dataclass(slots=True)
class Person:
    """A participant in the room.

    Attributes:
        participant: Its identity and kind.
        came_ns: When it was first seen.
        audio_ns: When its first audio track was subscribed; None while it has none.
        has_spoken: Whether its voice was heard.
    """

    participant: Participant
    came_ns: int
    audio_ns: int | None = None
    has_spoken: bool = False

    @property
    def is_agent(self) -> bool:
        """Whether it joined as an agent."""
        return self.participant.kind == "agent"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A participant that may be the agent, with those who publish its voice."""

    identity: str
    is_agent: bool
    came_ns: int
    audio_ns: int | None
    has_spoken: bool

    @property
    def order_ns(self) -> int:
        """Sort key: the first to be heard goes first."""
        return self.came_ns if self.audio_ns is None else self.audio_ns


def candidates(people: Mapping[str, Person]) -> list[Candidate]:
    """All participants that may be the agent; those that publish another's voice are not separate."""
    found = []
    for identity, person in people.items():
        if person.participant.on_behalf_of in people:
            continue
        voices = [person, *(one for one in people.values() if one.participant.on_behalf_of == identity)]
        audio = [one.audio_ns for one in voices if one.audio_ns is not None]
        spoken = any(one.has_spoken for one in voices)
        found.append(Candidate(identity, person.is_agent, person.came_ns, min(audio, default=None), has_spoken=spoken))
    return found


def choose(
    people: Mapping[str, Person], *, current: str | None, named: str | None, now_ns: int
) -> tuple[Candidate | None, int | None]:
    """Chooses the agent, as far as is known, and when to decide again even without an event.

    An AGENT with audio takes precedence over anybody else with audio, and that over an AGENT without; an AGENT that
    joined less than 3 s ago may still publish. Of several, the one that speaks is the agent, otherwise the first. The
    current choice stays unless another takes precedence.

    Args:
        people: The participants in the room, by identity.
        current: The current choice.
        named: The only candidate, if the scenario or target names it.
        now_ns: The current time.
    """
    found = candidates(people)
    if named is not None:
        return next((one for one in found if one.identity == named), None), None
    yet_ns = [
        one.came_ns + FOLLOWS_NS
        for one in found
        if one.is_agent and one.audio_ns is None and now_ns < one.came_ns + FOLLOWS_NS
    ]
    for tier in (
        [one for one in found if one.is_agent and one.audio_ns is not None],
        [one for one in found if one.audio_ns is not None and (not yet_ns or one.identity == current)],
        [one for one in found if one.is_agent],
    ):
        if tier:
            speaks = [one for one in tier if one.has_spoken] or tier
            stays = next((one for one in speaks if one.identity == current), None)
            return stays or min(speaks, key=lambda one: one.order_ns), min(yet_ns, default=None)
    return None, min(yet_ns, default=None)


def follower(
    people: Mapping[str, Person], *, left: Person, left_ns: int, named: str | None = None
) -> tuple[Candidate | None, int | None]:
    """Chooses the successor of an agent that left, and until when an AGENT that came in time may still publish audio.

    An AGENT with audio qualifies; if the one that left was not an AGENT, so does anyone who joined after it. A `named`
    agent is followed only by itself, returning.
    """
    found = [one for one in candidates(people) if named in (None, one.identity)]
    able = [
        one
        for one in found
        if one.audio_ns is not None and (one.is_agent or (not left.is_agent and one.came_ns > left.came_ns))
    ]
    coming = [
        one.came_ns + PUBLISHES_NS
        for one in found
        if (one.is_agent or named is not None)
        and one.audio_ns is None
        and left_ns <= one.came_ns <= left_ns + FOLLOWS_NS
    ]
    return min(able, key=lambda one: one.order_ns, default=None), max(coming, default=None)
