from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from harness.secret import Secret
from harness.stack.tools import servers
from harness.stack.tools.declared import McpServer
from harness.stack.tools.listed import Tool
from harness.stack.tools.results import MOST_RESULT_BYTES
from harness.stack.tools.servers import Server
from harness.stack.tools.trouble import Trouble
from tests.stack.tools.bad_servers import LIES, SCRIPT, serving

CANARY = "canary-Qx7TnV2mKd"
SOON = "700ms"
TABLES = Path(__file__).parents[3] / "scenarios" / "mcp_tables.py"


@asynccontextmanager
async def over(way: str, mode: str, timeout: str = "10s") -> AsyncIterator[Server]:
    """A server of that mode over stdio or HTTP."""
    if way == "stdio":
        server = Server("bad", McpServer(command=[sys.executable, str(SCRIPT), mode], timeout=timeout), {})
        yield server
        await server.close()
        return
    async with serving(mode) as served:
        server = Server("bad", McpServer(url=served.url, timeout=timeout), {})
        yield server
        await server.close()


async def trouble_of(server: Server) -> Trouble:
    """What goes wrong when its tool is listed and called."""
    try:
        await server.list_tools()
        result = await server.call("weather", {"city": "Oslo"})
    except Trouble as trouble:
        return trouble
    pytest.fail(f"no trouble: {result}")


both = pytest.mark.parametrize("way", ["stdio", "http"])


@both
async def test_a_good_server(way: str) -> None:
    async with over(way, "good") as server:
        assert [tool.name for tool in await server.list_tools()] == ["weather"]
        result = await server.call("weather", {"city": "Oslo"})
        assert (result.text, result.ok) == ("It is sunny. It is warm.", True)


@both
@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("dies", "gone"),
        ("huge", "too_large"),
        ("huge_list", "too_large"),
        ("nonsense_list", "nonsense"),
        ("nonsense_result", "nonsense"),
        ("lies_output", "nonsense"),
        ("lies_properties", "nonsense"),
        ("refuses", "refused"),
    ],
)
async def test_a_bad_server_is_a_trouble_of_its_kind(way: str, mode: str, kind: str) -> None:
    async with over(way, mode) as server:
        assert (await trouble_of(server)).kind == kind


@both
async def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_its_timeout(way: str) -> None:
    async with over(way, "hangs") as server:
        await server.list_tools()
        slow = server._declared = server._declared.model_copy(update={"timeout": SOON})
        began = time.monotonic()
        with pytest.raises(Trouble, match=f"within {SOON}") as caught:
            await server.call("weather", {"city": "Oslo"})
        assert caught.value.kind == "slow"
        assert time.monotonic() - began < slow.timeout_s + 3


async def test_a_server_that_lists_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "STARTS_WITHIN_S", 0.0)
    for way in ("stdio", "http"):
        async with over(way, "silent", SOON) as server:
            assert (await trouble_of(server)).kind == "slow"


@pytest.mark.parametrize("mode", LIES)
async def test_a_tool_whose_schema_is_none_is_left_out_and_the_others_stay(mode: str) -> None:
    async with over("stdio", mode) as server:
        assert [tool.name for tool in await server.list_tools()] == ["weather"]


async def test_a_tool_that_fails_says_why() -> None:
    async with over("stdio", "error") as server:
        result = await server.call("weather", {"city": "Atlantis"})
        assert (result.text, result.ok) == ("There is no such city.", False)


async def test_ten_kilobytes_of_a_result_are_read() -> None:
    async with over("stdio", "long") as server:
        result = await server.call("weather", {"city": "Oslo"})
        assert len(result.text.encode()) == MOST_RESULT_BYTES


async def test_what_is_no_mcp_server() -> None:
    async with over("stdio", "not_mcp") as server:
        assert (await trouble_of(server)).kind == "nonsense"
    async with serving("page") as served:
        server = Server("page", McpServer(url=served.url), {})
        assert (await trouble_of(server)).kind == "refused"
        await server.close()


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        (McpServer(command=["no-such-program-here"]), "cannot be started"),
        (McpServer(command=[sys.executable, "-c", "raise SystemExit(1)"]), "the program ended"),
        (McpServer(url="http://127.0.0.1:9/mcp"), "ConnectError"),
    ],
)
async def test_what_is_not_there(declared: McpServer, what: str) -> None:
    server = Server("none", declared, {})
    trouble = await trouble_of(server)
    assert trouble.kind == "gone"
    assert what in trouble.what
    await server.close()


async def test_a_program_that_has_ended_is_started_again_before_a_call_and_a_call_is_made_once() -> None:
    async with over("stdio", "dies_later") as server:
        await server.list_tools()
        for _ in range(2):
            with pytest.raises(Trouble) as caught:
                await server.call("weather", {"city": "Oslo"})
            assert caught.value.kind == "gone"
    async with serving("dies") as served:
        server = Server("dies", McpServer(url=served.url), {})
        await trouble_of(server)
        assert len(served.calls) == 1
        await server.close()


async def test_a_program_ends_with_its_session_even_if_it_ignores_its_input() -> None:
    async with over("stdio", "stubborn") as server:
        result = await server.call("weather", {"city": "Oslo"})
        itself = psutil.Process(int(result.text))
    assert not itself.is_running()


async def test_the_shipped_server_over_http_with_a_token() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(TABLES), "--port", str(port), "--token-env", "TABLES", env={**os.environ, "TABLES": CANARY}
    )
    declared = McpServer(url=f"http://127.0.0.1:{port}/mcp", token_env="TABLES")
    server = Server("tables", declared, {"TABLES": Secret(CANARY)})
    try:
        async with asyncio.timeout(60):
            while (tools := await listed_or_none(server)) is None:
                assert program.returncode is None
        assert {tool.name for tool in tools} == {"table_is_free", "free_tables", "reserve_table"}
        assert (await server.call("table_is_free", {"table": 4})).text.startswith("Yes, table 4 is free tonight.")
        stranger = Server("tables", declared, {"TABLES": Secret("another-token")})
        assert (await trouble_of(stranger)).kind == "refused"
        await stranger.close()
    finally:
        await server.close()
        program.terminate()
        await program.wait()


async def listed_or_none(server: Server) -> list[Tool] | None:
    try:
        return await server.list_tools()
    except Trouble as trouble:
        if trouble.kind == "gone":  # it is not up yet
            return None
        raise


# -- tokens ----------------------------------------------------------------------------------------------------------


async def test_the_token_is_sent_with_each_request_and_told_nowhere() -> None:
    async with serving("echo", token=CANARY) as served:
        declared = McpServer(url=served.url, token_env="TABLES")
        server = Server("echo", declared, {"TABLES": Secret(CANARY)})
        await server.list_tools()
        result = await server.call("weather", {"city": "Oslo"})
        await server.close()
    assert set(served.authorizations) == {f"Bearer {CANARY}"}
    assert CANARY not in result.text
    assert "You sent Bearer ***" in result.text


@pytest.mark.parametrize(
    ("tokens", "what"),
    [
        ({"TABLES": Secret("another-one")}, "401"),
        ({}, "the variable TABLES, which holds its token, is not set"),
        ({"TABLES": Secret(f"{CANARY}\r\nX-Else: 1")}, "the variable TABLES holds no token"),
    ],
)
async def test_a_token_that_is_refused_or_missing(tokens: dict[str, Secret], what: str) -> None:
    async with serving("good", token=CANARY) as served:
        server = Server("good", McpServer(url=served.url, token_env="TABLES"), tokens)
        trouble = await trouble_of(server)
        await server.close()
    assert trouble.kind == "refused"
    assert what in trouble.what
    assert CANARY not in trouble.what


async def test_a_redirect_to_another_server_does_not_get_the_token() -> None:
    async with serving("good") as other, serving("good", redirect_to=other.url) as served:
        server = Server("moved", McpServer(url=served.url, token_env="TABLES"), {"TABLES": Secret(CANARY)})
        assert (await trouble_of(server)).kind == "refused"
        await server.close()
    assert other.authorizations == []


async def test_a_program_gets_no_variable_that_could_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", CANARY)
    look = "import os, sys; sys.exit(os.environ.get('SOME_PASSWORD', 'no password'))"
    server = Server("look", McpServer(command=[sys.executable, "-c", look]), {})
    await trouble_of(server)
    assert server._said.last() == "no password"
    await server.close()
