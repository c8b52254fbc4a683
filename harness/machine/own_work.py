"""What our own process did at length, noted as it is done: it names what a late event loop was late for.

One ledger for the whole process, since the interpreter, its garbage collector and its event loop are one as well.
Noting costs less than a microsecond; what took no time to speak of is not kept.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Literal, Self

from harness.clock import NS_PER_MS, Clock, SystemClock

Work = Literal["gc", "disk", "measuring", "saving", "hearing", "sending"]
"""The garbage collector; in threads a write to disk, a finished call measured, its recording saved; on the event loop a
slot's packets heard, a slot's packets sent."""
WORTH_NS = 2 * NS_PER_MS
KEPT = 512  # pieces of work; several seconds of a process that has no time left


class OwnWork:
    """Notes pieces of work with when they began and ended; any thread may."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._done: deque[tuple[Work, int, int]] = deque(maxlen=KEPT)
        self._under_way: set[_Piece] = set()
        self._collection_ns = 0
        self._watching = 0
        self.joining = 0
        """How many calls are joining a room now."""

    def now_ns(self) -> int:
        """The time, for `done`."""
        return self._clock.now_ns()

    def done(self, work: Work, began_ns: int) -> None:
        """A piece of work that began then is done."""
        now_ns = self._clock.now_ns()
        if now_ns - began_ns >= WORTH_NS:
            self._done.append((work, began_ns, now_ns))

    def doing(self, work: Work) -> _Piece:
        """A context manager around work that a stall may fall into: of another thread."""
        return _Piece(self, work)

    @contextmanager
    def joins(self) -> Iterator[None]:
        """Around the joining of a room: its cryptography is done on the event loop, a piece now and then."""
        self.joining += 1
        try:
            yield
        finally:
            self.joining -= 1

    def between(self, from_ns: int, until_ns: int) -> dict[Work, int]:
        """For how long (ns) each kind of work was done between two times; of what was not done, nothing."""
        pieces = [*self._done, *((piece.work, piece.began_ns, until_ns) for piece in list(self._under_way))]
        found: dict[Work, int] = {}
        for work, began_ns, ended_ns in pieces:
            if (both_ns := min(ended_ns, until_ns) - max(began_ns, from_ns)) > 0:
                found[work] = found.get(work, 0) + both_ns
        return found

    def longest(self, work: Work, since_ns: int) -> int:
        """The longest piece (ns) of that work that has ended since."""
        return max(
            (end - began for what, began, end in list(self._done) if what == work and end >= since_ns), default=0
        )

    # -- the garbage collector ---------------------------------------------------------------------------------------

    def watch_collector(self) -> None:
        """From now on the garbage collector's pauses are noted."""
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
        """It is under way."""
        self._under_way.add(piece)

    def leave(self, piece: _Piece) -> None:
        """It is done."""
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


OWN_WORK = OwnWork()
"""The ledger of this process."""
