"""The server of the call page: what it gives, what it refuses, and what it says where the page is not built."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from harness.secret import Secret
from harness.stack.backend import ROUTE
from harness.stack.page_server import PageServer
from harness.testing import FakeSessionService

KEY = Secret("sk_canary-of-the-page-server-0123456789")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>the page</title>")
    (folder / "assets" / "index-abc.js").write_text("'script'")
    (tmp_path / "outside.txt").write_text("not for you")
    return folder


@pytest.fixture
async def service() -> AsyncIterator[FakeSessionService]:
    async with FakeSessionService() as service:
        yield service


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def test_it_serves_the_page_its_files_and_the_route(
    built: Path, service: FakeSessionService, http: aiohttp.ClientSession
) -> None:
    server = await PageServer.start(session_url=service.url, api_key=KEY, built=built)
    assert server.url.startswith("http://127.0.0.1:")
    async with http.get(f"{server.url}?agent=demo") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "the page" in await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    async with http.get(f"{server.url}assets/index-abc.js") as answer:
        assert answer.status == 200
        assert "javascript" in answer.content_type
        assert "immutable" in answer.headers["Cache-Control"]
    assert server.route_url == server.url.rstrip("/") + ROUTE
    async with http.post(server.route_url, json={"agent": "demo"}) as answer:
        assert (answer.status, set((await answer.json())["data"])) == (200, {"token", "livekit_url", "room_name"})
    assert service.requests[0].headers["x-api-key"] == KEY.reveal()
    await server.close()
    with pytest.raises(aiohttp.ClientConnectorError):
        await http.get(server.url)


@pytest.mark.parametrize(
    "path", ["assets/../../outside.txt", "assets/%2e%2e/%2e%2e/outside.txt", "assets/..", "nothing"]
)
async def test_it_gives_nothing_else(
    built: Path, service: FakeSessionService, http: aiohttp.ClientSession, path: str
) -> None:
    server = await PageServer.start(session_url=service.url, api_key=KEY, built=built)
    async with http.get(URL(f"{server.url}{path}", encoded=True)) as answer:
        assert answer.status == 404
        assert "not for you" not in await answer.text()
        assert "Content-Security-Policy" in answer.headers
    await server.close()


async def test_a_name_that_was_made_to_point_to_this_machine_is_refused(
    built: Path, service: FakeSessionService, http: aiohttp.ClientSession
) -> None:
    server = await PageServer.start(session_url=service.url, api_key=KEY, built=built)
    headers = {"Host": "attacker.example:80"}
    async with http.post(server.route_url, json={"agent": "demo"}, headers=headers) as answer:
        assert answer.status == 403
    async with http.get(server.url, headers=headers) as answer:
        assert answer.status == 403
    assert not service.requests
    await server.close()


async def test_where_the_page_is_not_built_it_says_how_and_the_route_works(
    tmp_path: Path, service: FakeSessionService, http: aiohttp.ClientSession
) -> None:
    server = await PageServer.start(session_url=service.url, api_key=KEY, built=tmp_path / "nothing")
    async with http.get(server.url) as answer:
        assert answer.status == 503
        assert "harness.build_pages" in await answer.text()
    async with http.post(server.route_url, json={"agent": "demo"}) as answer:
        assert answer.status == 200
    await server.close()
