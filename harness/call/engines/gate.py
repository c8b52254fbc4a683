"""Where many joins begin together, each begins a moment after the one before: it is milliseconds of cryptography.

What is waited for is our own event loop and nothing else. However long a server takes to answer, it keeps no other
call from asking it: a load that a slow server slows down would not be the load that was asked for.
"""

from __future__ import annotations

import asyncio

STEP_S = 0.01  # between two that begin
LATE_S = 0.005  # a loop that comes round to a step so late is still at the cryptography of those before
MOST_STEPS = 10  # a loop that is late for reasons of its own keeps nobody waiting for longer


class Gate:
    """Lets one in after the other, as fast as the event loop has time for them."""

    def __init__(self) -> None:
        self._in_order = asyncio.Lock()
        self._next_s = 0.0

    async def wait(self) -> None:
        """Returns when it is the caller's turn; at once where nobody went in a moment ago."""
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
