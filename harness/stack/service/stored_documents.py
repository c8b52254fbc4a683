"""Documents in the database: a row for each, and a file with its passages."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime
from typing import Any

from harness.stack.knowledge import Document, store_passages
from harness.stack.service.keys import utc_text
from harness.stack.service.problems import ConflictError, UnknownError
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import known_agent

MOST_DOCUMENTS = 100
_COLUMNS = ("id", "name", "kind", "passages", "characters", "added")


def keep_document(
    database: sqlite3.Connection, store: Store, agent_id: str, document: Document, *, at: datetime
) -> dict[str, Any]:
    """Stores a document's passages, in a file, and what is shown of it, which is returned.

    Raises:
        UnknownAgentError: There is no such agent.
        ConflictError: It has `MOST_DOCUMENTS` already.
    """
    if len(documents_of(database, agent_id)) >= MOST_DOCUMENTS:
        raise ConflictError(f"an agent has at most {MOST_DOCUMENTS} documents", hint="remove one first")
    document_id = f"doc_{secrets.token_hex(8)}"
    counts = (len(document.passages), document.characters)
    row = (document_id, document.name, document.kind, *counts, utc_text(at))
    path = store.passages(document_id)
    names = ", ".join(("agent", *_COLUMNS))
    database.execute(f"INSERT INTO documents ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", (agent_id, *row))  # noqa: S608 - our names
    path.parent.mkdir(mode=0o700, exist_ok=True)
    store_passages(document, path)  # within the transaction: no row is without its file
    return dict(zip(_COLUMNS, row, strict=True))


def documents_of(database: sqlite3.Connection, agent_id: str) -> list[dict[str, Any]]:
    """The documents of an agent, in the order in which they were added.

    Raises:
        UnknownAgentError: There is no such agent.
    """
    known_agent(database, agent_id)
    rows = database.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM documents WHERE agent = ? ORDER BY added, id",  # noqa: S608 - our names
        (agent_id,),
    )
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def known_document(database: sqlite3.Connection, agent_id: str, document_id: str) -> dict[str, Any]:
    """A document of an agent.

    Raises:
        UnknownError: There is no such agent, or it has no such document.
    """
    for document in documents_of(database, agent_id):
        if document["id"] == document_id:
            return document
    raise UnknownError(f"agent {agent_id!r} has no document {document_id[:100]!r}", hint="see `stack agent show`")


def forget_document(database: sqlite3.Connection, agent_id: str, document_id: str) -> None:
    """Removes a document from the database, not its file.

    Raises:
        UnknownError: There is no such agent, or it has no such document.
    """
    known_document(database, agent_id, document_id)
    database.execute("DELETE FROM documents WHERE id = ?", (document_id,))
