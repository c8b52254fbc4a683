"""State shared by all routes of the session service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.process.ports import ClosedPort
from harness.stack.reference_voice.url_rules import NO_PRIVATE_HOSTS, PrivateHosts
from harness.stack.service.allowed import Allowed
from harness.stack.service.keys import KeyRing, RateLimit
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import spec_of
from harness.stack.shape import Cut, Shape
from harness.stack.tokens import LiveKitKeys

if TYPE_CHECKING:
    from harness.secret import Secret
    from harness.stack.agents_file import AgentSpec, SessionFault

Overrides = Mapping[str, str]
# The URL to which a caller of that room connects.
UrlFor = Callable[[str], Awaitable[str]]
# Called with the room, the agent and the caller's identity of a new session.
OnSession = Callable[[str, str, str], None]

_PLAIN = Shape()


class Dispatch(Protocol):
    """Creates the room and sends the agent there."""

    async def __call__(self, room: str, agent: str, overrides: Overrides, /, *, spec: AgentSpec | None = None) -> None:
        """`spec` are the agent's settings, if they are not those of the agents file."""
        ...


def _tell_nobody(_room: str, _agent: str, _caller: str) -> None: ...


@dataclass
class Service:
    """State shared by all routes of the service.

    Attributes:
        api_key: The key of this run, stored nowhere; None if only those of the database are accepted.
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
        store: The database of keys and agents; without one there are only the agents of the file.
        limit: How many sessions each key may create.
        on_session: Called for each new session, just before its agent is sent to the room.
    """

    api_key: Secret | None
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
    store: Store | None = None
    limit: RateLimit = field(default_factory=RateLimit)
    on_session: OnSession = _tell_nobody

    @property
    def ring(self) -> KeyRing:
        """The keys that are accepted."""
        return KeyRing(self.store, self.api_key)

    @property
    def allowed(self) -> Allowed:
        """What a reference voice may be that comes over HTTP: no file."""
        return Allowed(self.private_hosts)

    async def stored(self, agent: str) -> AgentSpec | None:
        """The settings of a stored agent; None if there is none, or it is as the agents file has it."""
        store = self.store
        if store is None:
            return None
        return await store.read(lambda database: spec_of(database, agent, store.passages))

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
