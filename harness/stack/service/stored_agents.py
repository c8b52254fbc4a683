"""Agents in the database: those of the agents file, renewed at each start, and those that were created over HTTP."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.stack.agents_file import AgentSpec
from harness.stack.service.allowed import Allowed
from harness.stack.service.keys import utc_text
from harness.stack.service.problems import ConflictError, UnknownAgentError

MOST_AGENTS = 10_000
FIELDS = ("name", "system_prompt", "greeting", "language", "reference_audio_url")
_COLUMNS = ("id", *FIELDS, "base", "of_file", "is_changed", "created", "changed")


@dataclass(frozen=True, slots=True)
class StoredAgent:
    """A row of the database; times are UTC in ISO 8601.

    Attributes:
        base: The agents file's entry as JSON; `{}` for an agent that is not of the file.
        of_file: It is of the agents file.
        is_changed: Its fields were changed since it was made, or renewed from the file.
    """

    id: str
    name: str
    system_prompt: str
    greeting: str
    language: str
    reference_audio_url: str | None
    base: str
    of_file: bool
    is_changed: bool
    created: str
    changed: str


def new_agent(database: sqlite3.Connection, fields: Mapping[str, Any], *, allowed: Allowed, at: datetime) -> str:
    """Stores an agent; returns its id.

    Args:
        database: The database.
        fields: All of `FIELDS`.
        allowed: What its reference voice may be.
        at: The time of day.

    Raises:
        ConflictError: There are `MOST_AGENTS` already.
        UnfitError: Its reference voice is not allowed.
    """
    allowed.check(fields["reference_audio_url"])
    if database.execute("SELECT count(*) FROM agents").fetchone()[0] >= MOST_AGENTS:
        raise ConflictError(f"there are {MOST_AGENTS:,} agents already", hint="delete some first")
    agent_id = f"agent_{secrets.token_hex(8)}"
    times = {"created": utc_text(at), "changed": utc_text(at)}
    _insert(database, StoredAgent(id=agent_id, **fields, base="{}", of_file=False, is_changed=False, **times))
    return agent_id


def renew_file_agents(database: sqlite3.Connection, specs: Mapping[str, AgentSpec], *, at: datetime) -> list[str]:
    """Stores the agents of the file over those of the same id, which keep their documents and MCP servers.

    Agents that left the file are removed; returns the ids of their documents.
    """
    gone = [row[0] for row in database.execute("SELECT id FROM agents WHERE of_file") if row[0] not in specs]
    documents = [document for name in gone for document in _remove(database, name)]
    for name, spec in specs.items():
        fields = (name, name, spec.prompt, spec.greeting, spec.language, spec.reference_audio_url)
        base = spec.model_dump_json(exclude_defaults=True)
        times = {"created": utc_text(at), "changed": utc_text(at)}
        _insert(database, StoredAgent(*fields, base, of_file=True, is_changed=False, **times))
    return documents


def find_agent(database: sqlite3.Connection, agent_id: str) -> StoredAgent | None:
    """The agent of that id; None if there is none."""
    row = database.execute(f"SELECT {', '.join(_COLUMNS)} FROM agents WHERE id = ?", (agent_id,)).fetchone()  # noqa: S608
    return None if row is None else _agent(row)


def all_agents(database: sqlite3.Connection) -> list[StoredAgent]:
    """All agents, the oldest first."""
    rows = database.execute(f"SELECT {', '.join(_COLUMNS)} FROM agents ORDER BY created, id")  # noqa: S608 - our names
    return [_agent(row) for row in rows]


def known_agent(database: sqlite3.Connection, agent_id: str) -> StoredAgent:
    """The agent of that id.

    Raises:
        UnknownAgentError: There is none.
    """
    agent = find_agent(database, agent_id)
    if agent is None:
        raise UnknownAgentError(agent_id)
    return agent


def change_agent(
    database: sqlite3.Connection, agent_id: str, fields: Mapping[str, Any], *, allowed: Allowed, at: datetime
) -> None:
    """Changes some of `FIELDS`; its next session has them. `allowed` says what its reference voice may be.

    Raises:
        UnknownAgentError: There is no such agent.
        UnfitError: Its new reference voice is not allowed.
    """
    known_agent(database, agent_id)
    allowed.check(fields.get("reference_audio_url"))
    if not fields:
        return
    sets = ", ".join(["is_changed = 1", *(f"{name} = ?" for name in (*fields, "changed"))])
    database.execute(f"UPDATE agents SET {sets} WHERE id = ?", (*fields.values(), utc_text(at), agent_id))  # noqa: S608 - names of a model


def delete_agent(database: sqlite3.Connection, agent_id: str) -> list[str]:
    """Deletes an agent, with what belongs to it in the database; returns the ids of its documents, for their files.

    Raises:
        UnknownAgentError: There is no such agent.
        ConflictError: It is of the agents file, which would bring it back.
    """
    if known_agent(database, agent_id).of_file:
        raise ConflictError(f"the agent {agent_id!r} is of the agents file", hint="remove it there")
    return _remove(database, agent_id)


def spec_of(database: sqlite3.Connection, agent_id: str, passages: Callable[[str], Path]) -> AgentSpec | None:
    """The settings of an agent for its next session; None if there is none, or it is as the agents file has it.

    Args:
        database: The database.
        agent_id: The agent's id.
        passages: Returns the file with a document's passages.
    """
    agent = find_agent(database, agent_id)
    if agent is None:
        return None
    rows = database.execute("SELECT id FROM documents WHERE agent = ? ORDER BY added, id", (agent_id,))
    paths = [str(passages(row[0])) for row in rows]
    rows = database.execute("SELECT name, declared FROM mcp_servers WHERE agent = ? ORDER BY name", (agent_id,))
    servers = {name: json.loads(declared) for name, declared in rows}
    if agent.of_file and not agent.is_changed and not paths and not servers:
        return None
    base = json.loads(agent.base)
    changed = {
        "prompt": agent.system_prompt,
        "greeting": agent.greeting,
        "language": agent.language,
        "reference_audio_url": agent.reference_audio_url,
        "documents": [*base.get("documents", []), *paths],
        "mcp": base.get("mcp", {}) | servers,
    }
    return AgentSpec.model_validate(base | changed)


def _remove(database: sqlite3.Connection, agent_id: str) -> list[str]:
    rows = database.execute("SELECT id FROM documents WHERE agent = ?", (agent_id,)).fetchall()
    database.execute("DELETE FROM agents WHERE id = ?", (agent_id,))
    return [row[0] for row in rows]


def _insert(database: sqlite3.Connection, agent: StoredAgent) -> None:
    marks = ", ".join("?" * len(_COLUMNS))
    values = [getattr(agent, column) for column in _COLUMNS]
    renewed = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS if column not in ("id", "created"))
    database.execute(
        f"INSERT INTO agents ({', '.join(_COLUMNS)}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {renewed}",  # noqa: S608 - our names
        values,
    )


def _agent(row: tuple[Any, ...]) -> StoredAgent:
    found = dict(zip(_COLUMNS, row, strict=True))
    return StoredAgent(**found | {name: bool(found[name]) for name in ("of_file", "is_changed")})
