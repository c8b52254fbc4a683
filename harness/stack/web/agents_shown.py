"""The agents as the stack's page shows them: no prompt, and of a reference voice only where it is from."""

from __future__ import annotations

import json
import sqlite3
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from harness.stack.service.stored_agents import StoredAgent, all_agents

GREETING_LIMIT = 200  # characters


def agent_rows(database: sqlite3.Connection) -> list[dict[str, Any]]:
    """All agents, the oldest first, with the numbers of their documents and MCP servers."""
    documents = dict(database.execute("SELECT agent, count(*) FROM documents GROUP BY agent"))
    servers: dict[str, set[str]] = {}
    for agent, name in database.execute("SELECT agent, name FROM mcp_servers"):
        servers.setdefault(agent, set()).add(name)
    return [_row(agent, documents.get(agent.id, 0), servers.get(agent.id, set())) for agent in all_agents(database)]


def _row(agent: StoredAgent, documents: int, servers: set[str]) -> dict[str, Any]:
    of_file = json.loads(agent.base)
    return {
        "id": agent.id,
        "name": agent.name,
        "language": agent.language,
        "voice": _voice(agent, of_file),
        "greeting": agent.greeting[:GREETING_LIMIT],
        "documents": documents + len(of_file.get("documents", [])),
        "mcp_servers": len(servers | set(of_file.get("mcp", {}))),
    }


def _voice(agent: StoredAgent, of_file: dict[str, Any]) -> str:
    if of_file.get("kind") == "truth":
        return "one fixed sound"
    if agent.reference_audio_url:
        return f"like {_source(agent.reference_audio_url)}"
    voice = str(of_file.get("voice", "joe"))
    return "espeak" if voice == "joe" and agent.language.split("-")[0] != "en" else voice


def _source(reference: str) -> str:
    """Host and path of a URL, whose query may hold a signature; the name of a file."""
    try:
        url = urlsplit(reference)
        return f"{url.hostname}{url.path}" if url.hostname else PurePath(reference).name
    except ValueError:
        return "a recording"
