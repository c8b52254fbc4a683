"""The garbage collector, kept from stopping a process while packets wait.

A full collection looks at all that lives in the process: tens of milliseconds with the objects of fifty calls. It is
needed, since what a call leaves behind refers to itself. So what there is before the first call is left out for good,
and a full collection is made when no call runs, or when so many have ended that their memory counts.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, NEVER = 2000, 20, 1_000_000
MOST_ENDED = 100  # calls between two full collections; what they leave is some 0.3 MB each


class Collector:
    """Of one process. Make it when all is ready for the first call, and tell it of each that has ended."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        self._ended = 0

    def ended(self, *, alive: int) -> None:
        """A call has ended; so many still run."""
        self._ended += 1
        if alive == 0 or self._ended >= MOST_ENDED:
            self._ended = 0
            gc.collect()
