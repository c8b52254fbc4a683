"""The embedded stack's life: it comes up, says why where it does not, and is gone afterwards, however its user ended.

The LiveKit server and the session service are the real ones; in the agents' place stands a program that speaks their
lines and passes on what it was told, so that these tests are about the stack alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import pytest_asyncio
from livekit import rtc
from yarl import URL

from harness.errors import ConfigError, StackError
from harness.stack.embedded import EmbeddedStack
from harness.stack.web.options import PageOptions

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

STAND_IN = """
import json, sys
told = open(sys.argv[1], "a", buffering=1)
first = sys.stdin.readline()
told.write(first)
{behaviour}
print(json.dumps({{"ready": True}}), flush=True)
for line in sys.stdin:
    told.write(line)
"""
SAYS_AND_DIES = 'print("the model is missing", file=sys.stderr); sys.exit(5)'
REPORTS = """
error = {"kind": "StackError", "what": "no voices here", "where": "extra stack", "hint": "pip install them"}
print(json.dumps({"error": error}), flush=True)
sys.exit(1)
"""
# The starter of a stack in a process of its own, which says where the stack is and waits to be ended.
STARTER = """
import asyncio, json, sys
from harness.stack.embedded import EmbeddedStack

async def main():
    stack = await EmbeddedStack.start(say=lambda line: None, agents_command=sys.argv[1:])
    print(json.dumps({"session_url": stack.address.session_url, "livekit_url": stack.address.livekit_url}), flush=True)
    await stack.wait_fallen()

asyncio.run(main())
"""
FOREGROUND = """
import asyncio, sys
from harness.errors import HarnessError
from harness.stack.foreground import stack_up

try:
    code = asyncio.run(
        stack_up(agents_file=None, truth_log=None, port=0, json_output=True, agents_command=sys.argv[1:])
    )
except HarnessError as error:
    print(error, file=sys.stderr)
    code = error.exit_code
sys.exit(code)
"""


class StandIn:
    """The program in the agents' place; what it is told comes back through a named pipe."""

    def __init__(self, folder: Path, pipe: Path, reader: asyncio.StreamReader) -> None:
        self._folder = folder
        self._pipe = pipe
        self._reader = reader

    def command(self, behaviour: str = "") -> list[str]:
        program = self._folder / "agents.py"
        program.write_text(STAND_IN.format(behaviour=behaviour))
        return [sys.executable, str(program), str(self._pipe)]

    async def told(self) -> dict[str, Any]:
        """The next line that it was told."""
        async with asyncio.timeout(10):
            line: dict[str, Any] = json.loads(await self._reader.readline())
        return line


@asynccontextmanager
async def standing_in(folder: Path) -> AsyncIterator[StandIn]:
    pipe = folder / "told"
    os.mkfifo(pipe)
    reader = asyncio.StreamReader()
    # Open for writing too, so that opening waits for nobody and the pipe has no end.
    file = os.fdopen(os.open(pipe, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), file
    )
    yield StandIn(folder, pipe, reader)
    transport.close()


@pytest_asyncio.fixture(loop_scope="module")
async def agents(tmp_path: Path) -> AsyncIterator[StandIn]:
    async with standing_in(tmp_path) as agents:
        yield agents


@dataclass(frozen=True)
class Shared:
    """A stack for all tests that only ask it for sessions, what its agents were told first, and these agents."""

    stack: EmbeddedStack
    start: dict[str, Any]
    agents: StandIn


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    # The server would read these as settings of its own, and serve nobody.
    environment = {"REDIS_HOST": "127.0.0.1:1", "LIVEKIT_KEYS": "a: b", "NODE_IP": "192.0.2.1"}
    async with standing_in(tmp_path_factory.mktemp("agents")) as agents:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            stack = await EmbeddedStack.start(
                say=print,
                warm=["light"],
                truth_log=Path("truth.jsonl"),
                agents_command=agents.command(),
                private_hosts=["127.0.0.1:8000"],
            )
        async with stack:
            yield Shared(stack, await agents.told(), agents)


def family(process: psutil.Process | None = None) -> list[psutil.Process]:
    return (process or psutil.Process()).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether they all end within a few seconds; an ended one that its parent has not asked after counts as ended."""
    _, alive = psutil.wait_procs(processes, timeout=8)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


def part(name: str, processes: list[psutil.Process]) -> psutil.Process:
    """The process of `processes` in whose command line `name` is."""
    return next(process for process in processes if any(name in argument for argument in process.cmdline()))


def is_free(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", URL(url).port)) != 0


async def post(url: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers={"x-api-key": key}) as answer:
        return answer.status, await answer.json()


async def test_a_session_makes_a_room_into_which_its_token_leads_and_sends_the_agent(shared: Shared) -> None:
    address, start = shared.stack.address, shared.start
    assert address.session_url.startswith("http://127.0.0.1:")
    assert {"demo", "light", "truth"} <= set(address.agents)
    status, body = await post(address.session_url, address.api_key.reveal(), {"agent": "demo", "greeting": "Ho"})
    assert status == 200
    assert body["data"]["livekit_url"] == address.livekit_url
    join = await shared.agents.told()
    assert start["do"] == "start"
    assert start["livekit"]["url"] == address.livekit_url
    assert start["warm"] == ["light"]
    assert start["truth_log"] == str(Path("truth.jsonl").absolute())
    assert join == {
        "do": "join",
        "room": body["data"]["room_name"],
        "agent": "demo",
        "overrides": {"greeting": "Ho"},
    }
    url = address.livekit_url.replace("ws://", "http://")
    params = {"access_token": body["data"]["token"]}
    async with aiohttp.ClientSession() as http, http.get(f"{url}/rtc/validate", params=params) as answer:
        assert answer.status == 200
    assert (await post(address.session_url, "sk_wrong", {"agent": "demo"}))[0] == 401


async def test_with_the_backend_a_browser_gets_a_session_by_its_route_and_no_key(agents: StandIn) -> None:
    async with await EmbeddedStack.start(
        say=print, pages=PageOptions(backend=True), agents_command=agents.command()
    ) as stack:
        page = stack.address.page_url
        assert page is not None
        async with aiohttp.ClientSession() as http:
            async with http.get(page) as answer:
                assert "text/html" in answer.content_type or "build_pages" in await answer.text()
            async with http.post(f"{page}api/voice-agent/session", json={"agent": "demo"}) as answer:
                assert answer.status == 200
                text = await answer.text()
        assert stack.address.api_key.reveal() not in text
        assert json.loads(text)["data"]["livekit_url"] == stack.address.livekit_url
        await agents.told()
        assert (await agents.told())["agent"] == "demo"
    assert is_free(page)


async def test_the_stacks_page_sees_a_call_from_its_session_to_its_end(agents: StandIn) -> None:
    tells = """
for line in sys.stdin:
    told.write(line)
    order = json.loads(line)
    room = order["room"]
    if order["do"] == "join":
        print(json.dumps({"room": room, "is": "met"}), flush=True)
    elif order["do"] == "watch":
        frame = {"topic": "voice.reply", "at_ms": 1, "payload": {"type": "agent_text", "text": "Hello."}}
        print(json.dumps({"room": room, "is": "frame", "number": 0, "frame": frame}), flush=True)
        print(json.dumps({"room": room, "is": "over"}), flush=True)
"""
    behaviour = f'print(json.dumps({{"ready": True}}), flush=True)\n{tells}'
    async with await EmbeddedStack.start(
        say=print, pages=PageOptions(web=True), agents_command=agents.command(behaviour)
    ) as stack:
        address = stack.address
        assert address.page_url is None
        assert address.page_password is None
        assert address.web_url is not None
        _, body = await post(address.session_url, address.api_key.reveal(), {"agent": "demo"})
        room = body["data"]["room_name"]
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{address.web_url}/live") as socket:
            seen: list[dict[str, Any]] = []
            async with asyncio.timeout(20):
                while not any(one["type"] == "calls" and one["calls"][0]["state"] == "live" for one in seen):
                    seen.append(await socket.receive_json())
                await socket.send_json({"watch": room})
                while not any(one["type"] == "calls" and one["calls"][0]["state"] == "over" for one in seen):
                    seen.append(await socket.receive_json())
        [call] = next(one["calls"] for one in seen if one["type"] == "calls")
        assert (call["room"], call["agent"], call["caller"][:7]) == (room, "demo", "caller-")
        frames = [frame for one in seen if one["type"] == "frames" for frame in one["frames"]]
        assert [frame["payload"]["text"] for frame in frames] == ["Hello."]
        assert address.api_key.reveal() not in str(seen)


async def test_private_hosts_are_allowed_by_the_service_and_the_agents(shared: Shared) -> None:
    address = shared.stack.address
    for port, status in ((8000, 200), (8001, 400)):
        body = {"agent": "demo", "reference_audio_url": f"http://127.0.0.1:{port}/a.wav"}
        assert (await post(address.session_url, address.api_key.reveal(), body))[0] == status
    assert shared.start["private_hosts"] == ["127.0.0.1:8000"]
    assert (await shared.agents.told())["overrides"] == {"reference_audio_url": "http://127.0.0.1:8000/a.wav"}


async def test_a_caller_on_the_sdk_is_in_its_room_at_once_whatever_the_servers_own_environment_settings(
    shared: Shared,
) -> None:
    address = shared.stack.address
    _, body = await post(address.session_url, address.api_key.reveal(), {"agent": "demo"})
    room = rtc.Room()
    async with asyncio.timeout(5):  # with a STUN server that it cannot do without it would be ten seconds
        await room.connect(body["data"]["livekit_url"], body["data"]["token"])
    assert room.name == body["data"]["room_name"]
    await room.disconnect()
    await shared.agents.told()


async def test_after_stop_no_process_port_or_file_is_left(
    agents: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    before = set(family())
    stack = await EmbeddedStack.start(say=print, agents_command=agents.command())
    processes = [process for process in family() if process not in before]
    assert len(processes) == 4  # host, guard, LiveKit server, agents
    await asyncio.gather(stack.stop(), stack.stop())
    await stack.stop()
    assert not [process for process in processes if process.is_running()]
    assert is_free(stack.address.session_url)
    assert is_free(stack.address.livekit_url)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("killed", ["starter", "host"])
async def test_all_of_it_ends_when_its_starter_or_its_host_is_killed(
    agents: StandIn, tmp_path: Path, killed: str
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    starter = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        STARTER,
        *agents.command(),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert starter.stdout is not None
    address = json.loads(await starter.stdout.readline())
    processes = family(psutil.Process(starter.pid))
    assert len(processes) == 4
    (starter if killed == "starter" else part("harness.stack.host", processes)).kill()
    assert await asyncio.to_thread(gone, processes)
    await starter.wait()
    assert is_free(address["session_url"])
    assert is_free(address["livekit_url"])
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("agents.py", "agents"),
        ("harness.process.guard", "LiveKit server"),
        ("livekit-server", "LiveKit server"),
        ("harness.stack.host", "stack host"),
    ],
)
async def test_a_part_that_falls_ends_the_stack_and_is_named(agents: StandIn, program: str, told: str) -> None:
    before = set(family())
    async with await EmbeddedStack.start(say=print, agents_command=agents.command()) as stack:
        processes = [process for process in family() if process not in before]
        if program == "livekit-server":
            part("harness.process.guard", processes).children()[0].kill()
        else:
            part(program, processes).kill()
        async with asyncio.timeout(60):
            error = await stack.wait_fallen()
        assert isinstance(error, StackError)
        assert told in error.what
        assert await asyncio.to_thread(gone, processes)


async def test_agents_that_die_at_the_start_are_heard(agents: StandIn) -> None:
    before = set(family())
    with pytest.raises(StackError, match="the model is missing"):
        await EmbeddedStack.start(say=print, agents_command=agents.command(SAYS_AND_DIES))
    assert set(family()) == before


async def test_what_the_agents_report_is_raised_with_its_mend(agents: StandIn) -> None:
    with pytest.raises(StackError) as raised:
        await EmbeddedStack.start(say=print, agents_command=agents.command(REPORTS))
    assert (raised.value.what, raised.value.where, raised.value.hint) == (
        "no voices here",
        "extra stack",
        "pip install them",
    )


async def test_a_taken_port_and_a_wrong_file_of_agents_are_usage_errors(agents: StandIn, tmp_path: Path) -> None:
    before = set(family())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)):
            await EmbeddedStack.start(say=print, port=port, agents_command=agents.command())
        pages = PageOptions(web=True, port=port)
        with pytest.raises(ConfigError, match=str(port)) as raised:
            await EmbeddedStack.start(say=print, pages=pages, agents_command=agents.command())
        assert str(raised.value.where) == "--page-port"
    wrong = tmp_path / "agents.yaml"
    wrong.write_text("agents: {slow: {prompt: x, greeting: y, reply_dellay: 1s}}\n")
    with pytest.raises(ConfigError, match="reply_delay"):
        await EmbeddedStack.start(say=print, agents_file=wrong, agents_command=agents.command())
    assert set(family()) == before


async def test_a_start_that_is_interrupted_leaves_nothing(agents: StandIn, tmp_path: Path) -> None:
    before = set(family())
    reached = tmp_path / "reached"
    os.mkfifo(reached)
    never_ready = f'open({str(reached)!r}, "w").write("here"); sys.stdin.read(); sys.exit(0)'
    starting = asyncio.create_task(EmbeddedStack.start(say=print, agents_command=agents.command(never_ready)))
    async with asyncio.timeout(20):
        await asyncio.to_thread(reached.read_text)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert set(family()) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_in_the_foreground_it_runs_until_a_signal(agents: StandIn, number: int, code: int) -> None:
    up = await foreground(agents)
    address = await told_address(up)
    status, _ = await post(address["session_url"], address["api_key"], {"agent": "demo"})
    assert status == 200
    processes = family(psutil.Process(up.pid))
    up.send_signal(number)
    assert await up.wait() == code
    assert await asyncio.to_thread(gone, processes)


async def test_in_the_foreground_a_given_key_is_used_and_not_shown(agents: StandIn) -> None:
    key = "sk_given-by-the-environment"
    up = await foreground(agents, VOICE_HARNESS_API_KEY=key)
    address = await told_address(up)
    assert "api_key" not in address
    assert (await post(address["session_url"], key, {"agent": "demo"}))[0] == 200
    part("agents.py", family(psutil.Process(up.pid))).kill()
    _, errors = await up.communicate()
    assert up.returncode == 3
    assert b"agents" in errors
    assert key.encode() not in errors


async def foreground(agents: StandIn, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        FOREGROUND,
        *agents.command(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "VOICE_HARNESS_API_KEY"} | variables,
    )


async def told_address(up: asyncio.subprocess.Process) -> dict[str, Any]:
    assert up.stdout is not None
    address: dict[str, Any] = json.loads(await up.stdout.readline())
    return address
