"""Staggers joins that begin together, since each takes milliseconds of cryptography.

It waits for our own event loop only. However slow a server is, no call is delayed by another's join: a load that a slow
server could throttle would not be the load that was asked for.
"""

from __future__ import annotations

import asyncio

STEP_S = 0.01  # seconds between two starts
LATE_S = 0.005  # a loop this late for a step is still busy with the cryptography of earlier joins
MOST_STEPS = 10  # limits the wait when the loop is late for other reasons


class Gate:
    """Admits one join after the other, as fast as the event loop has time for them."""

    def __init__(self) -> None:
        self._in_order = asyncio.Lock()
        self._next_s = 0.0

    async def wait(self) -> None:
        """Waits for its turn; returns at once if no other join has just started."""
        loop = asyncio.get_running_loop()
        async with self._in_order:
            for _ in range(MOST_STEPS):
                due_s = self._next_s
                if (wait_s := due_s - loop.time()) <= 0:
                    break
                await asyncio.sleep(wait_s)
                if loop.time() - due_s <= LATE_S:
                    break
                self._next_s = loop.time() + STEP_S
            self._next_s = loop.time() + STEP_S
