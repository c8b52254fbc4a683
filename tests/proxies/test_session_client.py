"""The session client through a proxy: only where the rule says so, and what is said where it does not work."""

from __future__ import annotations

import os

import pytest

from harness.errors import ConfigError, SessionFailure
from harness.process.ports import free_tcp_port
from harness.secret import Secret
from harness.target.session import SessionRequest
from harness.target.session_api import SessionApi
from harness.testing import FakeSessionService
from tests.proxies.proxy import NAMES, proxying

KEY = Secret("sk_live_0123456789abcdef")
REQUEST = SessionRequest("agent-1")


async def create(url: str) -> None:
    async with SessionApi(url, KEY) as api:
        await api.create(REQUEST, timeout_s=5)


async def test_a_service_on_this_machine_is_asked_straight() -> None:
    async with proxying() as proxy, FakeSessionService() as service:
        os.environ.update(dict.fromkeys(NAMES[:6], proxy.url))
        await create(service.url)
    assert proxy.asked == []
    assert len(service.requests) == 1


async def test_an_http_service_is_asked_for_by_its_whole_url() -> None:
    async with proxying() as proxy, FakeSessionService() as service:
        os.environ["http_proxy"] = proxy.url.replace("//", "//me:sesame@")
        url = service.url.replace("127.0.0.1", "service.example")
        await create(url)
        assert proxy.asked == [f"POST {url}"]
        assert proxy.authorizations == ["Basic bWU6c2VzYW1l"]
        assert service.requests[0].headers["x-api-key"] == KEY.reveal()
        os.environ["NO_PROXY"] = ".example"
        with pytest.raises(SessionFailure, match="host name cannot be resolved"):
            await create(url)
        assert len(proxy.asked) == 1


async def test_an_https_service_is_asked_for_by_connect_and_a_refusal_names_the_proxy() -> None:
    async with proxying() as proxy:
        os.environ["HTTPS_PROXY"] = proxy.url.replace("//", "//me:sesame@")
        proxy.refuses = "403 Forbidden"
        with pytest.raises(SessionFailure) as failure:
            await create("https://service.example/session/")
    assert proxy.asked == ["CONNECT service.example:443"]
    assert proxy.authorizations == ["Basic bWU6c2VzYW1l"]
    assert failure.value.kind == "session.unreachable"
    assert f"the proxy {proxy.address} (HTTPS_PROXY) refused the connection: it answered 403" in failure.value.what
    assert "NO_PROXY" in (failure.value.hint or "")
    assert "sesame" not in str(failure.value)


@pytest.mark.parametrize(
    ("host", "words"), [("127.0.0.1", "cannot be reached: "), ("no-such-proxy.invalid", "cannot be resolved")]
)
async def test_a_proxy_that_is_not_there_is_named(host: str, words: str) -> None:
    os.environ["ALL_PROXY"] = f"http://{host}:{free_tcp_port()}"
    for url in ("http://service.example/", "https://service.example/"):
        with pytest.raises(SessionFailure) as failure:
            await create(url)
        assert failure.value.kind == "session.unreachable"
        assert "the proxy" in failure.value.what
        assert "(ALL_PROXY)" in failure.value.what
        assert words in failure.value.what


def test_a_proxy_that_is_not_supported_is_told_before_any_packet() -> None:
    os.environ["ALL_PROXY"] = "socks5://127.0.0.1:1080"
    with pytest.raises(ConfigError, match="ALL_PROXY"):
        SessionApi("https://service.example/", KEY)
    SessionApi("http://127.0.0.1/", KEY)
