"""The pages' password: without it nothing is served, and it cannot be guessed or read from an answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from harness.secret import Secret
from harness.stack.embedded import StackAddress
from harness.stack.foreground import _as_json, _as_text
from harness.stack.page_server import PageServer
from harness.stack.web.access import is_our_name
from harness.stack.web.options import PageOptions, new_password
from tests.stack.web.opened import KEY, SESSIONS, Page, opened

PASSWORD = Secret("the-password-of-these-tests")


async def enter(page: Page, password: str, after: str = "/stack", **headers: str) -> aiohttp.ClientResponse:
    form = {"password": password, "next": after}
    return await page.http.post(f"{page.url}/login", data=form, headers=headers, allow_redirects=False)


async def test_without_it_there_is_the_login_page_and_nothing_else(built: Path) -> None:
    async with opened(built, password=PASSWORD) as page:
        async with page.http.get(f"{page.url}/stack?a=1", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2Fstack%3Fa%3D1")
        for method, path in (
            ("GET", "/assets/stack-abc.js"),
            ("GET", "/stack/live"),
            ("POST", "/stack/listen"),
            ("POST", "/api/voice-agent/session"),
            ("GET", "/nothing"),
        ):
            async with page.http.request(method, page.url + path, json={}) as answer:
                assert answer.status == 401, path
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with page.followed():
                pass
        async with page.http.get(f"{page.url}/stack") as answer:
            text = await answer.text()
            assert (answer.status, 'name="password"' in text) == (200, True)
            assert 'value="/stack"' in text
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        async with page.http.get(f"{page.url}/login.css") as answer:
            assert answer.content_type == "text/css"


async def test_with_it_everything_is_open_to_the_browser_that_has_the_cookie(built: Path) -> None:
    async with opened(built, password=PASSWORD) as page:
        answer = await enter(page, f" {PASSWORD.reveal()} ")
        assert (answer.status, answer.headers["Location"]) == (303, "/stack")
        cookie = answer.headers["Set-Cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="))
        assert PASSWORD.reveal() not in str(answer.headers)
        async with page.http.get(f"{page.url}/stack") as got:
            assert "<title>stack</title>" in await got.text()
        async with page.followed() as socket:
            await socket.told("hello")
        forged = cookie.split(";")[0][:-1] + "_"
        async with (
            aiohttp.ClientSession(headers={"Cookie": forged}) as stranger,
            stranger.get(f"{page.url}/assets/stack-abc.js") as refused,
        ):
            assert refused.status == 401


async def test_wrong_guesses_are_refused_and_soon_not_even_read(built: Path) -> None:
    async with opened(built, password=PASSWORD) as page:
        for _ in range(5):
            answer = await enter(page, "guess")
            assert (answer.status, "Set-Cookie" in answer.headers) == (403, False)
            text = await answer.text()
            assert "That is not the password." in text
            assert PASSWORD.reveal() not in text
        answer = await enter(page, PASSWORD.reveal())
        assert (answer.status, "Set-Cookie" in answer.headers) == (429, False)
        assert 0 < int(answer.headers["Retry-After"]) <= 60


async def test_a_site_can_neither_log_a_browser_in_nor_be_gone_to_after_the_login(built: Path) -> None:
    async with opened(built, password=PASSWORD) as page:
        assert (await enter(page, PASSWORD.reveal(), Origin="https://attacker.example")).status == 403
        for after in ("https://attacker.example", "//attacker.example", "/\\attacker.example", "/stack\r\nX: y", "x"):
            assert (await enter(page, PASSWORD.reveal(), after)).headers["Location"] == "/"
        assert (await enter(page, PASSWORD.reveal(), "/?agent=demo")).headers["Location"] == "/?agent=demo"


async def test_off_loopback_there_is_no_server_without_it() -> None:
    options = PageOptions(web=True, host="0.0.0.0")  # noqa: S104 - nothing listens there
    assert options.needs_password
    with pytest.raises(ValueError, match="password"):
        await PageServer.start(session_url=SESSIONS, api_key=KEY, options=options)


@pytest.mark.parametrize(
    ("host", "needs"),
    [
        ("127.0.0.1", False),
        ("localhost", False),
        ("::1", False),
        ("127.8.8.8", False),
        ("::", True),
        ("10.0.0.5", True),
    ],
)
def test_only_pages_that_other_machines_may_reach_need_it(host: str, needs: bool) -> None:
    assert PageOptions(web=True, host=host).needs_password is needs
    assert not PageOptions(host=host).needs_password


def test_it_cannot_be_guessed_and_is_another_one_each_time() -> None:
    assert len(new_password().reveal()) >= 16
    assert new_password() != new_password()


@pytest.mark.parametrize(
    ("host", "on_loopback", "ours"),
    [
        ("127.0.0.1:8000", True, True),
        ("LOCALHOST", True, True),
        ("[::1]:8000", True, True),
        ("attacker.example:8000", True, False),
        ("10.0.0.5:8000", True, False),
        ("10.0.0.5:8000", False, True),
        ("[fe80::1]", False, True),
        ("attacker.example", False, False),
        ("127.0.0.1@attacker.example", True, False),
        ("127.0.0.1:80; script-src *", True, False),
        ("", False, False),
    ],
)
def test_a_name_that_a_site_can_give_itself_is_not_ours(host: str, on_loopback: bool, ours: bool) -> None:
    assert is_our_name(host, on_loopback=on_loopback) is ours


def test_it_is_printed_where_the_pages_ask_for_it() -> None:
    urls = ("http://10.0.0.5:80/", "http://10.0.0.5:80/stack")
    address = StackAddress(SESSIONS, KEY, "ws://127.0.0.1:7", ("demo",), *urls, PASSWORD)
    assert f"password  {PASSWORD.reveal()}" in _as_text(address, shown=False, data=None)
    assert json.loads(_as_json(address, shown=False))["page_password"] == PASSWORD.reveal()
    open_to_all = replace(address, page_password=None)
    assert "password" not in _as_text(open_to_all, shown=False, data=None) + _as_json(open_to_all, shown=False)
    assert PASSWORD.reveal() not in repr(address)
