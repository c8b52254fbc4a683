"""MCP servers of agents in the database."""

from __future__ import annotations

import sqlite3
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.stack.service.fields import Line
from harness.stack.service.problems import ConflictError, UnknownError
from harness.stack.service.stored_agents import known_agent
from harness.stack.tools.declared import McpServer

MOST_SERVERS = 20


class NamedServer(BaseModel):
    """The name of an MCP server."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Line, Field(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


def keep_server(database: sqlite3.Connection, agent_id: str, name: str, declared: McpServer) -> None:
    """Stores an MCP server of an agent.

    Args:
        database: The database.
        agent_id: The agent's id.
        name: The server's name, as `NamedServer` takes it.
        declared: The server.

    Raises:
        UnknownAgentError: There is no such agent.
        ConflictError: It has a server of that name, or `MOST_SERVERS` already.
    """
    known = servers_of(database, agent_id)
    if name in known:
        raise ConflictError(f"agent {agent_id!r} has an MCP server {name!r} already", hint="remove it first")
    if len(known) >= MOST_SERVERS:
        raise ConflictError(f"an agent has at most {MOST_SERVERS} MCP servers", hint="remove one first")
    row = (agent_id, name, declared.model_dump_json(exclude_none=True))
    database.execute("INSERT INTO mcp_servers (agent, name, declared) VALUES (?, ?, ?)", row)


def servers_of(database: sqlite3.Connection, agent_id: str) -> dict[str, McpServer]:
    """The MCP servers of an agent, by name.

    Raises:
        UnknownAgentError: There is no such agent.
    """
    known_agent(database, agent_id)
    rows = database.execute("SELECT name, declared FROM mcp_servers WHERE agent = ? ORDER BY name", (agent_id,))
    return {name: McpServer.model_validate_json(declared) for name, declared in rows}


def known_server(database: sqlite3.Connection, agent_id: str, name: str) -> McpServer:
    """An MCP server of an agent.

    Raises:
        UnknownError: There is no such agent, or it has no such server.
    """
    found = servers_of(database, agent_id).get(name)
    if found is None:
        raise UnknownError(f"agent {agent_id!r} has no MCP server {name[:100]!r}", hint="see `stack agent show`")
    return found


def forget_server(database: sqlite3.Connection, agent_id: str, name: str) -> None:
    """Removes an MCP server of an agent.

    Raises:
        UnknownError: There is no such agent, or it has no such server.
    """
    known_server(database, agent_id, name)
    database.execute("DELETE FROM mcp_servers WHERE agent = ? AND name = ?", (agent_id, name))
