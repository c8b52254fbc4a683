"""An MCP server to try tools with: the tables of a small restaurant, which are free and who has reserved them.

    python mcp_tables.py                    over standard input and output
    python mcp_tables.py --port 8200        over streamable HTTP, at http://127.0.0.1:8200/mcp

It needs the package `mcp` (`pip install mcp`, or voice-harness with its extra `mcp`). In an agents file:

    agents:
      host:
        prompt: You are the host of a small restaurant.
        greeting: Hello, how can I help?
        mcp:
          tables: {command: [python, scenarios/mcp_tables.py]}

With --token-env NAME it takes requests only with the token in that variable. Reservations are kept in memory.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hmac
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

SEATS = {1: 2, 2: 2, 3: 4, 4: 4, 5: 4, 6: 6, 7: 8, 8: 2}
TAKEN_DAILY = {3, 7}  # regulars, each evening

Table = Annotated[int, Field(description="The table's number, 1 to 8", ge=1, le=8)]
Day = Annotated[str, Field(description="The date as YYYY-MM-DD; today if left out")]
Party = Annotated[int, Field(description="How many people", ge=1, le=8)]

reserved: dict[tuple[str, int], str] = {}
server = MCPServer("tables", log_level="WARNING")


def is_free(day: str, table: int) -> bool:
    """Whether nobody has the table on that day."""
    return table not in TAKEN_DAILY and (day, table) not in reserved


def day_of(text: str) -> str:
    """The day as a date; today for an empty text."""
    try:
        return dt.date.fromisoformat(text).isoformat() if text else dt.date.today().isoformat()  # noqa: DTZ011 - the restaurant's own day
    except ValueError:
        raise ToolError(f"{text!r} is not a date. Use the form YYYY-MM-DD.") from None


def spoken(day: str) -> str:
    """The day as it is said."""
    return "tonight" if day == day_of("") else f"on {dt.date.fromisoformat(day):%A, %-d %B}"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def table_is_free(table: Table, date: Day = "") -> str:
    """Says whether a table is free on a day."""
    day = day_of(date)
    if is_free(day, table):
        return f"Yes, table {table} is free {spoken(day)}. It has {SEATS[table]} seats."
    others = [str(other) for other in SEATS if is_free(day, other)]
    return f"No, table {table} is taken {spoken(day)}. These are free: {', '.join(others) or 'none'}."


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def free_tables(party_size: Party, date: Day = "") -> str:
    """Lists the tables that are free on a day and large enough for a party."""
    day = day_of(date)
    fitting = [str(table) for table, seats in SEATS.items() if seats >= party_size and is_free(day, table)]
    if not fitting:
        return f"There is no free table for {party_size} {spoken(day)}."
    return f"For {party_size} people these tables are free {spoken(day)}: {', '.join(fitting)}."


@server.tool()
def reserve_table(
    table: Table,
    name: Annotated[str, Field(description="The name for the reservation", min_length=1, max_length=80)],
    date: Day = "",
) -> str:
    """Reserves a table on a day under a name."""
    day = day_of(date)
    if not is_free(day, table):
        raise ToolError(f"Table {table} is taken {spoken(day)}.")
    reserved[day, table] = name
    return f"Table {table} is reserved {spoken(day)} for {name}."


Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def with_token(app: App, token: str) -> App:
    """The application, which answers 401 to requests without the token."""
    wanted = f"Bearer {token}".encode()

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not hmac.compare_digest(
            dict(scope["headers"]).get(b"authorization", b""), wanted
        ):
            headers = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    return guarded


def serve_http(port: int, token: str | None) -> None:
    """Serves on 127.0.0.1 until interrupted."""
    import uvicorn

    app: App = server.streamable_http_app()
    uvicorn.run(app if token is None else with_token(app, token), host="127.0.0.1", port=port, log_level="warning")


def main() -> None:
    """Reads the options and serves."""
    options = argparse.ArgumentParser(description="An MCP server: the tables of a small restaurant.")
    options.add_argument("--port", type=int, help="serve streamable HTTP on this port of 127.0.0.1")
    options.add_argument("--token-env", metavar="NAME", help="the variable with the token that requests must carry")
    told = options.parse_args()
    if told.port is None:
        server.run()
        return
    token = None if told.token_env is None else os.environ.get(told.token_env, "")
    if token == "":
        options.error(f"the variable {told.token_env} is not set")
    serve_http(told.port, token)


if __name__ == "__main__":
    main()
