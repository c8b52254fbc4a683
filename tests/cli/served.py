"""Services for a command that runs in this process: they have a thread and an event loop of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")
LIMIT_S = 10


@contextmanager
def served(service: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enters the service in a thread, for the command has an event loop of its own; what fails there fails here."""
    up: Future[T] = Future()
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        try:
            async with service as entered:
                up.set_result(entered)
                await over.wait()
        except BaseException as problem:
            if not up.done():
                up.set_exception(problem)
            raise

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield up.result(LIMIT_S)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(LIMIT_S)
        loop.close()
