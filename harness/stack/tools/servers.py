"""A session's connection to one MCP server: it lists the tools at the session's start, and calls them.

The connection lives in a task of its own, as the SDK demands. Nothing here raises what the SDK raises: whatever goes
wrong is a `Trouble`, without the token, which a server may have sent back.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.process.log_tail import LogTail
from harness.secret import Secret
from harness.stack.tools.declared import McpServer, missing_extra
from harness.stack.tools.listed import MOST_TOOLS, Tool, tool_of
from harness.stack.tools.results import keeps_word, text_of
from harness.stack.tools.trouble import Trouble

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client._transport import TransportStreams

CLOSE_WITHIN_S = 4.0
STARTS_WITHIN_S = 10.0  # what a program may take to start, beside its time-out
MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered.

    Attributes:
        text: The text of its result, cut to what is read.
        ok: Whether the tool says that it worked.
    """

    text: str
    ok: bool


class Server:
    """One server, for one session.

    Args:
        name: Its name in the agents file.
        declared: What the file says about it.
        tokens: The tokens by their variables; looked into whenever a request is sent.
    """

    def __init__(self, name: str, declared: McpServer, tokens: Mapping[str, Secret]) -> None:
        self.name = name
        self._declared = declared
        self._tokens = tokens
        self._said = LogTail(list(tokens.values()))
        self._client: Client | None = None
        self._running: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._trouble: Trouble | None = None
        self._outputs: dict[str, Any] = {}

    @property
    def _lists_within_s(self) -> float:
        return self._declared.timeout_s + (STARTS_WITHIN_S if self._declared.command is not None else 0.0)

    async def list_tools(self) -> list[Tool]:
        """Connects and lists the tools that can be used.

        Raises:
            Trouble: The server cannot be used.
        """
        await self._hang_up()
        if missing_extra() is not None:
            raise Trouble("gone", f"MCP is not installed; {missing_extra()}")
        self._require_token()
        await asyncio.to_thread(load_sdk)
        logging.getLogger("mcp").setLevel(logging.CRITICAL)  # it logs what servers send; we say what goes wrong
        listed: asyncio.Future[list[Tool]] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._trouble = None
        self._running = asyncio.create_task(self._live(listed, self._closing))
        waited: set[asyncio.Future[Any]] = {listed, self._running}
        try:
            await asyncio.wait(waited, timeout=self._lists_within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not listed.done():
                await self._hang_up()
        if not listed.done():
            raise self._trouble or Trouble("slow", f"it listed no tools within {self._lists_within_s:.1f} s")
        return listed.result()

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Result:
        """Calls a tool; connects again first if the server had ended since. It is never called twice.

        Raises:
            Trouble: The call failed, or its result cannot be used.
        """
        if self._client is None or self._trouble is not None:
            await self.list_tools()
        client = self._client
        if client is None:
            raise Trouble("gone", "the connection has ended")
        self._trouble = None
        try:
            async with asyncio.timeout(self._declared.timeout_s):
                return await self._called(client, tool, arguments)
        except TimeoutError:
            raise Trouble("slow", f"it did not answer within {self._declared.timeout}") from None
        except Trouble:
            raise
        except Exception as problem:  # noqa: BLE001 - the SDK raises its own errors, pydantic's, httpx2's and groups
            raise self._trouble or self._trouble_in(problem) from None

    async def close(self) -> None:
        """Ends the connection, and the program. Never raises."""
        await self._hang_up()

    def scrub(self, text: str) -> str:
        """`text` without any token."""
        for token in self._tokens.values():
            text = token.scrub(text)
        return text

    async def _live(self, listed: asyncio.Future[list[Tool]], closing: asyncio.Event) -> None:
        """Holds the connection until `closing`; what goes wrong before is kept in `_trouble`."""
        from mcp import Client
        from mcp_types import Implementation

        who = Implementation(name="voice-harness", version="1")
        try:
            async with Client(self._transport(), cache=None, client_info=who) as client:
                tools = await self._listed(client)
                self._client = client
                if not listed.done():
                    listed.set_result(tools)
                await closing.wait()
        except Exception as problem:  # noqa: BLE001 - as in `call`
            self._trouble = self._trouble or self._trouble_in(problem)
        finally:
            self._client = None

    def _transport(self) -> contextlib.AbstractAsyncContextManager[TransportStreams]:
        declared = self._declared
        if declared.url is not None:
            from harness.stack.tools.http import endpoint

            return endpoint(declared.url, self._token, self._take)
        from harness.stack.tools.stdio import program

        return program(declared.command or [], declared.cwd, self._said, self._take)

    def _take(self, trouble: Trouble) -> None:
        self._trouble = self._trouble or trouble

    async def _listed(self, client: Client) -> list[Tool]:
        tools: list[Tool] = []
        async for listed in _entries(client):
            tool = tool_of(self.name, listed)
            if tool is not None:
                tools.append(tool)
                self._outputs[tool.name] = listed.get("outputSchema")
        return tools[:MOST_TOOLS]

    async def _called(self, client: Client, tool: str, arguments: Mapping[str, Any]) -> Result:
        """Sends the call as it is: the SDK's own method would match patterns of the server against its result."""
        from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult

        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments)))
        result = await client.session.send_request(request, CallToolResult)
        text = self.scrub(text_of(result.content))
        if result.is_error:
            return Result(text, ok=False)
        if not keeps_word(self._outputs.get(tool), result.structured_content):
            raise Trouble("nonsense", "its result is not what its output schema says")
        return Result(text, ok=True)

    def _require_token(self) -> None:
        variable = self._declared.token_env
        if variable is None:
            return
        token = self._tokens.get(variable)
        if token is None or not token:
            raise Trouble("refused", f"the variable {variable}, which holds its token, is not set")
        if not token.reveal().isascii() or not token.reveal().isprintable() or " " in token.reveal():
            raise Trouble(
                "refused", f"the variable {variable} holds no token: it has characters that no header may have"
            )

    def _token(self) -> Secret | None:
        variable = self._declared.token_env
        return None if variable is None else self._tokens.get(variable)

    def _trouble_in(self, problem: BaseException) -> Trouble:
        """What an error of the SDK means."""
        from mcp import MCPError
        from mcp_types import CONNECTION_CLOSED
        from pydantic import ValidationError

        while isinstance(problem, BaseExceptionGroup):
            problem = problem.exceptions[0]
        if isinstance(problem, Trouble):
            return problem
        if isinstance(problem, ValidationError):
            return Trouble("nonsense", "its answer is not what MCP says")
        last = self._said.last(1)
        if isinstance(problem, MCPError) and problem.code != CONNECTION_CLOSED:
            return Trouble("refused", self.scrub(f"it answered with error {problem.code}: {problem.message[:200]}"))
        why = "the connection was closed" if isinstance(problem, MCPError) else f"{type(problem).__name__}: {problem}"
        return Trouble("gone", self.scrub(f"{why}; it last said: {last}" if last else why)[:300])

    async def _hang_up(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        self._closing.set()
        if not running.done() and self._client is None:
            running.cancel()  # it is still connecting
        await asyncio.wait({running}, timeout=CLOSE_WITHIN_S)
        if not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=CLOSE_WITHIN_S)


def load_sdk() -> None:
    """Imports the SDK, which takes a second or more: before the first session, or beside the event loop."""
    for module in ("mcp", "mcp.client.streamable_http", "harness.stack.tools.http"):
        importlib.import_module(module)


async def _entries(client: Client) -> AsyncIterator[Mapping[str, Any]]:
    """The entries of `tools/list`, page by page."""
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            yield tool.model_dump(by_alias=True, mode="json", exclude_none=True)
        cursor = page.next_cursor
        if cursor is None:
            return
