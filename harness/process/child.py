"""A child process that ends with us: its standard input is a pipe that it watches, its output is read to the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.process.lines import line_of, message_in
from harness.process.log_tail import Said

GUARD = (sys.executable, "-m", "harness.process.guard", "--")
LINE_LIMIT_BYTES = 1 << 20


class Child:
    """One running child in a process group of its own; make it with `start`.

    Attributes:
        name: For people.
        said: What it last wrote to its standard error (and its output, where no `on_message` takes that).
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, said: Said) -> None:
        self.name = name
        self.said = said
        self._process = process
        self._readers: list[asyncio.Task[None]] = []

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        said: Said,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        line_limit_bytes: int = LINE_LIMIT_BYTES,
    ) -> Child:
        """Starts `command`.

        Args:
            name: For people.
            command: Program and arguments; no secret may be in them.
            said: Takes what it says.
            on_message: Takes each JSON object of its standard output; without it that output goes to `said`.
            env: Its environment; ours where it is left out.
            cwd: Its working folder.
            line_limit_bytes: A longer line of its output is dropped.

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
        child = cls(name, process, said)

        def take_message(line: bytes) -> None:
            message = message_in(line)
            if message is not None and on_message is not None:
                on_message(message)
            else:
                said.add(line)

        child._readers = [
            asyncio.create_task(_read_lines(process.stdout, take_message if on_message else said.add)),
            asyncio.create_task(_read_lines(process.stderr, said.add)),
        ]
        return child

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended and was reaped."""
        return self._process.returncode is not None

    async def send(self, message: Mapping[str, Any]) -> None:
        """Writes one JSON line to it; a child that has ended takes nothing and raises nothing, `wait` tells."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            stdin.write(line_of(message).encode())
            await stdin.drain()

    async def wait(self) -> int:
        """Its exit code, once it has ended and all it said was read."""
        code = await self._process.wait()
        # A grandchild may hold the pipes open after the child's own end: read what is there and do not wait for it.
        await asyncio.wait(self._readers, timeout=0.5)
        return code

    async def stop(self, *, grace_s: float) -> None:
        """Closes its standard input and waits; what has not ended after `grace_s` gets SIGTERM, then SIGKILL."""
        stdin = self._process.stdin
        if stdin is not None:
            stdin.close()
        for number, wait_s in ((None, grace_s), (signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
            if number is not None:
                self._signal_group(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), wait_s)
                break
        self._signal_group(signal.SIGKILL)  # what it left behind in its group
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


async def _read_lines(stream: asyncio.StreamReader | None, take: Callable[[bytes], None]) -> None:
    """Reads to the end; a line longer than the limit is dropped, never the rest."""
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        take(line)
