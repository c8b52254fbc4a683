"""An agent that calls tools of an MCP server in a call: a real room on either line, a real server over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from harness.stack.tokens import LiveKitKeys
from tests.stack.tools.bad_servers import Served, serving

from .calling import Caller, Process, agents_process, calling

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

PROGRAM = Path(__file__).parents[3] / "scenarios" / "mcp_tables.py"
TABLES = {"command": [sys.executable, str(PROGRAM)], "timeout": "20s"}
ASKED = "What is the weather in Oslo?"


# The agents, each with a server of its own: what becomes of a call of it, how long it may take, and its settings.
SERVERS = {
    "good_light": ("good", "10s", "engine: light"),
    "good_sdk": ("good", "10s", "engine: sdk"),
    "voice_only": ("good", "10s", "engine: light, faults: [voice_only]"),
    "silent": ("silent", "20s", "engine: light"),
    "hangs": ("hangs", "3s", "engine: light"),
}


@dataclass(frozen=True)
class Agents:
    """The agents' process, and the server of each agent."""

    process: Process
    served: dict[str, Served]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def agents(livekit_keys: LiveKitKeys, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Agents]:
    folder = tmp_path_factory.mktemp("agents")
    said = "prompt: We open at six., greeting: Hello., ear: none"
    lines = [f"  tables: {{{said}, engine: light, mcp: {{tables: {json.dumps(TABLES)}}}}}"]
    async with AsyncExitStack() as ends:
        served = {}
        for name, (mode, timeout, settings) in SERVERS.items():
            server = served[name] = await ends.enter_async_context(serving(mode, token="any"))
            mcp = {"weather": {"url": server.url, "timeout": timeout, "token_env": "WEATHER_TOKEN"}}
            lines.append(f"  {name}: {{{said}, {settings}, mcp: {json.dumps(mcp)}}}")
        file = folder / "agents.yaml"
        file.write_text("\n".join(["agents:", *lines, ""]))
        running = agents_process(
            livekit_keys, folder, agents_file=file, warm=("good_light",), tokens={"WEATHER_TOKEN": "any"}
        )
        yield Agents(await ends.enter_async_context(running), served)


def frames(caller: Caller) -> list[dict[str, Any]]:
    """The frames of tool calls that came in; the caller of these tests takes what has no text for junk."""
    return [json.loads(frame) for frame in caller.junk]


async def answered(caller: Caller, said: str) -> str:
    """What the agent answers to a typed text."""
    count = len(await caller.until(lambda: caller.texts("agent_text")))
    await caller.type(said)
    await caller.until(lambda: len(caller.texts("agent_text")) > count)
    return caller.texts("agent_text")[-1]


@pytest.mark.parametrize("engine", ["light", "sdk"])
async def test_a_tool_is_called_in_the_call_and_told_to_the_caller(agents: Agents, engine: str) -> None:
    process, served = agents.process, agents.served[f"good_{engine}"]
    async with calling(process, f"good_{engine}") as caller:
        assert await answered(caller, ASKED) == "It is sunny. It is warm."
        assert await answered(caller, "When do you open?") == "We open at six."
        assert len(served.calls) == 1
        [frame] = frames(caller)
        assert frame.pop("ms") > 0
        assert frame == {
            "type": "tool_call",
            "name": "weather",
            "arguments": {"city": "Oslo"},
            "result": "It is sunny. It is warm.",
            "ok": True,
        }
        [logged] = await process.logged(caller.room_name, "tool_call")
        assert (logged["name"], logged["arguments"], logged["ok"]) == ("weather", {"city": "Oslo"}, True)
        decided = await process.logged(caller.room_name, "decided", 2)
        assert logged["t"] < decided[0]["t"]


async def test_the_greeting_does_not_wait_for_a_list_of_tools(agents: Agents) -> None:
    async with calling(agents.process, "silent") as caller:
        await caller.until(lambda: caller.texts("agent_text"))
        assert [line["event"] for line in agents.process.truth(caller.room_name)].count("tools") == 0


async def test_a_call_that_was_made_is_told_even_if_the_caller_goes_on(agents: Agents) -> None:
    process, served = agents.process, agents.served["hangs"]
    async with calling(process, "hangs") as caller:
        await caller.until(lambda: caller.texts("agent_text"))
        await caller.type(ASKED)
        await served.called.wait()
        assert await answered(caller, "When do you open?") == "We open at six."
        [logged] = await process.logged(caller.room_name, "tool_call")
        assert (logged["result"], logged["ok"]) == ("it did not answer within 3s", False)
        assert [(frame["name"], frame["ok"]) for frame in await caller.until(lambda: frames(caller))] == [
            ("weather", False)
        ]
        assert len(served.calls) == 1


async def test_a_conversation_with_a_program_that_ends_with_the_call(agents: Agents) -> None:
    process = agents.process
    async with calling(process, "tables") as caller:
        said = "For that I need to know this: the name for the reservation."
        assert await answered(caller, "Please reserve table four.") == said
        itself = psutil.Process(process.child.pid)
        [running] = [one for one in itself.children() if str(PROGRAM) in one.cmdline()]
        assert await answered(caller, "It's Ann Lee, please.") == "Table 4 is reserved tonight for Ann Lee."
        assert (await answered(caller, "Is table four free tonight?")).startswith("No, table 4 is taken tonight.")
    await process.over(caller.room_name)
    assert not running.is_running()


async def test_an_agent_without_texts_tells_of_no_call(agents: Agents) -> None:
    process, served = agents.process, agents.served["voice_only"]
    async with calling(process, "voice_only") as caller:
        await process.logged(caller.room_name, "push_end")
        await caller.type(ASKED)
        await process.logged(caller.room_name, "decided")
        assert len(served.calls) == 1
        assert caller.junk == []
