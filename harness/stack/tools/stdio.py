"""A program that speaks MCP over its standard input and output, one JSON message a line, with limits.

The SDK's own transport reads lines of any length. This one stops at `MOST_MESSAGE_BYTES`, and at a program that writes
something else; the program gets no variable of the environment that could be a secret, and ends with the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from harness.process.log_tail import LogTail
from harness.stack.tools.trouble import MOST_MESSAGE_BYTES, Trouble

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp.client._transport import TransportStreams
    from mcp.shared.message import SessionMessage

    MessageSender: TypeAlias = MemoryObjectSendStream[SessionMessage | Exception]
    MessageReceiver: TypeAlias = MemoryObjectReceiveStream[SessionMessage]

GRACE_S = 1.0
MOST_STRAY_LINES = 50
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV")


@contextlib.asynccontextmanager
async def program(
    command: Sequence[str], cwd: str | None, said: LogTail, on_end: Callable[[Trouble], None]
) -> AsyncIterator[TransportStreams]:
    """The streams to a program that is started here and has ended on return.

    Args:
        command: The program and its arguments.
        cwd: Its working folder.
        said: Receives what it writes to standard error.
        on_end: Called when it has ended, or has broken the rules: nothing more comes from it.

    Raises:
        Trouble: It cannot be started.
    """
    from anyio import create_memory_object_stream
    from mcp.shared.message import SessionMessage

    process = await _started(command, cwd)
    to_session, from_program = create_memory_object_stream[SessionMessage | Exception](100)
    to_program, from_session = create_memory_object_stream[SessionMessage](0)
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise Trouble("gone", "the program has no pipes")
    tasks = [
        asyncio.create_task(_read(process.stdout, to_session, on_end)),
        asyncio.create_task(_read_errors(process.stderr, said)),
        asyncio.create_task(_write(process.stdin, from_session)),
    ]
    try:
        yield from_program, to_program
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.shield(_end(process))
        for stream in (to_session, from_program, to_program, from_session):
            stream.close()


async def _started(command: Sequence[str], cwd: str | None) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=MOST_MESSAGE_BYTES,
            start_new_session=True,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            cwd=cwd,
        )
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else "it is no valid command"
        raise Trouble("gone", f"{command[0]} cannot be started: {why}") from None


async def _read(stdout: asyncio.StreamReader, to_session: MessageSender, on_end: Callable[[Trouble], None]) -> None:
    """Passes on the program's messages; ends the session's stream with the program or with its first violation."""
    from anyio import BrokenResourceError
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    stray = 0
    with contextlib.closing(to_session), contextlib.suppress(BrokenResourceError):
        while stray <= MOST_STRAY_LINES:
            await asyncio.sleep(0)  # a program that floods its output must not hold up the event loop
            try:
                line = await stdout.readline()
            except ValueError:
                on_end(Trouble("too_large", "its message was longer than 1 MB"))
                return
            if not line:
                on_end(Trouble("gone", "the program ended"))
                return
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                stray += 1
                continue
            await to_session.send(SessionMessage(message))
        on_end(Trouble("nonsense", "what it writes is not MCP"))


async def _read_errors(stderr: asyncio.StreamReader, said: LogTail) -> None:
    while True:
        await asyncio.sleep(0)
        try:
            line = await stderr.readline()
        except ValueError:
            continue
        if not line:
            return
        said.add(line)


async def _write(stdin: asyncio.StreamWriter, from_session: MessageReceiver) -> None:
    async for message in from_session:
        text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
        with contextlib.suppress(ConnectionError):  # the end of its output says that it is gone
            stdin.write(text.encode() + b"\n")
            await stdin.drain()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closes its input and waits; then SIGTERM, then SIGKILL, to it and what it started."""
    if process.stdin is not None:
        process.stdin.close()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            _signal(process, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_S)
            break
    _signal(process, signal.SIGKILL)  # what it left behind in its group
    for pipe in (process.stdout, process.stderr):
        with contextlib.suppress(TimeoutError):  # a pipe is closed only once it has been read to its end
            await asyncio.wait_for(_drained(pipe), GRACE_S)


async def _drained(pipe: asyncio.StreamReader | None) -> None:
    while pipe is not None and await pipe.read(1 << 16):
        pass


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
