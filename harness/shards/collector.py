"""Controls the garbage collector, so that it does not stop a process for long while packets wait.

An ended call leaves reference cycles, which only a full collection frees. A full collection visits all live objects:
it took 19 to 49 ms of CPU for what a process holds before its first call, and 248 ms after a hundred ended calls
(54,000 objects to free). By default Python runs it only when the number of objects has grown by a quarter. Here the
objects that exist before the first call are frozen, and a full collection runs after every few ended calls and when no
call is left.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, NEVER = 700, 10, 1_000_000  # the first two are Python's defaults, which cost a millisecond at most
EVERY_ENDED = 4  # calls; each leaves about 540 objects, 2.5 ms of work


class Collector:
    """The collector of one process. Create it when everything is ready for the first call."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        self._ended = 0

    def ended(self, *, alive: int) -> None:
        """Counts an ended call; `alive` calls are still running."""
        self._ended += 1
        if alive == 0 or self._ended >= EVERY_ENDED:
            self._ended = 0
            gc.collect()
