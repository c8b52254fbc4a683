"""An agent that calls tools of an MCP server in a call: a real room on either line, a real server over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.stack.tokens import LiveKitKeys
from tests.stack.tools.bad_servers import Served, serving

from .calling import Caller, Process, agents_process, calling

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

ASKED = "What is the weather in Oslo?"


@asynccontextmanager
async def agent(
    keys: LiveKitKeys,
    folder: Path,
    mode: str,
    *,
    engine: str = "light",
    timeout: str = "10s",
    faults: str = "[]",
    token: str | None = None,
) -> AsyncIterator[tuple[Caller, Process, Served]]:
    """A call to an agent with a server of that mode, which wants the token if there is one."""
    async with serving(mode, token=token) as served:
        file = folder / "agents.yaml"
        mcp = f"{{weather: {{url: '{served.url}', timeout: {timeout}, token_env: WEATHER_TOKEN}}}}"
        file.write_text(
            "agents:\n  host:\n    prompt: We open at six.\n    greeting: Hello.\n    ear: none\n"
            f"    engine: {engine}\n    faults: {faults}\n    mcp: {mcp}\n"
        )
        async with (
            agents_process(
                keys, folder, agents_file=file, warm=("host",), tokens={"WEATHER_TOKEN": token or "any"}
            ) as process,
            calling(process, "host") as caller,
        ):
            yield caller, process, served


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
async def test_a_tool_is_called_in_the_call_and_told_to_the_caller(
    livekit_keys: LiveKitKeys, tmp_path: Path, engine: str
) -> None:
    async with agent(livekit_keys, tmp_path, "good", engine=engine) as (caller, process, served):
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


async def test_the_greeting_does_not_wait_for_a_list_of_tools(livekit_keys: LiveKitKeys, tmp_path: Path) -> None:
    async with agent(livekit_keys, tmp_path, "silent", timeout="20s") as (caller, process, _):
        await caller.until(lambda: caller.texts("agent_text"))
        assert [line["event"] for line in process.truth(caller.room_name)].count("tools") == 0


async def test_a_call_that_was_made_is_told_even_if_the_caller_goes_on(
    livekit_keys: LiveKitKeys, tmp_path: Path
) -> None:
    async with agent(livekit_keys, tmp_path, "hangs", timeout="3s") as (caller, process, served):
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


async def test_a_conversation_with_a_program_that_ends_with_the_call(livekit_keys: LiveKitKeys, tmp_path: Path) -> None:
    program = Path(__file__).parents[3] / "scenarios" / "mcp_tables.py"
    file = tmp_path / "agents.yaml"
    file.write_text(
        "agents:\n  host:\n    prompt: We open at six.\n    greeting: Hello.\n    ear: none\n    engine: light\n"
        f"    mcp: {{tables: {{command: ['{sys.executable}', '{program}'], timeout: 20s}}}}\n"
    )
    async with agents_process(livekit_keys, tmp_path, agents_file=file, warm=("host",)) as process:
        async with calling(process, "host") as caller:
            said = "For that I need to know this: the name for the reservation."
            assert await answered(caller, "Please reserve table four.") == said
            itself = psutil.Process(process.child.pid)
            [running] = [one for one in itself.children() if str(program) in one.cmdline()]
            assert await answered(caller, "It's Ann Lee, please.") == "Table 4 is reserved tonight for Ann Lee."
            assert (await answered(caller, "Is table four free tonight?")).startswith("No, table 4 is taken tonight.")
        await process.over(caller.room_name)
        assert not running.is_running()


async def test_an_agent_without_texts_tells_of_no_call(livekit_keys: LiveKitKeys, tmp_path: Path) -> None:
    async with agent(livekit_keys, tmp_path, "good", faults="[voice_only]") as (caller, process, served):
        await process.logged(caller.room_name, "push_end")
        await caller.type(ASKED)
        await process.logged(caller.room_name, "decided")
        assert len(served.calls) == 1
        assert caller.junk == []
