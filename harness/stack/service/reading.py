"""Reads the bodies of requests, bounded in size and validated by a model."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from harness.stack.service.access import refuse_key_in
from harness.stack.service.answers import RefusedError
from harness.stack.service.fields import wrong_fields

BODY_LIMIT_BYTES = 1 << 20
JSON = "application/json"

Model = TypeVar("Model", bound=BaseModel)


def content_type(request: Request) -> str:
    """The media type of the body, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def bounded_body(request: Request, most: int) -> bytes:
    """The body.

    Raises:
        RefusedError: It has more than `most` bytes.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than {most:,} bytes.")
        parts.append(part)
    return b"".join(parts)


async def read_model(request: Request, model: type[Model]) -> Model:
    """The JSON body as a model.

    Raises:
        RefusedError: Its type, its size or a field of it is wrong, or it has a key in it.
    """
    given = content_type(request)
    if given != JSON:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f'Unsupported media type "{given[:100]}".')
    raw = await bounded_body(request, BODY_LIMIT_BYTES)
    try:
        body: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    refuse_key_in(body)
    try:
        return model.model_validate(body)
    except ValidationError as problem:
        details = problem.errors(include_url=False)
        raise RefusedError(HTTPStatus.BAD_REQUEST, wrong_fields(details)) from None
