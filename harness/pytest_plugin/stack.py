"""One embedded stack for all tests of a pytest session: started by the first that needs it, stopped at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from harness.errors import StackError
from harness.run.make_run import environment_restored
from harness.stack.embedded import EmbeddedStack, StackAddress


class OneStack:
    """The stack, on the event loop of calls.

    Args:
        say: Shows what takes long.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._starting = asyncio.Lock()
        self._stack: EmbeddedStack | None = None
        self._watching: asyncio.Task[StackError] | None = None

    async def address(self, *, agents_file: Path | None, truth_log: Path, agent: str) -> StackAddress:
        """Returns where the stack is; the first call starts it.

        Args:
            agents_file: Adds to the built-in agents, or replaces them.
            truth_log: The file for what the agents heard and sent.
            agent: The agent whose models are loaded first.

        Raises:
            StackError: It did not start, or it has fallen.
            ConfigError: The agents file, the agent or the named LiveKit server is not usable.
        """
        async with self._starting:
            if self._stack is None:
                truth_log.parent.mkdir(parents=True, exist_ok=True)
                with environment_restored():
                    self._stack = await EmbeddedStack.start(
                        say=self._say, agents_file=agents_file, truth_log=truth_log, warm=(agent,)
                    )
                self._watching = asyncio.create_task(self._stack.wait_fallen())
        if self._watching is not None and self._watching.done():
            raise self._watching.result()
        return self._stack.address

    @property
    def fall(self) -> StackError | None:
        """Why the stack ended before its time; None if it did not."""
        over = self._watching is not None and self._watching.done() and not self._watching.cancelled()
        return self._watching.result() if over and self._watching is not None else None

    async def stop(self) -> None:
        """Stops it; on return nothing of it is left."""
        async with self._starting:
            if self._watching is not None:
                self._watching.cancel()
            if self._stack is not None:
                await self._stack.stop()
