"""The calls that a driver waits for, and how each of them ends: with a result or a failure. Does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from harness.errors import OwnFailure


class Waiter(Protocol):
    """What waits for a call: a future of asyncio, or an `AsyncResult` of gevent."""

    def done(self) -> bool:
        """Whether it has a result or a failure, or was cancelled."""
        ...

    def set_result(self, result: dict[str, Any], /) -> None:
        """Sets the result: a `CallResult` in JSON."""
        ...

    def set_exception(self, exception: OwnFailure, /) -> None:
        """Sets the failure."""
        ...


W = TypeVar("W", bound=Waiter)


class AwaitedCalls(Generic[W]):
    """The waiters of the calls that are placed on shards.

    Args:
        waiter: Returns a new waiter.
    """

    def __init__(self, waiter: Callable[[], W]) -> None:
        self._waiter = waiter
        self._waiters: dict[str, W] = {}

    def begin(self, call: str) -> W:
        """Returns the waiter of a call that is placed now."""
        waiter = self._waiters[call] = self._waiter()
        return waiter

    def leave(self, call: str) -> None:
        """Forgets a call that is over; what is heard of it later has no effect."""
        self._waiters.pop(call, None)

    def end(self, call: str, result: dict[str, Any]) -> None:
        """Ends a call with its result, unless it has ended."""
        waiter = self._waiters.get(call)
        if waiter is not None and not waiter.done():
            waiter.set_result(result)

    def fail(self, lost: Mapping[str, OwnFailure]) -> None:
        """Fails calls that have not ended, by their ids."""
        for call, failure in lost.items():
            waiter = self._waiters.get(call)
            if waiter is not None and not waiter.done():
                waiter.set_exception(failure)
