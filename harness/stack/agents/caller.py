"""Who of a room's participants is the caller, and whether it is still there."""

from __future__ import annotations

import asyncio

OURS = ("agent-", "avatar-", "beside-")
"""How the identities of the stack's own participants begin, of whatever kind they are."""
RETURNS_WITHIN_S = 5.0


class CallerWatch:
    """The first participant that is neither of kind AGENT nor one of the stack's own.

    Args:
        returns: One that is gone is waited for, or another of its name, for `RETURNS_WITHIN_S`.

    Attributes:
        came: Set when a caller is in the room.
        active: Set when data and audio reach it.
        over: Set when it has left for good.
    """

    def __init__(self, *, returns: bool = False) -> None:
        self.came = asyncio.Event()
        self.active = asyncio.Event()
        self.over = asyncio.Event()
        self._returns = returns
        self._identity: str | None = None
        self._leaving: asyncio.TimerHandle | None = None

    def take(self, identity: str, *, is_agent: bool) -> bool:
        """Someone is in the room; whether it is the caller."""
        if self._identity is None and not is_agent and not identity.startswith(OURS):
            self._identity = identity
            self.came.set()
        if identity != self._identity:
            return False
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        return True

    def is_caller(self, identity: str) -> bool:
        """Whether this is the caller."""
        return identity == self._identity

    def became_active(self, identity: str) -> None:
        """Someone's connection is made."""
        if identity == self._identity:
            self.active.set()

    def left(self, identity: str) -> None:
        """Someone has left."""
        if identity != self._identity:
            return
        if not self._returns:
            self.over.set()
        elif self._leaving is None:
            self._leaving = asyncio.get_running_loop().call_later(RETURNS_WITHIN_S, self.over.set)

    def close(self) -> None:
        """Waits for nobody any more."""
        if self._leaving is not None:
            self._leaving.cancel()
