"""The service's HTTP application: its routes, the form of its errors, and its OpenAPI document."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import MutableMapping
from http import HTTPMethod, HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness import __version__
from harness.stack.service.access import Access
from harness.stack.service.agents import agent_routes
from harness.stack.service.answers import RefusedError, refusal, sentence
from harness.stack.service.documents import document_routes
from harness.stack.service.mcp_servers import mcp_routes
from harness.stack.service.problems import NotDoneError
from harness.stack.service.routes import redirect_without_slash
from harness.stack.service.sessions import session_routes
from harness.stack.service.state import Service

_log = logging.getLogger(__name__)
_ABOUT = "Sessions with voice agents, and the agents themselves. A path without its trailing slash is redirected (301)."


def build_app(service: Service) -> FastAPI:
    """The application; all its error responses are JSON."""
    app = FastAPI(
        title="Voice agents",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    access = Access(service.ring)
    app.include_router(session_routes(service, access))
    if service.store is not None:
        app.include_router(agent_routes(service, service.store, access))
        app.include_router(document_routes(service.store, access))
        app.include_router(mcp_routes(service.store, access))
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(NotDoneError, _not_done)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(sqlite3.Error, _database_failed)
    app.add_middleware(_Failures)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's way to change its document
    return app


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101 - it is registered for these
    return refusal(error.status, error.message, error.headers)


async def _not_done(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotDoneError)  # noqa: S101 - it is registered for these
    field = f"{error.where}: " if error.where is not None else ""
    return refusal(error.status, f"{field}{sentence(error.what)}")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    headers = error.headers
    if error.status_code == HTTPStatus.NOT_FOUND:
        redirect = redirect_without_slash(request, lambda path: bool(_methods(request.app, path)))
        if redirect is not None:
            return redirect
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # Starlette names the methods of one route of the path
        headers = {"Allow": ", ".join(_methods(request.app, request.scope["path"]))}
    return refusal(error.status_code, str(error.detail), headers)


async def _database_failed(request: Request, error: Exception) -> Response:
    _log.warning("%s %s: the database failed: %r", request.method, request.url.path, error)
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The database cannot be used now; try again.", {"Retry-After": "1"})


class _Failures:
    """Answers a request whose handler failed, whatever it is: the client gets a response and the log the reason.

    Starlette's own handler of all errors raises them again, whereupon uvicorn closes the connection without notice, and
    the client's next request on it fails as well.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if has_begun:
                raise
            _log.warning("%s %s failed: %r", scope.get("method"), scope.get("path"), error)
            await refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error.")(scope, receive, send)


def _methods(app: FastAPI, path: str) -> list[str]:
    """The methods of a path; none if there is no such path."""

    def takes(method: str) -> bool:
        scope: MutableMapping[str, Any] = {"type": "http", "method": method, "path": path}
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    return [method for method in HTTPMethod if takes(method)]


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document without its own 422, and with the redirects."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for path, methods in list(document["paths"].items()):
            for operation in methods.values():
                operation["responses"].pop("422", None)
            without = {
                "tags": ["redirects"],
                "summary": "Redirects to the path with a slash",
                "responses": {"301": {"description": "The slash is missing."}},
            }
            document["paths"][path.rstrip("/")] = {
                method: without | {"parameters": operation.get("parameters", [])}
                for method, operation in methods.items()
            }
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        app.openapi_schema = document
    return app.openapi_schema
