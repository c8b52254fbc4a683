"""`/api/agents/ID/documents/`: the documents that an agent answers from."""

from __future__ import annotations

import asyncio
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
from harness.stack.knowledge import Document, read_document
from harness.stack.service.access import Access
from harness.stack.service.agents import AGENT_PATH, NothingAnswer
from harness.stack.service.answers import RefusedError, sentence, success
from harness.stack.service.reading import content_type
from harness.stack.service.routes import add
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import known_agent
from harness.stack.service.stored_documents import documents_of, forget_document, keep_document, known_document

DOCUMENTS_PATH = f"{AGENT_PATH}documents/"
DOCUMENT_PATH = f"{DOCUMENTS_PATH}{{document_id}}/"
BODY_LIMIT_BYTES = 21 * 1_000_000  # a document of 20 MB, and what surrounds it
_FORM = "multipart/form-data"


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
        await store.read(lambda database: known_agent(database, agent_id))
        name, data = await _file(request)
        document = await _read(name, data)

        def work(database: Any) -> dict[str, Any]:
            return keep_document(database, store, agent_id, document, at=clock.utc())

        return success(await store.run(work), HTTPStatus.CREATED)

    async def show_all(_request: Request, agent_id: str) -> Response:
        return success({"documents": await store.read(lambda database: documents_of(database, agent_id))})

    async def show(_request: Request, agent_id: str, document_id: str) -> Response:
        return success(await store.read(lambda database: known_document(database, agent_id, document_id)))

    async def remove(_request: Request, agent_id: str, document_id: str) -> Response:
        await store.run(lambda database: forget_document(database, agent_id, document_id))
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
        hint = f" {sentence(problem.hint)}" if problem.hint else ""
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"file: {problem.what}.{hint}") from None
