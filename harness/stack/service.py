"""What all routes of the session service share."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.process.ports import ClosedPort
from harness.stack.shape import Cut, Shape
from harness.stack.tokens import LiveKitKeys

if TYPE_CHECKING:
    from harness.secret import Secret
    from harness.stack.agents_file import SessionFault

Overrides = Mapping[str, str]
# Makes the room and sends the agent there: room, agent, overrides.
Dispatch = Callable[[str, str, Overrides], Awaitable[None]]
# Where a caller of that room connects to.
UrlFor = Callable[[str], Awaitable[str]]

_PLAIN = Shape()


@dataclass
class Service:
    """What all routes of the service share.

    Attributes:
        api_key: The one key that is accepted.
        keys: What signs the callers' tokens.
        faults: Each agent's name, with what is wrong with its sessions, or None.
        dispatch: Called for each new session before it is answered.
        closed_port: Where nobody answers.
        limited: The agents whose `rate_limited_once` has been.
        shapes: Each agent's name with its shape, where that has to do with the caller.
        relayed_url: Gives the URL for a room whose caller's signalling can be cut.
        shared: Room and identity that all callers of an agent get, by its name.
        cuts: What is to become of the caller's signalling, by room.
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
    cuts: dict[str, Cut] = field(default_factory=dict)

    def shape(self, agent: str) -> Shape:
        """The agent's shape."""
        return self.shapes.get(agent, _PLAIN)

    async def url(self, agent: str, room: str) -> str:
        """Where the caller of that agent in that room connects to."""
        cut = self.shape(agent).line.cut
        if self.relayed_url is None or cut is None:
            return self.keys.url
        self.cuts[room] = cut
        return await self.relayed_url(room)

    def over(self, room: str) -> None:
        """Nothing of an agent is left in that room: nobody shares it any more."""
        self.cuts.pop(room, None)
        self.shared = {agent: place for agent, place in self.shared.items() if place[0] != room}

    def knows_key(self, offered: str) -> bool:
        """Whether this is the key, in a time that does not tell how much of it was right."""
        return hmac.compare_digest(offered.encode(errors="surrogateescape"), self.api_key.reveal().encode())
