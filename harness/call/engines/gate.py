"""Joins one after the other where many begin together: each is milliseconds of cryptography, and packets wait."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

MOST_AT_ONCE = 3
HELD_S = 0.5  # a join that takes longer waits for the network, and costs nothing meanwhile


class Gate:
    """Lets so many in at once; each leaves by itself after `HELD_S`."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    def __call__(self) -> Pass:
        """One passage."""
        return Pass(self._places)


class Pass:
    """An async context manager: waits for a place, and gives it back."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._places.acquire()
        self._timer = asyncio.get_running_loop().call_later(HELD_S, self._leave)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._places.release()
