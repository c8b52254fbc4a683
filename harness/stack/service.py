"""What all routes of the session service share."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.stack.ports import ClosedPort
from harness.stack.tokens import LiveKitKeys

if TYPE_CHECKING:
    from harness.secret import Secret
    from harness.stack.agents_file import SessionFault

Overrides = Mapping[str, str]
# Makes the room and sends the agent there: room, agent, overrides.
Dispatch = Callable[[str, str, Overrides], Awaitable[None]]


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
    """

    api_key: Secret
    keys: LiveKitKeys
    faults: Mapping[str, SessionFault | None]
    dispatch: Dispatch
    closed_port: ClosedPort = field(default_factory=ClosedPort)
    limited: set[str] = field(default_factory=set)

    def knows_key(self, offered: str) -> bool:
        """Whether this is the key, in a time that does not tell how much of it was right."""
        return hmac.compare_digest(offered.encode(errors="surrogateescape"), self.api_key.reveal().encode())
