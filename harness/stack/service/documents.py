"""`/api/agents/ID/documents/`: the documents that an agent answers from."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from harness.clock import SystemClock
from harness.errors import KnowledgeError
from harness.stack.knowledge import Document, read_document, store_passages
from harness.stack.service.access import Access
from harness.stack.service.agents import AGENT_PATH, NothingAnswer, no_agent
from harness.stack.service.answers import RefusedError, success
from harness.stack.service.keys import utc_text
from harness.stack.service.reading import content_type
from harness.stack.service.routes import add
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import find_agent

DOCUMENTS_PATH = f"{AGENT_PATH}documents/"
DOCUMENT_PATH = f"{DOCUMENTS_PATH}{{document_id}}/"
MOST_DOCUMENTS = 100
BODY_LIMIT_BYTES = 21 * 1_000_000  # a document of 20 MB, and what surrounds it
_FORM = "multipart/form-data"
_COLUMNS = ("id", "name", "kind", "passages", "characters", "added")


class DocumentShown(BaseModel):
    """A document of an agent."""

    id: str
    name: str
    kind: str
    passages: int
    characters: int
    added: str


class DocumentAnswer(BaseModel):
    """One document."""

    success: Literal[True]
    message: str
    data: DocumentShown


class DocumentList(BaseModel):
    """All documents of an agent."""

    documents: list[DocumentShown]


class DocumentsAnswer(BaseModel):
    """All documents of an agent."""

    success: Literal[True]
    message: str
    data: DocumentList


def document_routes(store: Store, access: Access) -> APIRouter:
    """The routes of an agent's documents."""
    clock = SystemClock()

    async def attach(request: Request, agent_id: str) -> Response:
        if await store.read(lambda database: find_agent(database, agent_id)) is None:
            raise no_agent(agent_id)
        name, data = await _file(request)
        document = await _read(name, data)

        def work(database: Any) -> dict[str, Any]:
            if find_agent(database, agent_id) is None:
                raise no_agent(agent_id)
            count = database.execute("SELECT count(*) FROM documents WHERE agent = ?", (agent_id,)).fetchone()[0]
            if count >= MOST_DOCUMENTS:
                raise RefusedError(HTTPStatus.CONFLICT, f"An agent has at most {MOST_DOCUMENTS} documents.")
            return keep_document(database, store, agent_id, document, at=clock.utc())

        return success(await store.run(work), HTTPStatus.CREATED)

    async def show_all(_request: Request, agent_id: str) -> Response:
        return success({"documents": await store.read(lambda database: documents_of(database, agent_id))})

    async def show(_request: Request, agent_id: str, document_id: str) -> Response:
        found = await store.read(lambda database: documents_of(database, agent_id))
        for document in found:
            if document["id"] == document_id:
                return success(document)
        raise _no_document(document_id)

    async def remove(_request: Request, agent_id: str, document_id: str) -> Response:
        def work(database: Any) -> None:
            if not forget_document(database, agent_id, document_id):
                raise _no_document(document_id)

        await store.run(work)
        store.remove_passages([document_id])
        return success(None)

    router = APIRouter(tags=["documents"], dependencies=[Depends(access)])
    known = (400, 401, 403, 404, 500, 503)
    file = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    add(
        router,
        "POST",
        DOCUMENTS_PATH,
        attach,
        content={_FORM: {"schema": file}},
        answer=DocumentAnswer,
        refused=(*known, 409, 413, 415),
        status=201,
    )
    add(router, "GET", DOCUMENTS_PATH, show_all, answer=DocumentsAnswer, refused=known)
    add(router, "GET", DOCUMENT_PATH, show, answer=DocumentAnswer, refused=known)
    add(router, "DELETE", DOCUMENT_PATH, remove, answer=NothingAnswer, refused=known)
    return router


def keep_document(database: Any, store: Store, agent_id: str, document: Document, *, at: datetime) -> dict[str, Any]:
    """Stores a document's passages, in a file, and what is shown of it, which is returned."""
    document_id = f"doc_{secrets.token_hex(8)}"
    counts = (len(document.passages), document.characters)
    row = (document_id, document.name, document.kind, *counts, utc_text(at))
    path = store.passages(document_id)
    names = ", ".join(("agent", *_COLUMNS))
    database.execute(f"INSERT INTO documents ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", (agent_id, *row))  # noqa: S608 - our names
    path.parent.mkdir(mode=0o700, exist_ok=True)
    store_passages(document, path)  # within the transaction: no row is without its file
    return dict(zip(_COLUMNS, row, strict=True))


def forget_document(database: Any, agent_id: str, document_id: str) -> bool:
    """Removes a document from the database, not its file; False if the agent has none of that id."""
    where = (document_id, agent_id)
    return bool(database.execute("DELETE FROM documents WHERE id = ? AND agent = ?", where).rowcount)


def documents_of(database: Any, agent_id: str) -> list[dict[str, Any]]:
    """The documents of an agent, in the order in which they were added.

    Raises:
        RefusedError: There is no such agent.
    """
    if find_agent(database, agent_id) is None:
        raise no_agent(agent_id)
    rows = database.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM documents WHERE agent = ? ORDER BY added, id",  # noqa: S608 - our names
        (agent_id,),
    )
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _no_document(document_id: str) -> RefusedError:
    return RefusedError(HTTPStatus.NOT_FOUND, f"This agent has no document {document_id[:100]!r}.")


async def _file(request: Request) -> tuple[str, bytes]:
    """The name and content of the form's field `file`.

    Raises:
        RefusedError: The body is not such a form, or too large.
    """
    if content_type(request) != _FORM:
        what = f'Unsupported media type "{content_type(request)[:100]}"; send {_FORM} with a field file.'
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, what)
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > BODY_LIMIT_BYTES:
        what = f"The body must have a Content-Length of at most {BODY_LIMIT_BYTES:,} bytes."
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what)
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise RefusedError(HTTPStatus.BAD_REQUEST, "file: This field is required, and must be a file.")
            return file.filename or "document", await file.read()
    except (HTTPException, MultiPartException, MultipartParseError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is not a valid form.") from None


async def _read(name: str, data: bytes) -> Document:
    try:
        return await asyncio.to_thread(read_document, name, data)
    except KnowledgeError as problem:
        hint = f" {problem.hint[0].upper()}{problem.hint[1:]}." if problem.hint else ""
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"file: {problem.what}.{hint}") from None
