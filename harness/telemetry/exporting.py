"""Starts the exporting process of a run, tells it what to follow, and ends it once the run is written."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.caller.lost_call import how_it_ended
from harness.errors import StackError
from harness.process.child import Child
from harness.process.lines import error_in
from harness.process.log_tail import LogTail
from harness.process.ports import LOOPBACK
from harness.proxies import given_environment, proxy_for, without_proxies
from harness.secret import without_keys
from harness.target.shown import shown_text
from harness.telemetry.options import Telemetry
from harness.text.counted import counted

COMMAND = (sys.executable, "-m", "harness.telemetry.process")
# Longer than the process waits for its last scrape and for a slow collector.
END_S = 90.0
GRACE_S = 3.0
_LINES_SHOWN = 5
_SAID_CHARS = 600

Say = Callable[[str], None]


class Exporting:
    """The export of one run; made by `exporting`. Without a process, all of it does nothing."""

    def __init__(self, say: Say, telemetry: Telemetry | None) -> None:
        self._say = say
        self._telemetry = telemetry
        self._child: Child | None = None
        self._watching: asyncio.Task[None] | None = None
        otlp = None if telemetry is None else telemetry.otlp
        self._keys = [] if otlp is None else otlp.keys()
        self._log_tail = LogTail(self._keys)
        new = asyncio.get_running_loop().create_future
        self._ready: asyncio.Future[dict[str, Any]] = new()
        self._following: asyncio.Future[dict[str, Any]] = new()
        self._ended: asyncio.Future[dict[str, Any]] = new()
        self._hurrying: asyncio.Future[None] | None = None
        self._is_written = False

    @property
    def pid(self) -> int | None:
        """The id of the process; None if there is none."""
        return None if self._child is None else self._child.pid

    async def start(self) -> None:
        """Starts the process and says where the metrics are.

        Raises:
            UsageError: The port or the settings of the environment cannot be used.
            StackError: The process did not start.
        """
        if self._telemetry is None:
            return
        child = await Child.start(
            "live metrics", COMMAND, log_tail=self._log_tail, on_message=self._take, env=self._environment()
        )
        self._child = child
        self._watching = asyncio.create_task(self._watch(child))
        await child.send(self._telemetry.order())
        await self._come(self._ready)
        if not self._ready.done():
            raise StackError(f"the process for live metrics did not start: {self._log_tail.last(_LINES_SHOWN)}")
        message = self._ready.result()
        if "error" in message:
            raise error_in(message)
        if (port := message["ready"]["port"]) is not None:
            self._say(f"metrics: http://{LOOPBACK}:{port}/metrics")
        if self._telemetry.otlp is not None:
            self._say(f"traces: sent to {self._telemetry.otlp.url}")

    def _environment(self) -> dict[str, str]:
        """Our environment without keys; with proxies only if the collector is reached by one."""
        environment = without_keys(given_environment())
        otlp = None if self._telemetry is None else self._telemetry.otlp
        return environment if otlp is not None and proxy_for(otlp.url) else without_proxies(environment)

    async def follow(self, folder: Path) -> None:
        """The run's folder exists: its calls are exported from when this returns."""
        if self._child is not None:
            await self._child.send({"follow": str(folder.resolve())})
            await self._come(self._following)

    async def finish(self, *, wait: bool) -> None:
        """The run is written: exports the rest of it.

        Args:
            wait: Whether to wait for a last scrape; not after Ctrl-C.
        """
        self._is_written = True
        if self._child is None or self._child.has_ended:
            return
        await self._child.send({"end": {"wait": wait}})
        await self._come(self._ended)
        lost = self._ended.result()["lost"] if self._ended.done() else 0
        if lost:
            delivered = self._ended.result()["delivered"]
            self._say(f"traces: {counted(lost, 'span')} of {lost + delivered} were not delivered")

    def hurry(self) -> None:
        """Waits for no last scrape."""
        if self._child is not None:
            self._hurrying = asyncio.ensure_future(self._child.send({"hurry": True}))

    async def stop(self) -> None:
        """Ends the process, whatever it is doing."""
        self._is_written = True
        if self._watching is not None:
            self._watching.cancel()
        if self._child is not None:
            await self._child.stop(grace_s=GRACE_S)

    async def _come(self, message: asyncio.Future[dict[str, Any]]) -> None:
        """Returns once the message came, or none will come."""
        waited: set[asyncio.Future[Any]] = {message}
        if self._watching is not None:
            waited.add(self._watching)
        await asyncio.wait(waited, timeout=END_S, return_when=asyncio.FIRST_COMPLETED)

    def _take(self, message: dict[str, Any]) -> None:
        if "say" in message:
            self._say(shown_text(str(message["say"]), limit=_SAID_CHARS, secrets=self._keys))
        elif "following" in message:
            self._following.set_result(message)
        elif "ended" in message:
            self._ended.set_result(message["ended"])
        else:
            self._ready.set_result(message)

    async def _watch(self, child: Child) -> None:
        """Says if the process ends before the run does, which goes on without it."""
        code = await child.wait()
        if self._ready.done() and "ready" in self._ready.result() and not self._is_written:
            told = self._log_tail.last(_LINES_SHOWN)
            self._say(f"live metrics ended unexpectedly, and the run goes on: {how_it_ended(code)}\n{told}".rstrip())


@asynccontextmanager
async def exporting(telemetry: Telemetry | None, say: Say) -> AsyncIterator[Exporting]:
    """Context manager for the export of one run.

    Args:
        telemetry: What to export; None for nothing.
        say: Prints a line.

    Raises:
        UsageError: The port or the settings of the environment cannot be used.
        StackError: The process did not start.
    """
    export = Exporting(say, telemetry)
    try:
        await export.start()
        yield export
    finally:
        await asyncio.shield(export.stop())
