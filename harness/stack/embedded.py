"""The user's side of the embedded stack: start it, get its address, stop it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.errors import StackError
from harness.process.child import Child
from harness.process.lines import error_in
from harness.process.log_tail import LogTail
from harness.proxies import without_proxies
from harness.secret import Secret, without_keys
from harness.stack.host_messages import HostSettings
from harness.stack.livekit_server import find_server
from harness.stack.mcp_tokens import take_tokens
from harness.stack.service.keys import DEFAULT_RATE_PER_S, new_key
from harness.stack.web.options import NO_PAGES, PageOptions, new_password

API_KEY_ENV = "VOICE_HARNESS_API_KEY"
HOST_COMMAND = (sys.executable, "-m", "harness.stack.host")
# Longer than the host allows its own children.
STOP_GRACE_S = 15.0
_LINES_SHOWN = 20


@dataclass(frozen=True)
class StackAddress:
    """The addresses of a running stack.

    Attributes:
        session_url: The complete URL of the session API.
        api_key: The API key.
        livekit_url: The LiveKit server, `ws://127.0.0.1:…`.
        agents: The names of its agents.
        page_url: The call page; its host also has the backend route. None without `backend`.
        web_url: The stack's own page. None without `web`.
        page_password: What the pages ask for; None if only this machine can reach them.
    """

    session_url: str
    api_key: Secret
    livekit_url: str
    agents: tuple[str, ...] = ()
    page_url: str | None = None
    web_url: str | None = None
    page_password: Secret | None = None


def new_api_key() -> Secret:
    """A new random key for a session service."""
    return new_key()


class EmbeddedStack:
    """A running stack, created by `start`; as an async context manager it stops on exit.

    All of it ends with this process, however this ends: each child process watches a pipe to its parent.

    Attributes:
        address: Its addresses.
    """

    def __init__(self, host: Child, address: StackAddress, fallen: asyncio.Task[StackError]) -> None:
        self.address = address
        self._host = host
        self._fallen = fallen
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        *,
        say: Callable[[str], None],
        agents_file: Path | None = None,
        truth_log: Path | None = None,
        warm: Sequence[str] = ("demo",),
        port: int = 0,
        api_key: Secret | None = None,
        pages: PageOptions = NO_PAGES,
        agents_command: Sequence[str] | None = None,
        private_hosts: Sequence[str] = (),
        data: Path | None = None,
        rate_per_s: float | None = None,
    ) -> Self:
        """Starts a stack and waits until calls can be made.

        Args:
            say: Receives progress messages while something takes long.
            agents_file: Adds to the built-in agents, or replaces them.
            truth_log: File for what the agents really heard and sent; not written if left out.
            warm: The agents whose models are loaded before this returns.
            port: The session service's port on 127.0.0.1; 0 picks a free one.
            api_key: The session service's key; a new one if left out.
            pages: Which pages to serve as well, and where.
            private_hosts: Private hosts, `HOST[:PORT]`, from which reference audio may be fetched.
            data: The folder of the service's database; without it keys and agents are gone with the stack.
            rate_per_s: How many sessions each key may create in a second.
            agents_command: A command to run instead of the reference agents; it speaks the same protocol with the host.

        Raises:
            ConfigError: An agents file, a port or the named LiveKit server is not usable.
            StackError: A part did not start; the message has its last output.
            ValueError: The pages' host is no address.
        """
        password = new_password() if pages.needs_password else None
        tokens = take_tokens(agents_file, os.environ)  # before anything is started that inherits the environment
        server = await find_server(say=say)
        key = api_key or new_api_key()
        settings = HostSettings(
            server=str(server),
            api_key=key.reveal(),
            port=port,
            agents_file=None if agents_file is None else str(agents_file.absolute()),
            truth_log=None if truth_log is None else str(truth_log.absolute()),
            warm=list(warm),
            tokens={name: token.reveal() for name, token in tokens.items()},
            pages=asdict(pages) | {"runs": None if pages.runs is None else str(pages.runs.absolute())},
            page_password=None if password is None else password.reveal(),
            private_hosts=list(private_hosts),
            data=None if data is None else str(data.absolute()),
            rate_per_s=DEFAULT_RATE_PER_S if rate_per_s is None else rate_per_s,
            **({} if agents_command is None else {"agents_command": list(agents_command)}),
        )
        started_s = time.monotonic()
        log_tail = LogTail([key, *tokens.values(), *([] if password is None else [password])])
        first: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        later: list[dict[str, Any]] = []

        def take(message: dict[str, Any]) -> None:
            if first.done():
                later.append(message)
            else:
                first.set_result(message)

        host = await Child.start(
            "stack host", HOST_COMMAND, log_tail=log_tail, on_message=take, env=_host_environment()
        )
        falling = asyncio.create_task(_fall(host, later))
        try:
            await host.send(settings.to_message())
            ready = await _ready(first, falling, later)
        except BaseException:
            falling.cancel()
            await asyncio.shield(host.stop(grace_s=STOP_GRACE_S))
            raise
        say(f"embedded stack up in {time.monotonic() - started_s:.1f} s")
        agents = tuple(ready["agents"])
        urls = (ready.get("page_url"), ready.get("web_url"))
        address = StackAddress(ready["session_url"], key, ready["livekit_url"], agents, *urls, password)
        return cls(host, address, falling)

    async def wait_fallen(self) -> StackError:
        """Waits until a part of the stack dies; returns its last output as an error. Never returns after `stop`."""
        return await asyncio.shield(self._fallen)

    async def stop(self) -> None:
        """Stops everything; on return no process, port or file of the stack is left. Idempotent."""
        if self._stopping is None:
            self._fallen.cancel()
            self._stopping = asyncio.create_task(self._host.stop(grace_s=STOP_GRACE_S))
        await asyncio.shield(self._stopping)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()


async def _ready(
    first: asyncio.Future[dict[str, Any]], falling: asyncio.Task[StackError], later: list[dict[str, Any]]
) -> dict[str, Any]:
    """Waits for the host's `ready` message; raises the error that it reports instead, if any."""
    waited: set[asyncio.Future[Any]] = {first, falling}
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    message = first.result() if first.done() else {}
    if "error" in message:
        raise error_in(message)
    if "ready" not in message:
        later.insert(0, message)
        raise await falling
    ready: dict[str, Any] = message["ready"]
    return ready


async def _fall(host: Child, messages: Sequence[dict[str, Any]]) -> StackError:
    """Waits for the host to end and returns its reason or, failing that, its last output."""
    code = await host.wait()
    for message in messages:
        fallen = message.get("fallen")
        if isinstance(fallen, dict):
            return _fallen_error(str(fallen["part"]), str(fallen["said"]))
    return _fallen_error(f"{host.name} (exit {code})", host.log_tail.last(_LINES_SHOWN))


def _fallen_error(part: str, said: str) -> StackError:
    return StackError(
        f"the embedded stack's {part} ended unexpectedly; its last output:\n{said or '(none)'}",
        hint="see its output; if there is none and it ended by signal 9, the machine may be out of memory",
    )


def _host_environment() -> dict[str, str]:
    """Our environment without keys and proxies, and without variables that the LiveKit server would read as settings.

    All parts of the stack talk on this machine only, but LiveKit's SDK would use a proxy even so.
    """
    taken_by_server = ("LIVEKIT_", "REDIS_", "TURN_", "NODE_IP", "UDP_PORT")
    return {
        name: value
        for name, value in without_proxies(without_keys(os.environ)).items()
        if name != API_KEY_ENV and not name.startswith(taken_by_server)
    }
