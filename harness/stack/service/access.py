"""Who may ask: the key of a request, where it must not be, and how often it may create sessions."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Security
from fastapi.security import APIKeyHeader
from starlette.requests import Request

from harness.secret import KEY_PREFIX, SURE_KEY
from harness.stack.service.answers import RefusedError
from harness.stack.service.keys import KeyRing, RateLimit

KEY_HEADER = "x-api-key"
_SCHEME = APIKeyHeader(name=KEY_HEADER, auto_error=False, description="An API key; it belongs on a server.")
_KEY_NAMES = frozenset({"api_key", "apikey", "api-key", "x-api-key", "x_api_key"})
_ONLY_IN_HEADER = f"An API key is accepted in the {KEY_HEADER} header only"


class Access:
    """A dependency of all routes: refuses requests without a valid key, from browsers, or with a key in the URL."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def __call__(self, request: Request, key: Annotated[str | None, Security(_SCHEME)] = None) -> None:
        """Sets `request.state.key_id`.

        Raises:
            RefusedError: The request is refused.
        """
        if "origin" in request.headers:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "Requests from browsers are refused: an API key belongs on a server. Call your own backend route.",
            )
        for name, value in request.query_params.multi_items():
            if name.lower() in _KEY_NAMES or value.startswith(KEY_PREFIX):
                raise RefusedError(
                    HTTPStatus.BAD_REQUEST, f"{_ONLY_IN_HEADER}, not in the URL, which is logged. Replace this key."
                )
        key_id = await self._ring.find(key or "")
        if key_id is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Invalid or missing API key.")
        request.state.key_id = key_id


def refuse_key_in(body: Mapping[str, Any]) -> None:
    """Refuses a body that has a key in a field of its own.

    Raises:
        RefusedError: It has; the key is not repeated.
    """
    for name, value in body.items():
        is_key = isinstance(value, str) and SURE_KEY.fullmatch(value.strip()) is not None
        if name.lower() in _KEY_NAMES or is_key:
            what = "This field" if SURE_KEY.search(name) else name
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"{what}: {_ONLY_IN_HEADER}, not in the body.")


def count_session(limit: RateLimit, key_id: str) -> None:
    """Counts a session that a key creates.

    Raises:
        RefusedError: The key has created too many.
    """
    wait_s = limit.wait_s(key_id)
    if wait_s:
        raise RefusedError(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"Request was throttled. Expected available in {wait_s} second{'s' if wait_s > 1 else ''}.",
            {"Retry-After": str(wait_s)},
        )
