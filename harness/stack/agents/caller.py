"""Decides which participant of a room is the caller, and whether it is still there."""

from __future__ import annotations

import asyncio

OURS = ("agent-", "avatar-", "beside-")  # identity prefixes of the stack's own participants, whatever their kind
RETURNS_WITHIN_S = 5.0


class CallerWatch:
    """Picks the first participant that is neither of kind AGENT nor one of the stack's own.

    Args:
        returns: Whether to wait up to `RETURNS_WITHIN_S` for a caller who left, or another of its identity.

    Attributes:
        came: Set once a caller is in the room.
        active: Set once data and audio reach the caller.
        over: Set once the caller has left for good.
    """

    def __init__(self, *, returns: bool = False) -> None:
        self.came = asyncio.Event()
        self.active = asyncio.Event()
        self.over = asyncio.Event()
        self._returns = returns
        self._identity: str | None = None
        self._leaving: asyncio.TimerHandle | None = None

    def take(self, identity: str, *, is_agent: bool) -> bool:
        """Handles a participant in the room; returns whether it is the caller."""
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
        """Whether this participant is the caller."""
        return identity == self._identity

    def became_active(self, identity: str) -> None:
        """Handles a participant's media connection being established."""
        if identity == self._identity:
            self.active.set()

    def left(self, identity: str) -> None:
        """Handles a participant leaving."""
        if identity != self._identity:
            return
        if not self._returns:
            self.over.set()
        elif self._leaving is None:
            self._leaving = asyncio.get_running_loop().call_later(RETURNS_WITHIN_S, self.over.set)

    def close(self) -> None:
        """Stops waiting for a caller to return."""
        if self._leaving is not None:
            self._leaving.cancel()
