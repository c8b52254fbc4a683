"""State shared by all routes of the session service."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.process.ports import ClosedPort
from harness.stack.reference_voice.url_rules import NO_PRIVATE_HOSTS, PrivateHosts
from harness.stack.shape import Cut, Shape
from harness.stack.tokens import LiveKitKeys

if TYPE_CHECKING:
    from harness.secret import Secret
    from harness.stack.agents_file import SessionFault

Overrides = Mapping[str, str]
# Creates the room and sends the agent there: room, agent, overrides.
Dispatch = Callable[[str, str, Overrides], Awaitable[None]]
# The URL to which a caller of that room connects.
UrlFor = Callable[[str], Awaitable[str]]

_PLAIN = Shape()


@dataclass
class Service:
    """State shared by all routes of the service.

    Attributes:
        api_key: The only key that is accepted.
        keys: The key pair that signs the callers' tokens.
        faults: The session fault of each agent by name, or None.
        dispatch: Called for each new session before it is answered.
        closed_port: A port on which nothing listens.
        limited: The agents whose `rate_limited_once` has been used up.
        shapes: The agents' shapes by name, for those that affect the caller.
        relayed_url: Returns the URL for a room whose caller's signalling can be cut.
        shared: Room and identity that all callers of an agent share, by the agent's name.
        private_hosts: Private hosts from which reference audio may be fetched.
        cuts: The cut of the caller's signalling, by room.
    """

    api_key: Secret
    keys: LiveKitKeys
    faults: Mapping[str, SessionFault | None]
    dispatch: Dispatch
    closed_port: ClosedPort = field(default_factory=ClosedPort)
    limited: set[str] = field(default_factory=set)
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    relayed_url: UrlFor | None = None
    shared: dict[str, tuple[str, str]] = field(default_factory=dict)
    private_hosts: PrivateHosts = NO_PRIVATE_HOSTS
    cuts: dict[str, Cut] = field(default_factory=dict)

    def shape(self, agent: str) -> Shape:
        """The agent's shape."""
        return self.shapes.get(agent, _PLAIN)

    async def url(self, agent: str, room: str) -> str:
        """The URL to which the caller of that agent in that room connects."""
        cut = self.shape(agent).line.cut
        if self.relayed_url is None or cut is None:
            return self.keys.url
        self.cuts[room] = cut
        return await self.relayed_url(room)

    def over(self, room: str) -> None:
        """Forgets a room that its agent has left, so that no later caller shares it."""
        self.cuts.pop(room, None)
        self.shared = {agent: place for agent, place in self.shared.items() if place[0] != room}

    def knows_key(self, offered: str) -> bool:
        """Whether `offered` is the key, compared in constant time."""
        return hmac.compare_digest(offered.encode(errors="surrogateescape"), self.api_key.reveal().encode())
