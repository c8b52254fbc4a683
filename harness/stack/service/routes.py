"""Adds routes to the application, with the one that redirects where the trailing slash is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from harness.stack.service.answers import Refusal

REF = "#/components/schemas/{model}"
Handler = Callable[[Request], Awaitable[Response]]


def add(
    router: APIRouter,
    method: str,
    path: str,
    handler: Callable[..., Awaitable[Response]],
    *,
    answer: type[BaseModel],
    refused: Sequence[int],
    body: type[BaseModel] | None = None,
    content: dict[str, Any] | None = None,
    status: int = HTTPStatus.OK,
) -> None:
    """Adds a route.

    Args:
        router: The router.
        method: The HTTP method.
        path: The path, with its trailing slash.
        handler: Answers requests; it reads the body itself, so that a wrong key is told before a wrong body.
        answer: The model of a success.
        refused: The statuses of refusals.
        body: The model of the body, for the OpenAPI document.
        content: The content of the body for the OpenAPI document, if it is not JSON.
        status: The status of a success.
    """
    if body is not None:
        content = {"application/json": {"schema": body.model_json_schema(ref_template=REF)}}
    router.add_api_route(
        path,
        handler,
        methods=[method],
        status_code=status,
        response_model=answer,
        responses={code: {"model": Refusal} for code in (*refused, HTTPStatus.METHOD_NOT_ALLOWED)},
        openapi_extra={} if content is None else {"requestBody": {"required": True, "content": content}},
        summary=(handler.__doc__ or "").strip() or None,
    )


def redirect_without_slash(request: Request, paths: Callable[[str], bool]) -> Response | None:
    """The redirect to the path with a slash, if only that is missing; None otherwise.

    Emulates Django's APPEND_SLASH: clients that follow the redirect turn the POST into a GET.
    """
    path = request.scope["path"]
    if path.endswith("/") or not paths(f"{path}/"):
        return None
    location = quote(path, safe="/") + "/"  # what may stand in a header
    return Response(status_code=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": location})
