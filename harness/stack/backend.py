"""The backend route of a site with a voice agent: `POST /api/voice-agent/session`. Copy this file into your own site.

It takes from the browser what call is wanted, adds the API key, which never leaves the server, asks the session service
for a session, and answers with what the browser needs to join: a token and a URL. It needs aiohttp and nothing else:

    import os
    from aiohttp import web
    from backend import add_session_route

    app = web.Application()
    add_session_route(
        app,
        session_url="https://api.example.com/api/agents/agent-session/",
        api_key=lambda: os.environ["VOICE_AGENT_API_KEY"],
    )
    web.run_app(app)

Each session costs you money, so put your login and your rate limit in front of it. To keep visitors from changing the
agent, leave fields out: `fields=("agent",)`. The route sends no CORS headers, so only your own pages can use it.

A failure has a status other than 2xx and a plain text for the person who wants to call. What is wrong with the site
itself, such as its key, is written to the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

import aiohttp
from aiohttp import web

ROUTE = "/api/voice-agent/session"
FIELDS = ("agent", "language", "system_prompt", "greeting", "reference_audio_url")
BODY_LIMIT_BYTES = 64 * 1024
ANSWER_LIMIT_BYTES = 64 * 1024
BODY_WITHIN_S = 10.0
ANSWER_WITHIN_S = 30.0
TEXT_LIMIT = 300  # characters of the service's own words

UNAVAILABLE = "The voice agent is not available at the moment. Please try again later."
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_KEY_LIKE = re.compile(r"(?<![A-Za-z0-9])sk_[A-Za-z0-9_-]+")
_log = logging.getLogger(__name__)


class _FailureError(Exception):
    """There is no session: the status and the text for the browser."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers or {}


def add_session_route(
    app: web.Application,
    *,
    session_url: str,
    api_key: Callable[[], str],
    fields: Collection[str] = FIELDS,
    route: str = ROUTE,
    answer_within_s: float = ANSWER_WITHIN_S,
) -> None:
    """Adds the route to an application that has not started yet.

    Args:
        app: The site's application.
        session_url: The complete URL of the session service, posted to exactly as written.
        api_key: Returns the key; called for each session, so that no object holds it.
        fields: The fields of the contract that the browser may set; others are not passed on.
        route: The path.
        answer_within_s: Seconds that the session service has for its answer.
    """
    client: aiohttp.ClientSession | None = None

    async def opened(_app: web.Application) -> AsyncIterator[None]:
        nonlocal client
        timeout = aiohttp.ClientTimeout(total=answer_within_s)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as client:
            yield

    async def create(request: web.Request) -> web.Response:
        assert client is not None  # noqa: S101 - `opened` has run
        key = api_key()
        try:
            wanted = await _wanted(request, fields)
            data = await _session(client, session_url, key, wanted)
        except _FailureError as failure:
            return web.Response(status=failure.status, text=failure.text, headers={**_HEADERS, **failure.headers})
        return web.json_response({"success": True, "message": "Request successful", "data": data}, headers=_HEADERS)

    app.cleanup_ctx.append(opened)
    app.router.add_post(route, create)


async def _wanted(request: web.Request, fields: Collection[str]) -> dict[str, Any]:
    """What the browser wants, reduced to `fields`."""
    if request.content_type != "application/json":
        raise _FailureError(415, "The request must be JSON (Content-Type: application/json).")
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            raw = await _read(request.content, BODY_LIMIT_BYTES)
    except TimeoutError:
        raise _FailureError(408, "The request took too long to arrive.") from None
    if raw is None:
        raise _FailureError(413, f"The request is larger than {BODY_LIMIT_BYTES // 1024} kB.")
    body = _object(raw)
    if body is None:
        raise _FailureError(400, "The request must be a JSON object.")
    return {name: body[name] for name in fields if name in body}


async def _session(client: aiohttp.ClientSession, url: str, key: str, wanted: dict[str, Any]) -> dict[str, str]:
    """The `data` of a new session, reduced to what the browser needs."""
    try:
        # A redirect is not followed: the key would go with it.
        async with client.post(url, json=wanted, headers={"x-api-key": key}, allow_redirects=False) as answer:
            raw = await _read(answer.content, ANSWER_LIMIT_BYTES)
    except TimeoutError:
        _log.warning("the session service did not answer in time")
        raise _FailureError(504, UNAVAILABLE) from None
    except (aiohttp.ClientError, OSError, ValueError) as problem:
        _log.warning("the session service cannot be reached: %s", type(problem).__name__)
        raise _FailureError(502, UNAVAILABLE) from None
    body = _object(raw or b"") or {}
    said = _shown(body.get("message"), key)
    if answer.status in (400, 404, 422):  # about the request itself
        raise _FailureError(answer.status, said or "The voice agent cannot be called like this.")
    if answer.status == 429:
        wait = answer.headers.get("Retry-After", "")
        raise _FailureError(
            429,
            "Too many calls at the moment. Please try again shortly.",
            {"Retry-After": wait} if wait.isdecimal() else {},
        )
    if answer.status == 200 and body.get("success") is False:
        raise _FailureError(502, said or UNAVAILABLE)
    data = _needed(body.get("data")) if 200 <= answer.status < 300 else None
    if data is None:
        what = "an incomplete session" if 200 <= answer.status < 300 else "no session"
        _log.warning("the session service answered %s, %s: %s", answer.status, what, said or "(no message)")
        raise _FailureError(502, UNAVAILABLE)
    return data


async def _read(stream: aiohttp.StreamReader, limit: int) -> bytes | None:
    """The whole body, or None if it is larger than `limit`."""
    raw = bytearray()
    async for chunk in stream.iter_chunked(16 * 1024):
        raw += chunk
        if len(raw) > limit:
            return None
    return bytes(raw)


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _needed(data: Any) -> dict[str, str] | None:
    """Token, URL and, where it is there, the room's name; None if token or URL is missing."""
    if not isinstance(data, dict):
        return None
    names = ("token", "livekit_url", "room_name")
    found = {name: data[name] for name in names if isinstance(data.get(name), str) and data[name]}
    return found if "token" in found and "livekit_url" in found else None


def _shown(message: Any, key: str) -> str:
    """The service's message as one line of plain text, without anything that looks like a key."""
    if not isinstance(message, str):
        return ""
    hidden = _KEY_LIKE.sub("***", message.replace(key, "***") if key else message)
    line = " ".join(hidden.split())
    return "".join(letter for letter in line if letter.isprintable())[:TEXT_LIMIT]
