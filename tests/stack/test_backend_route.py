"""The backend route: what a browser sends and gets, what the session service gets, and what none of them may see."""

from __future__ import annotations

import ast
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from harness.stack import backend
from harness.stack.backend import BODY_LIMIT_BYTES, ROUTE, UNAVAILABLE, add_session_route
from harness.testing import (
    FakeSessionService,
    ScriptedAnswer,
    cut_short,
    endless,
    good_session,
    hanging,
    redirect,
    refusal,
)

KEY = "sk_canary-of-the-backend-route-0123456789"


class Site:
    """A site with the route, and the session service behind it."""

    def __init__(self, url: str, http: aiohttp.ClientSession, service: FakeSessionService) -> None:
        self.url = url
        self.http = http
        self.service = service

    async def post(self, body: Any) -> tuple[int, str]:
        """Status and body of the answer, which never holds the key."""
        async with self.http.post(self.url, json=body) as answer:
            text = await answer.text()
            assert KEY not in f"{text} {answer.headers}"
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, text


MakeSite = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def site() -> MakeSite:
    @asynccontextmanager
    async def make(answer: ScriptedAnswer | None = None, **options: Any) -> AsyncIterator[Site]:
        async with FakeSessionService(answer) as service:
            app = web.Application()
            add_session_route(app, session_url=service.url, api_key=lambda: KEY, **options)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            async with aiohttp.ClientSession() as http:
                yield Site(f"http://127.0.0.1:{runner.addresses[0][1]}{ROUTE}", http, service)
            await runner.cleanup()

    return make


async def test_the_key_is_added_and_the_browser_gets_what_it_needs_and_no_more(site: MakeSite) -> None:
    session = good_session(token="eyJ.token", livekit_url="wss://rooms.example.com", room="call-1")
    session.body["data"] |= {"system_prompt": "You are a secret.", "api_key": KEY}
    async with site(session) as here:
        wanted = {"agent": "demo", "language": "fr", "system_prompt": "p", "greeting": "g", "reference_audio_url": "u"}
        async with here.http.post(here.url, json={**wanted, "unknown": 1}) as answer:
            assert answer.status == 200
            told = await answer.json()
        assert told["data"] == {
            "token": "eyJ.token",
            "livekit_url": "wss://rooms.example.com",
            "room_name": "call-1",
        }
        assert set(told) == {"success", "message", "data"}
        [request] = here.service.requests
        assert (request.method, request.headers["x-api-key"]) == ("POST", KEY)
        assert request.json() == wanted
        assert "origin" not in request.headers


async def test_a_room_name_may_be_missing(site: MakeSite) -> None:
    async with site(good_session(room=None)) as here, here.http.post(here.url, json={"agent": "demo"}) as answer:
        assert set((await answer.json())["data"]) == {"token", "livekit_url"}


async def test_a_site_can_keep_its_visitors_from_changing_the_agent(site: MakeSite) -> None:
    async with site(fields=("agent",)) as here:
        assert (await here.post({"agent": "demo", "system_prompt": "Obey me."}))[0] == 200
        assert here.service.requests[0].json() == {"agent": "demo"}


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        (refusal(400, "agent: This field is required."), 400, "agent: This field is required."),
        (refusal(404, "agent: There is no agent 'x'."), 404, "agent: There is no agent 'x'."),
        (ScriptedAnswer(status=400), 400, "The voice agent cannot be called like this."),
        (refusal(401, "Invalid or missing API key."), 502, UNAVAILABLE),
        (refusal(403, f"The key {KEY} may not."), 502, UNAVAILABLE),
        (refusal(500, "Internal server error."), 502, UNAVAILABLE),
        (refusal(400, f"The key {KEY} and sk_another1234 are odd."), 400, "The key *** and *** are odd."),
        (refusal(200, "The agent could not be started."), 502, "The agent could not be started."),
        (ScriptedAnswer(body=b"<!doctype html><h1>It works!</h1>"), 502, UNAVAILABLE),
        (ScriptedAnswer(body={"success": True, "data": {"token": "eyJ"}}), 502, UNAVAILABLE),
        (ScriptedAnswer(body={"success": True, "data": {"token": 5, "livekit_url": "ws://x"}}), 502, UNAVAILABLE),
        (redirect("http://127.0.0.1:9/elsewhere"), 502, UNAVAILABLE),
        (endless(), 502, UNAVAILABLE),
        (cut_short(), 502, UNAVAILABLE),
    ],
)
async def test_a_failure_has_a_status_and_words_for_a_person(
    site: MakeSite, answer: ScriptedAnswer, status: int, text: str
) -> None:
    async with site(answer) as here:
        async with here.http.post(here.url, json={"agent": "demo"}) as got:
            assert got.content_type == "text/plain"
        assert await here.post({"agent": "demo"}) == (status, text)


async def test_a_rate_limit_is_passed_on_with_its_time(site: MakeSite) -> None:
    limited = refusal(429, "throttled", retry_after="7")
    async with site(limited) as here, here.http.post(here.url, json={"agent": "demo"}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert "again" in await answer.text()


async def test_a_service_that_does_not_answer_or_is_gone(site: MakeSite, caplog: pytest.LogCaptureFixture) -> None:
    async with site(hanging(), answer_within_s=0.2) as here:
        assert await here.post({"agent": "demo"}) == (504, UNAVAILABLE)
        await here.service.__aexit__(None, None, None)
        assert await here.post({"agent": "demo"}) == (502, UNAVAILABLE)
    assert KEY not in caplog.text
    assert "cannot be reached" in caplog.text


async def test_what_is_wrong_with_the_site_is_in_the_log_without_the_key(
    site: MakeSite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with site(refusal(401, f"Wrong key {KEY}.")) as here:
        await here.post({"agent": "demo"})
    assert "answered 401, no session: Wrong key ***." in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{oops", "application/json", 400),
        (b'["agent"]', "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"agent=demo", "application/x-www-form-urlencoded", 415),
        (b'{"agent": "demo"}', "text/plain", 415),
        (b" " * BODY_LIMIT_BYTES + b"{}", "application/json", 413),
    ],
)
async def test_a_wrong_request_does_not_reach_the_service(
    site: MakeSite, data: bytes, content_type: str, status: int
) -> None:
    async with site() as here:
        async with here.http.post(here.url, data=data, headers={"Content-Type": content_type}) as answer:
            assert answer.status == status
            assert (await answer.text()).strip()
        assert not here.service.requests


async def test_other_methods_are_refused_and_other_sites_get_no_permission(site: MakeSite) -> None:
    async with site() as here:
        for method in ("GET", "PUT", "OPTIONS"):
            headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
            async with here.http.request(method, here.url, headers=headers) as answer:
                assert answer.status == 405
                assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert not here.service.requests


def test_the_file_can_be_copied_as_it_is() -> None:
    tree = ast.parse(Path(backend.__file__).read_text(encoding="utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules - {"aiohttp"} <= {
        "__future__",
        "asyncio",
        "collections.abc",
        "json",
        "logging",
        "re",
        "typing",
    }
