"""The LiveKit server: finding it, configuring it, and starting it on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from harness.cache import user_cache_dir
from harness.errors import ConfigError, StackError
from harness.process.child import GUARD, Child
from harness.process.log_tail import LogTail
from harness.process.ports import LOOPBACK, free_tcp_port, free_udp_port
from harness.secret import Secret
from harness.stack.build_server import SERVER_ENV, VERSION, build_server, runs, version_of
from harness.stack.tokens import LiveKitKeys

DISCARD_PORT = 9
START_TRIES = 5
START_WITHIN_S = 30.0
STOP_GRACE_S = 4.0
_POLL_S = 0.02
# If the port was lost to another program, that one may never answer.
_TRY_TIMEOUT = aiohttp.ClientTimeout(total=1.0)
_LINES_SHOWN = 15

# Seconds after which a room that nobody has joined, or that everybody has left, is closed.
EMPTY_TIMEOUT_S = 60
DEPARTURE_TIMEOUT_S = 2


def cached_server() -> Path:
    """Path of the server built for this machine, whether or not it exists yet."""
    machine = platform.machine().lower()
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return user_cache_dir() / "livekit-server" / f"{VERSION}-{sys.platform}-{arch}" / "livekit-server"


async def find_server(*, say: Callable[[str], None]) -> Path:
    """Finds a runnable livekit-server: the configured one, one on PATH, the cached one, or one built now.

    Args:
        say: Receives progress messages while something takes long.

    Raises:
        ConfigError: `VOICE_HARNESS_LIVEKIT_SERVER` names no runnable livekit-server, or the cache cannot be written.
        StackError: It could not be built.
    """
    named = os.environ.get(SERVER_ENV)
    if named:
        path = Path(named).expanduser().absolute()
        if not await runs(path):
            raise ConfigError(
                f"{path} is not a livekit-server that runs on this machine",
                where=SERVER_ENV,
                hint=f"set it to the path of the program, or unset {SERVER_ENV} to build one",
            )
        return path
    on_path = shutil.which("livekit-server")
    if on_path:
        version = await version_of(Path(on_path))
        if version is not None:
            if version != VERSION.removeprefix("v"):
                say(f"using livekit-server {version} from PATH ({VERSION} is the one tried)")
            return Path(on_path)
        say(f"{on_path} is on PATH but does not run; not used")
    cached = cached_server()
    if not await runs(cached):
        await build_server(cached, say=say)
    return cached


@dataclass(frozen=True, slots=True)
class ServerPorts:
    """The server's two ports on loopback: HTTP and signalling (TCP), media (UDP)."""

    http: int
    media: int


def server_config(ports: ServerPorts, keys: LiveKitKeys) -> str:
    """The server's configuration (JSON, which is valid YAML): reachable from this machine only, no external look-ups.

    - ICE over TCP is off, as the server would open that port on all interfaces.
    - Without `stun_servers` it would give its clients public ones. The discard port never answers, which delays nobody;
    the media port would not do: a client that sends STUN requests there cannot connect.
    - Rooms are created by the session service, so that a token for a room that does not exist is refused.
    """
    return json.dumps(
        {
            "port": ports.http,
            "bind_addresses": [LOOPBACK],
            "keys": {keys.api_key: keys.api_secret.reveal()},
            "rtc": {
                "udp_port": ports.media,
                "tcp_port": 0,
                "allow_tcp_fallback": False,
                "node_ip": LOOPBACK,
                "use_external_ip": False,
                "enable_loopback_candidate": True,
                "interfaces": {"includes": ["lo0" if sys.platform == "darwin" else "lo"]},
                "ips": {"includes": [f"{LOOPBACK}/32"]},
                "stun_servers": [f"{LOOPBACK}:{DISCARD_PORT}"],
            },
            "room": {
                "auto_create": False,
                "empty_timeout": EMPTY_TIMEOUT_S,
                "departure_timeout": DEPARTURE_TIMEOUT_S,
            },
            # The default refuses tracks beyond 400 per core, long before this machine is at capacity
            "limit": {"num_tracks": -1},
            "logging": {"level": "warn"},
        }
    )


def new_keys(http_port: int) -> LiveKitKeys:
    """A new key pair for a server at `http_port`."""
    secret = Secret(secrets.token_urlsafe(36))  # 48 characters; the server warns below 32
    return LiveKitKeys(f"ws://{LOOPBACK}:{http_port}", f"API{secrets.token_hex(6)}", secret)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is up: its guard process and its keys."""

    child: Child
    keys: LiveKitKeys

    async def stop(self) -> None:
        """Stops it; no process and no port is left."""
        await self.child.stop(grace_s=STOP_GRACE_S)


async def start_server(program: Path) -> RunningServer:
    """Starts `program` under a guard on free ports of 127.0.0.1 and waits until it answers.

    Raises:
        StackError: It died or did not answer in time; the message has its last output.
    """
    said = ""
    for _ in range(START_TRIES):
        ports = ServerPorts(free_tcp_port(), free_udp_port())
        keys = new_keys(ports.http)
        child = await _start_child(program, ports, keys)
        if not child.has_ended:
            return RunningServer(child, keys)
        said = child.log_tail.last(_LINES_SHOWN)
        if "address already in use" not in said:
            break
    raise StackError(
        f"the LiveKit server ended before it answered; its last output:\n{said or '(none)'}",
        where=str(program),
        hint=f"run {program.name} --version to check it, or set {SERVER_ENV} to another one",
    )


async def _start_child(program: Path, ports: ServerPorts, keys: LiveKitKeys) -> Child:
    """Starts a server; returns it once it answers or, if it died, once it is cleaned up."""
    child = await Child.start(
        "LiveKit server",
        [*GUARD, str(program), "--config", "/dev/stdin"],
        log_tail=LogTail([keys.api_secret]),
    )
    answers = False
    try:
        await child.send({"stdin": server_config(ports, keys)})
        answers = await _answers(child, ports.http)
    finally:
        if not answers:
            await asyncio.shield(child.stop(grace_s=STOP_GRACE_S))
    return child


async def _answers(child: Child, http_port: int) -> bool:
    """Waits for the server: True once it answers, False if it died."""
    ended = asyncio.create_task(child.wait())
    try:
        async with asyncio.timeout(START_WITHIN_S), aiohttp.ClientSession(timeout=_TRY_TIMEOUT) as client:
            while not ended.done():
                if await _is_ok(client, f"http://{LOOPBACK}:{http_port}/") and not ended.done():
                    return True
                await asyncio.wait([ended], timeout=_POLL_S)
    except TimeoutError:
        raise StackError(
            f"the LiveKit server did not answer within {START_WITHIN_S:.0f} s:\n{child.log_tail.last(_LINES_SHOWN)}",
            hint="check the load of this machine, and try again",
        ) from None
    finally:
        ended.cancel()
    return False


async def _is_ok(client: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with client.get(url) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
