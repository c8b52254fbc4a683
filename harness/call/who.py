"""Who of those in the room is the agent: a pure function of who is there, decided again whenever more is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.call.engines.line import Participant
from harness.clock import NS_PER_S

FOLLOWS_NS = 3 * NS_PER_S  # so long an AGENT has to publish audio before others are taken, and to follow one that left
PUBLISHES_NS = 10 * NS_PER_S  # one that follows in time has so long to publish


@dataclass(slots=True)
class Person:
    """Someone in the room.

    Attributes:
        participant: Who.
        came_ns: When it was seen first.
        audio_ns: When its first audio track was subscribed; None while it has none.
        has_spoken: Whether a voice was heard of it.
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
    """One that may be the agent, with those who publish its voice."""

    identity: str
    is_agent: bool
    came_ns: int
    audio_ns: int | None
    has_spoken: bool

    @property
    def order_ns(self) -> int:
        """The first to be heard goes first."""
        return self.came_ns if self.audio_ns is None else self.audio_ns


def candidates(people: Mapping[str, Person]) -> list[Candidate]:
    """All that may be the agent; one that publishes another's voice is no other."""
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
    """Who the agent is, as far as that is known, and when to ask again without anything having happened.

    An AGENT with audio goes before anybody else with audio, and that before an AGENT without; an AGENT that came less
    than 3 s ago may yet publish. Of several the one that speaks is the agent, else the first. One that is taken for it
    stays, unless another goes before it.

    Args:
        people: Those in the room, by identity.
        current: Who is taken for it now.
        named: The only one it may be, where the scenario or target says so.
        now_ns: The time.
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
    """Who follows an agent that left, and by when another AGENT that came in time may yet publish its audio.

    An AGENT with audio does; where the one that left was none, so does another that came after it. One that is `named`
    is followed by itself alone, come back.
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
