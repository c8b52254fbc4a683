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
from typing import Any, Generic, TypeVar

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
        running = _Running(work, self._loop)
        try:
            running.begin()
            return running.future.result()
        except BaseException:
            if not running.future.done() and running.interrupt():
                concurrent.futures.wait([running.future], timeout=_END_S)
            raise

    async def awaited(self, work: Work[T]) -> T:
        """The same, for a running event loop of asyncio; cancelling it interrupts `work`."""
        running = _Running(work, self._loop)
        running.begin()
        waiting = asyncio.wrap_future(running.future)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not running.future.done() and running.interrupt():
                with suppress(Exception):  # what counts is that it was cancelled
                    await asyncio.wait_for(asyncio.shield(waiting), _END_S)
            raise

    def close(self) -> None:
        """Ends the thread; what still runs on it is cancelled. Idempotent."""
        if self._loop.is_closed():
            return

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


class _Running(Generic[T]):
    """Work on the loop of another thread. All of it exists before it begins: Ctrl-C may come at any moment."""

    def __init__(self, work: Work[T], loop: asyncio.AbstractEventLoop) -> None:
        self.future = concurrent.futures.Future[T]()
        self._work = work
        self._loop = loop
        self._signals = Signals()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._run())
        self._signals.on_interrupt(self._task.cancel)

    async def _run(self) -> None:
        try:
            self.future.set_result(await self._work(self._signals))
        except asyncio.CancelledError:
            self.future.cancel()
            self.future.set_running_or_notify_cancel()
        except BaseException as problem:  # who waits for it raises it  # noqa: BLE001
            self.future.set_exception(problem)

    def interrupt(self) -> bool:
        """Interrupts it; returns whether it had begun."""
        heard = threading.Event()

        def interrupt() -> None:
            self._signals.interrupt()
            heard.set()

        self._loop.call_soon_threadsafe(interrupt)
        heard.wait(_END_S)
        return self._task is not None
