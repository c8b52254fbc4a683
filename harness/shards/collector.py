"""The garbage collector, kept from stopping a process for long while packets wait.

What a call leaves behind refers to itself, so it stays until a full collection, which looks at all that lives. Of
what a process holds before its first call that took 19 to 49 ms of CPU; of what a hundred ended calls had left
(54,000 objects to be taken apart) 248. Python leaves it until there is a quarter more than before. Here what there is
before the first call is left out for good, and a full collection follows every few calls that have ended, and the
last one.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, NEVER = 700, 10, 1_000_000  # the first two as Python has them: a millisecond at the most
EVERY_ENDED = 4  # calls; each leaves some 540 objects, 2.5 ms of work


class Collector:
    """Of one process. Make it when all is ready for the first call, and tell it of each that has ended."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        self._ended = 0

    def ended(self, *, alive: int) -> None:
        """Notes that a call has ended while `alive` others still run."""
        self._ended += 1
        if alive == 0 or self._ended >= EVERY_ENDED:
            self._ended = 0
            gc.collect()
