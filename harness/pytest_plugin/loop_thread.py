"""A thread with the event loop on which all calls of a process run, apart from any loop of the tests.

A test's own loop may be blocked, in debug mode or of another kind, and would then make calls unfit. The main thread
only waits, so Ctrl-C, time limits and whatever else interrupts a test do so as usual.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from harness.process.signals import Signals

# Longer than a call that was cut takes to end and to be written.
_END_S = 60.0
T = TypeVar("T")
Work = Callable[[Signals], Coroutine[Any, Any, T]]


class LoopThread:
    """The thread; it starts at once and lasts until `close`, at most as long as the process."""

    def __init__(self) -> None:
        # Not the policy's loop: a project may have set another kind.
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="voice-harness calls", daemon=True)
        self._thread.start()

    def run(self, work: Work[T]) -> T:
        """Runs `work` and returns its result. If the waiting is interrupted, `work` is interrupted and waited for."""
        signals, future = self._begin(work)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                self._loop.call_soon_threadsafe(signals.interrupt)
                concurrent.futures.wait([future], timeout=_END_S)
            raise

    async def awaited(self, work: Work[T]) -> T:
        """The same, for a running event loop of asyncio; cancelling it interrupts `work`."""
        signals, future = self._begin(work)
        waiting = asyncio.wrap_future(future)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not future.done():
                self._loop.call_soon_threadsafe(signals.interrupt)
                with suppress(Exception):  # what counts is that it was cancelled
                    await asyncio.wait_for(asyncio.shield(waiting), _END_S)
            raise

    def _begin(self, work: Work[T]) -> tuple[Signals, concurrent.futures.Future[T]]:
        signals = Signals()

        async def under_signals() -> T:
            task = asyncio.current_task()
            signals.on_interrupt(task.cancel if task is not None else lambda: None)
            return await work(signals)

        return signals, asyncio.run_coroutine_threadsafe(under_signals(), self._loop)

    def close(self) -> None:
        """Ends the thread; what still runs on it is cancelled."""

        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await self._loop.shutdown_asyncgens()
            await self._loop.shutdown_default_executor()

        with suppress(concurrent.futures.TimeoutError):
            asyncio.run_coroutine_threadsafe(end(), self._loop).result(_END_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_END_S)
        if not self._thread.is_alive():
            self._loop.close()
