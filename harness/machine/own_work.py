"""Records the longer pieces of work of our own process, to name what delayed a late event loop.

There is one ledger per process, since it has one interpreter, one garbage collector and one event loop. Recording costs
less than a microsecond; negligible pieces are not kept.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Literal, Self

from harness.clock import NS_PER_MS, Clock, SystemClock

# gc: the garbage collector. In threads, disk: a write to disk; measuring: a finished call being measured; saving: its
# recording being saved. On the event loop, hearing and sending: a slot's packets received and sent.
Work = Literal["gc", "disk", "measuring", "saving", "hearing", "sending"]
WORTH_NS = 2 * NS_PER_MS
KEPT = 512  # pieces of work; several seconds of a saturated process


class OwnWork:
    """Records pieces of work with their start and end; thread-safe."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._done: deque[tuple[Work, int, int]] = deque(maxlen=KEPT)
        self._under_way: set[_Piece] = set()
        self._collection_ns = 0
        self._watching = 0
        self.joining = 0
        """Number of calls that are joining a room now."""

    def now_ns(self) -> int:
        """The current time, to pass to `done` later."""
        return self._clock.now_ns()

    def done(self, work: Work, began_ns: int) -> None:
        """Records a piece of work that began at `began_ns` and ends now."""
        now_ns = self._clock.now_ns()
        if now_ns - began_ns >= WORTH_NS:
            self._done.append((work, began_ns, now_ns))

    def doing(self, work: Work) -> _Piece:
        """A context manager for work in another thread that may overlap a stall."""
        return _Piece(self, work)

    @contextmanager
    def joins(self) -> Iterator[None]:
        """A context manager for joining a room, whose cryptography runs on the event loop, a piece now and then."""
        self.joining += 1
        try:
            yield
        finally:
            self.joining -= 1

    def between(self, from_ns: int, until_ns: int) -> dict[Work, int]:
        """Time (ns) spent on each kind of work between two times; kinds without any are left out."""
        pieces = [*self._done, *((piece.work, piece.began_ns, until_ns) for piece in list(self._under_way))]
        found: dict[Work, int] = {}
        for work, began_ns, ended_ns in pieces:
            if (both_ns := min(ended_ns, until_ns) - max(began_ns, from_ns)) > 0:
                found[work] = found.get(work, 0) + both_ns
        return found

    def longest(self, work: Work, since_ns: int) -> int:
        """The longest piece (ns) of that work that ended since `since_ns`."""
        return max(
            (end - began for what, began, end in list(self._done) if what == work and end >= since_ns), default=0
        )

    # -- the garbage collector ---------------------------------------------------------------------------------------

    def watch_collector(self) -> None:
        """Starts recording the garbage collector's pauses."""
        self._watching += 1
        if self._watching == 1:
            gc.callbacks.append(self._collected)

    def unwatch_collector(self) -> None:
        """Undoes `watch_collector`."""
        self._watching -= 1
        if self._watching == 0:
            with suppress(ValueError):
                gc.callbacks.remove(self._collected)

    def _collected(self, phase: str, _: dict[str, Any]) -> None:
        if phase == "start":
            self._collection_ns = self._clock.now_ns()
        else:
            self.done("gc", self._collection_ns)

    def enter(self, piece: _Piece) -> None:
        """Marks the piece as under way."""
        self._under_way.add(piece)

    def leave(self, piece: _Piece) -> None:
        """Marks the piece as done."""
        self._under_way.discard(piece)
        self.done(piece.work, piece.began_ns)


class _Piece:
    """See `OwnWork.doing`."""

    __slots__ = ("_ledger", "began_ns", "work")

    def __init__(self, ledger: OwnWork, work: Work) -> None:
        self._ledger = ledger
        self.work = work
        self.began_ns = ledger.now_ns()

    def __enter__(self) -> Self:
        self._ledger.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger.leave(self)


OWN_WORK = OwnWork()  # this process's ledger
