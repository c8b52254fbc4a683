"""The LiveKit server: found in the right order, built once, never used half built, reachable from loopback alone."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import psutil
import pytest
from livekit.api import CreateRoomRequest, LiveKitAPI

from harness.cache import user_cache_dir
from harness.errors import ConfigError, StackError
from harness.process.ports import ClosedPort, free_tcp_port
from harness.secret import Secret
from harness.stack import build_server, livekit_server
from harness.stack.livekit_server import RunningServer, cached_server, find_server, start_server
from harness.stack.tokens import LiveKitKeys, caller_token

GOOD_SERVER = "echo 'livekit-server version {version}'"
BROKEN_SERVER = "exit 1"


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def a_server(path: Path, version: str = "1.11.0") -> Path:
    return script(path, GOOD_SERVER.format(version=version))


class Machine:
    """A machine of the test's own: an empty cache, and a PATH with nothing on it but what is put there."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.cache = folder / "cache"
        self.runs = folder / "runs"
        self.gate = folder / "gate"
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def go(self, install: str, *, version: str = "go1.26.8") -> None:
        """Puts a `go` on PATH that counts its installs in `runs` and then does `install`."""
        script(
            self.bin / "go",
            f"""case "$1 $2" in
            "env GOVERSION") echo {version};;
            "env GOFLAGS") echo;;
            install*) echo "$$ $GOFLAGS" >> {self.runs}; {install};;
            esac""",
        )

    def installs(self, server: str = GOOD_SERVER.format(version="1.11.0")) -> str:
        """What an install does that makes `server`."""
        return f'printf \'#!/bin/sh\\n%s\\n\' "{server}" > "$GOBIN/server"; /bin/chmod +x "$GOBIN/server"'

    def left(self) -> list[str]:
        """The folders that builders left in the cache."""
        return [path.name for path in (self.cache / "livekit-server").glob("building-*")]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(machine.bin))
    monkeypatch.setenv("VOICE_HARNESS_CACHE", str(machine.cache))
    monkeypatch.delenv("VOICE_HARNESS_LIVEKIT_SERVER", raising=False)
    monkeypatch.setattr(build_server, "USUAL_GO", tmp_path / "no-go-here")
    return machine


def test_the_cache_is_where_each_platform_keeps_its_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("VOICE_HARNESS_CACHE", str(tmp_path))
    assert user_cache_dir() == tmp_path
    monkeypatch.delenv("VOICE_HARNESS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert user_cache_dir() == tmp_path / "xdg" / "voice-harness"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert user_cache_dir() == Path.home() / ".cache" / "voice-harness"
    monkeypatch.setattr("sys.platform", "darwin")
    assert user_cache_dir() == Path.home() / "Library" / "Caches" / "voice-harness"


async def test_it_is_looked_for_by_name_on_path_in_the_cache_and_then_built(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine.go(machine.installs())
    assert await find_server(say=machine.say) == cached_server()
    assert len(machine.runs.read_text().splitlines()) == 1
    assert "-modcacherw" in machine.runs.read_text()
    assert machine.said[0].startswith("building livekit-server v1.11.0 with go1.26.8")
    assert machine.said[-1].startswith("livekit-server v1.11.0 built in ")
    assert machine.left() == []

    machine.said.clear()
    assert await find_server(say=machine.say) == cached_server()
    assert machine.said == []

    on_path = a_server(machine.bin / "livekit-server")
    assert await find_server(say=machine.say) == on_path
    assert machine.said == []
    a_server(machine.bin / "livekit-server", "1.9.0")
    assert await find_server(say=machine.say) == on_path
    assert "1.9.0" in machine.said[0]

    named = a_server(tmp_path / "elsewhere" / "server")
    monkeypatch.setenv("VOICE_HARNESS_LIVEKIT_SERVER", str(named))
    assert await find_server(say=machine.say) == named
    assert len(machine.runs.read_text().splitlines()) == 1


@pytest.mark.parametrize("kind", ["missing", "folder", "not executable", "another program"])
async def test_a_named_server_that_is_none_is_an_error_and_nothing_is_built(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    machine.go(machine.installs())
    named = tmp_path / "named"
    if kind == "folder":
        named.mkdir()
    elif kind == "not executable":
        named.write_text("text")
    elif kind == "another program":
        script(named, "echo hello")
    monkeypatch.setenv("VOICE_HARNESS_LIVEKIT_SERVER", str(named))
    with pytest.raises(ConfigError, match="VOICE_HARNESS_LIVEKIT_SERVER") as raised:
        await find_server(say=machine.say)
    assert str(named) in raised.value.what
    assert not machine.runs.exists()


async def test_a_cached_server_that_does_not_run_is_built_again(machine: Machine) -> None:
    script(cached_server(), BROKEN_SERVER)
    machine.go(machine.installs())
    assert await build_server.runs(await find_server(say=machine.say))


async def test_two_at_once_build_once_and_the_second_says_that_it_waits(machine: Machine) -> None:
    os.mkfifo(machine.gate)
    machine.go(f"read word < {machine.gate}; {machine.installs()}")
    waits = asyncio.Event()

    def say(line: str) -> None:
        machine.say(line)
        if "waiting" in line:
            waits.set()

    both = [asyncio.create_task(find_server(say=say)) for _ in range(2)]
    async with asyncio.timeout(20):
        await waits.wait()
        await asyncio.to_thread(machine.gate.write_text, "go on\n")
        assert await asyncio.gather(*both) == [cached_server()] * 2
    assert len(machine.runs.read_text().splitlines()) == 1
    assert sum("waiting" in line for line in machine.said) == 1


async def test_what_was_built_and_does_not_run_is_never_put_in_place(machine: Machine) -> None:
    machine.go(machine.installs(BROKEN_SERVER))
    with pytest.raises(StackError, match="does not run"):
        await find_server(say=machine.say)
    assert not cached_server().exists()
    assert machine.left() == []


@pytest.mark.parametrize(
    ("output", "hint"),
    [
        ("go: proxy: dial tcp: lookup proxy on 127.0.0.53: no such host", "network"),
        ("write /tmp/go-build1/b: no space left on device", "disk is full"),
        ("undefined: something", "install Go 1.25"),
    ],
)
async def test_a_failed_build_shows_its_last_lines_and_what_to_do(machine: Machine, output: str, hint: str) -> None:
    machine.go(f"echo '{output}' >&2; exit 3")
    with pytest.raises(StackError) as raised:
        await find_server(say=machine.say)
    assert output in raised.value.what
    assert "exit 3" in raised.value.what
    assert hint in (raised.value.hint or "")
    assert not cached_server().exists()
    assert machine.left() == []


async def test_an_interrupted_build_ends_and_leaves_nothing(machine: Machine) -> None:
    os.mkfifo(machine.gate)
    started = machine.cache.parent / "started"
    os.mkfifo(started)
    # A child of the build's own, as compilers are, must go as well.
    machine.go(f"/bin/sleep 600 & echo $! > {started}; read word < {machine.gate}")
    building = asyncio.create_task(find_server(say=machine.say))
    async with asyncio.timeout(20):
        grandchild = psutil.Process(int(await asyncio.to_thread(started.read_text)))
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
    go = int(machine.runs.read_text().split()[0])
    assert not psutil.pid_exists(go)
    assert await asyncio.to_thread(gone, [grandchild])
    assert machine.left() == []
    assert not cached_server().exists()


async def test_a_folder_left_by_a_killed_builder_is_removed_by_the_next(machine: Machine) -> None:
    (machine.cache / "livekit-server" / "building-old" / "gopath").mkdir(parents=True)
    machine.go(machine.installs())
    await find_server(say=machine.say)
    assert machine.left() == []


async def test_a_go_that_is_too_old_is_not_used(machine: Machine) -> None:
    machine.go(machine.installs(), version="go1.21.3")
    assert await build_server.find_go() is None
    machine.go(machine.installs(), version="go1.25")
    go = await build_server.find_go()
    assert go is not None
    assert go.told == "go1.25"


async def test_a_cache_that_cannot_be_written_is_named(machine: Machine) -> None:
    machine.cache.write_text("a file, no folder")
    machine.go(machine.installs())
    with pytest.raises(ConfigError, match="VOICE_HARNESS_CACHE") as raised:
        await find_server(say=machine.say)
    assert str(machine.cache) in str(raised.value.where)


async def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    broken = script(tmp_path / "livekit-server", "cat > /dev/null; echo 'bad config' >&2; exit 1")
    with pytest.raises(StackError, match="bad config"):
        await start_server(broken)


Start = Callable[[], Awaitable[RunningServer]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts the real server; what was started ends with the test."""
    running: list[RunningServer] = []

    async def start() -> RunningServer:
        running.append(await start_server(await find_server(say=print)))
        return running[-1]

    yield start
    for server in running:
        await server.stop()


@pytest.mark.live
async def test_the_server_listens_on_loopback_alone_and_leaves_nothing(start: Start) -> None:
    server = await start()
    family = psutil.Process(server.child.pid).children(recursive=True)
    listening = [at for process in family for at in process.net_connections("inet") if not at.raddr]
    assert len(listening) == 2  # signalling and media
    assert {at.laddr.ip for at in listening} == {"127.0.0.1"}
    secret = server.keys.api_secret.reveal()
    assert len(secret) >= 32
    for process in family:
        assert secret not in " ".join(process.cmdline())
        assert secret not in str(process.environ())
    await server.stop()
    assert await asyncio.to_thread(gone, family)


@pytest.mark.live
async def test_a_port_lost_to_another_program_is_replaced(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = ClosedPort()
    offered = [lost.number]
    monkeypatch.setattr(livekit_server, "free_tcp_port", lambda: offered.pop() if offered else free_tcp_port())
    server = await start()
    lost.close()
    assert not offered
    assert not server.keys.url.endswith(f":{lost.number}")


@pytest.mark.live
async def test_only_a_right_token_for_a_room_that_is_there_is_let_in(start: Start) -> None:
    server = await start()
    keys = server.keys
    forged = LiveKitKeys(keys.url, keys.api_key, Secret("another-secret-of-more-than-32-characters"))
    async with (
        LiveKitAPI(keys.url, keys.api_key, keys.api_secret.reveal()) as livekit,
        aiohttp.ClientSession() as http,
    ):

        async def asked(token: Secret) -> int:
            url = keys.url.replace("ws://", "http://")
            async with http.get(f"{url}/rtc/validate", params={"access_token": token.reveal()}) as answer:
                return answer.status

        await livekit.room.create_room(CreateRoomRequest(name="there"))
        assert await asked(caller_token(keys, "there", "caller")) == 200
        assert await asked(caller_token(keys, "elsewhere", "caller")) == 404
        assert await asked(caller_token(keys, "there", "caller", ttl_s=-3600)) == 401
        assert await asked(caller_token(forged, "there", "caller")) == 401


def gone(processes: list[psutil.Process]) -> bool:
    """Whether they all end within a few seconds; an ended one that its parent has not asked after counts as ended."""
    _, alive = psutil.wait_procs(processes, timeout=5)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)
