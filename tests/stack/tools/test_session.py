from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.clock import SystemClock
from harness.secret import Secret
from harness.stack.speech.meaning import Meaning
from harness.stack.tools.declared import McpServer
from harness.stack.tools.session import SessionTools
from tests.stack.tools.bad_servers import serving

TABLES = Path(__file__).parents[3] / "scenarios" / "mcp_tables.py"
CANARY = "canary-Vb3LqZ8wYt"


@pytest.fixture(scope="module")
def meaning() -> Meaning:
    return Meaning()


class Session:
    """The tools of a session with what they log."""

    def __init__(self, meaning: Meaning, tools: SessionTools, logged: list[dict[str, Any]]) -> None:
        self._meaning = meaning
        self.tools = tools
        self.logged = logged

    async def rank(self, question: str, sentences: list[str]) -> list[float]:
        return self._meaning.rank(question, sentences)

    async def say(self, said: str) -> str | None:
        """What the agent answers; None if no tool fits."""
        planned = self.tools.answered(said) or await self.tools.plan(said, self.rank)
        self.tools.confirmed(planned)
        if planned is None:
            return self.tools.unavailable()
        return self.tools.question(planned) or (await self.tools.call(planned)).answer


@asynccontextmanager
async def session(meaning: Meaning, token: str = "", **servers: McpServer) -> AsyncIterator[Session]:
    logged: list[dict[str, Any]] = []

    def log(event: str, **fields: Any) -> None:
        logged.append({"event": event, **fields})

    tools = SessionTools(servers, {"T": Secret(token)} if token else {}, SystemClock(), language="en", log=log)
    tools.start()
    yield Session(meaning, tools, logged)
    await tools.close()


async def test_the_shipped_server_in_a_conversation(meaning: Meaning) -> None:
    async with session(meaning, tables=McpServer(command=[sys.executable, str(TABLES)], timeout="20s")) as one:
        assert await one.say("Is table four free tonight?") == "Yes, table 4 is free tonight. It has 4 seats."
        assert (
            await one.say("Please reserve table four.") == "For that I need to know this: the name for the reservation."
        )
        assert await one.say("It's Ann Lee.") == "Table 4 is reserved tonight for Ann Lee."
        assert str(await one.say("Please reserve table four for Bob Ray.")).startswith("I'm sorry, that did not work.")
        assert await one.say("Who won the match?") is None
    assert [line["event"] for line in one.logged] == ["tools", "tool_call", "tool_call", "tool_call"]
    assert one.logged[0]["names"] == ["table_is_free", "free_tables", "reserve_table"]
    reserved = one.logged[2]
    assert (reserved["name"], reserved["arguments"], reserved["ok"]) == (
        "reserve_table",
        {"table": 4, "name": "Ann Lee"},
        True,
    )


async def test_a_plan_calls_nothing(meaning: Meaning) -> None:
    async with serving("good") as served, session(meaning, weather=McpServer(url=served.url)) as one:
        planned = await one.tools.plan("What is the weather in Oslo?", one.rank)
        assert planned is not None
        assert (planned.tool.name, planned.arguments) == ("weather", {"city": "Oslo"})
        assert served.calls == []
        assert (await one.tools.call(planned)).answer == "It is sunny. It is warm."
        assert served.calls == [{"name": "weather", "arguments": {"city": "Oslo"}}]


@pytest.mark.parametrize(
    ("mode", "answer"),
    [
        ("hangs", "takes too long"),
        ("dies", "cannot reach"),
        ("huge", "far too long"),
        ("picture", "do not understand"),
        ("lies_output", "do not understand"),
        ("refuses", "did not accept"),
        ("error", "There is no such city."),
    ],
)
async def test_an_honest_sentence(meaning: Meaning, mode: str, answer: str) -> None:
    async with serving(mode) as served, session(meaning, weather=McpServer(url=served.url, timeout="3s")) as one:
        assert answer in str(await one.say("What is the weather in Oslo?"))
        assert one.logged[-1]["event"] == "tool_call"
        assert not one.logged[-1]["ok"]


async def test_a_server_that_cannot_be_listed_is_admitted_where_nothing_else_is_known(meaning: Meaning) -> None:
    gone = McpServer(url="http://127.0.0.1:9/mcp")
    async with serving("good") as served, session(meaning, gone=gone, weather=McpServer(url=served.url)) as one:
        assert await one.say("What is the weather in Oslo?") == "It is sunny. It is warm."
        assert "cannot reach the service" in str(await one.say("Is table four free tonight?"))
    [problem] = [line for line in one.logged if "problem" in line]
    assert problem["server"] == "gone"


async def test_a_call_that_the_end_of_the_session_cuts_off_is_logged(meaning: Meaning) -> None:
    async with serving("hangs") as served, session(meaning, weather=McpServer(url=served.url, timeout="30s")) as one:
        calling = asyncio.create_task(one.say("What is the weather in Oslo?"))
        await served.called.wait()
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
    assert (one.logged[-1]["name"], one.logged[-1]["ok"]) == ("weather", False)
    assert "ended before the tool answered" in one.logged[-1]["result"]


async def test_a_token_that_the_server_sends_back_is_neither_spoken_nor_logged(meaning: Meaning) -> None:
    async with serving("echo", token=CANARY) as served:
        declared = McpServer(url=served.url, token_env="T")
        async with session(meaning, CANARY, weather=declared) as one:
            said = await one.say("What is the weather in Oslo?")
    assert "You sent Bearer" in str(said)
    assert CANARY not in f"{said} {one.logged}"
