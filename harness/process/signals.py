"""SIGINT and SIGTERM during a run: the first stops the calls and writes the results, the second exits at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from harness.errors import EXIT_INTERRUPTED

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Handles both signals while it is entered, on the running event loop.

    Where it is not entered, no signal is handled: `interrupt` stands for the first one.

    A signal during something that must not be interrupted, such as writing the reports, has no effect: that is
    completed.

    Attributes:
        received: Whether a signal has arrived.
    """

    def __init__(self) -> None:
        self.received = False
        self._act: Callable[[], object] = lambda: None
        self._again: Callable[[], object] | None = None

    def on_interrupt(self, act: Callable[[], object], again: Callable[[], object] | None = None) -> None:
        """Calls `act` on the first signal, or at once if it has already arrived, and `again` on the second."""
        self._act, self._again = act, again
        if self.received:
            act()

    def interrupt(self) -> None:
        """Does what the first signal does, on the event loop; for calls that somebody else's signal handler ends."""
        if not self.received:
            self.received = True
            self._act()

    def __enter__(self) -> Signals:
        loop = asyncio.get_running_loop()
        for number in _NUMBERS:
            loop.add_signal_handler(number, self._receive)
        return self

    def _receive(self) -> None:
        if self.received:
            again, self._again = self._again, None
            if again is not None:
                again()
                return
            # The stack's processes watch our pipe: they end when we do.
            os._exit(EXIT_INTERRUPTED)
        self.interrupt()

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in _NUMBERS:
            with suppress(RuntimeError):
                loop.remove_signal_handler(number)


def run_interruptible(main: Callable[[Signals], Coroutine[Any, Any, int]]) -> int:
    """Run `main` on an event loop of its own and return its exit code.

    The first signal cancels it, until it asks for something else; cancelled, it has nothing to be written: 130.
    """

    async def under_signals() -> int:
        with Signals() as signals:
            task = asyncio.current_task()
            signals.on_interrupt(task.cancel if task is not None else lambda: None)
            return await main(signals)

    try:
        return asyncio.run(under_signals())
    except asyncio.CancelledError:
        return EXIT_INTERRUPTED
