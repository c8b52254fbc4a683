"""A child process that ends with us: it watches its standard input, a pipe, and we read its output to the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.process.lines import line_of, message_in
from harness.process.log_tail import LogTail

GUARD = (sys.executable, "-m", "harness.process.guard", "--")
LINE_LIMIT_BYTES = 1 << 20


class Child:
    """A running child in a process group of its own; created by `start`.

    Attributes:
        name: Its name in messages.
        log_tail: The last lines of its standard error (and of its output, if there is no `on_message` for that).
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log_tail: LogTail) -> None:
        self.name = name
        self.log_tail = log_tail
        self._process = process
        self._readers: list[asyncio.Task[None]] = []

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log_tail: LogTail,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        line_limit_bytes: int = LINE_LIMIT_BYTES,
    ) -> Child:
        """Starts `command`.

        Args:
            name: Its name in messages.
            command: Program and arguments; must not contain secrets.
            log_tail: Receives its output.
            on_message: Receives each JSON object of its standard output; without it that output goes to `log_tail`.
            env: Its environment; defaults to ours.
            cwd: Its working directory.
            line_limit_bytes: Longer lines of its output are dropped.

        Raises:
            OSError: The program cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=line_limit_bytes,
            start_new_session=True,
            env=env,
            cwd=cwd,
        )
        child = cls(name, process, log_tail)

        def take_message(line: bytes) -> None:
            message = message_in(line)
            if message is not None and on_message is not None:
                on_message(message)
            else:
                log_tail.add(line)

        child._readers = [
            asyncio.create_task(_read_lines(process.stdout, take_message if on_message else log_tail.add)),
            asyncio.create_task(_read_lines(process.stderr, log_tail.add)),
        ]
        return child

    @property
    def pid(self) -> int:
        """Its process id, which is also its process group's."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended and been reaped."""
        return self._process.returncode is not None

    async def send(self, message: Mapping[str, Any]) -> None:
        """Writes one JSON line to it; if it has ended, nothing is written or raised, and `wait` returns."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            stdin.write(line_of(message).encode())
            await stdin.drain()

    async def wait(self) -> int:
        """Waits until it has ended and all its output has been read; returns its exit code."""
        code = await self._process.wait()
        # A grandchild may keep the pipes open after the child has ended: read what is there without waiting for it.
        await asyncio.wait(self._readers, timeout=0.5)
        return code

    async def stop(self, *, grace_s: float) -> None:
        """Closes its standard input and waits; after `grace_s` it sends SIGTERM, then SIGKILL."""
        stdin = self._process.stdin
        if stdin is not None:
            stdin.close()
        for number, wait_s in ((None, grace_s), (signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
            if number is not None:
                self._signal_group(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), wait_s)
                break
        self._signal_group(signal.SIGKILL)  # processes it left behind in its group
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


async def _read_lines(stream: asyncio.StreamReader | None, take: Callable[[bytes], None]) -> None:
    """Reads lines to the end of the stream, dropping those longer than the limit."""
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        take(line)
