from __future__ import annotations

import asyncio
import os

import pytest

from harness import proxies
from harness.errors import ConfigError, RoomFailure
from harness.proxies import SdkProxies, given_environment, proxy_for, room_proxy_for, without_proxies
from tests.proxies.proxy import NAMES


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        ("http://far.example/x", "HTTP_PROXY"),
        ("ws://far.example:7880", "HTTP_PROXY"),
        ("https://far.example", "HTTPS_PROXY"),
        ("wss://10.1.2.3", "HTTPS_PROXY"),
    ],
)
def test_which_variable_decides(url: str, variable: str) -> None:
    other = {"HTTP_PROXY", "HTTPS_PROXY"} - {variable}
    assert proxy_for(url, {}) is None
    assert proxy_for(url, dict.fromkeys(other, "http://p:1")) is None
    found = proxy_for(url, {variable: "http://p:1", "ALL_PROXY": "http://all:2"})
    assert found is not None
    assert (found.variable, found.host, found.port) == (variable, "p", 1)
    for everything in ("ALL_PROXY", "all_proxy"):
        found = proxy_for(url, {everything: "http://all:2", variable: " "})
        assert found is not None
        assert (found.variable, found.address) == (everything, "all:2")


def test_lower_case_goes_first() -> None:
    found = proxy_for("http://far.example", {"HTTP_PROXY": "http://upper:1", "http_proxy": "http://lower:1"})
    assert found is not None
    assert found.host == "lower"


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.8.9.1", "[::1]", "[::ffff:127.0.0.1]", "[::]"],
)
def test_this_machine_takes_none_whatever_is_named(host: str) -> None:
    everything = dict.fromkeys(NAMES[:6], "http://p:1")
    for scheme in ("http", "https", "ws", "wss"):
        assert proxy_for(f"{scheme}://{host}:7880/rtc", everything) is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "named"),
    [
        ("*", "https://far.example", True),
        ("far.example", "https://far.example", True),
        ("FAR.example.", "https://far.Example", True),
        ("far.example", "https://deep.far.example", True),
        (".far.example", "https://deep.far.example", True),
        ("*.far.example", "https://far.example", True),
        ("far.example", "https://notfar.example", False),
        ("far.example", "https://far.example.org", False),
        ("a.example, far.example", "https://far.example", True),
        ("a.example far.example", "https://far.example", True),
        ("far.example:443", "https://far.example", True),
        ("far.example:443", "wss://far.example", True),
        ("far.example:80", "https://far.example", False),
        ("far.example:7880", "ws://far.example:7880", True),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("10.1.2.3", "http://10.1.2.3", True),
        ("10.1.2.3:80", "http://10.1.2.3", True),
        ("10.1.2.3:81", "http://10.1.2.3", False),
        ("fd00::/8", "http://[fd00::7]:80", True),
        ("fd00::7", "http://[fd00::7]", True),
        ("[fd00::7]:80", "http://[fd00::7]", True),
        ("[fd00::7]:81", "http://[fd00::7]", False),
        ("2.3", "http://10.1.2.3", False),
        ("", "http://far.example", False),
        (" , ,", "http://far.example", False),
        (".", "http://far.example", False),
    ],
)
def test_what_no_proxy_names_takes_none(no_proxy: str, url: str, named: bool) -> None:
    env = {"ALL_PROXY": "http://p:1", "NO_PROXY": no_proxy}
    assert (proxy_for(url, env) is None) is named
    assert (proxy_for(url, {"ALL_PROXY": "http://p:1", "no_proxy": no_proxy}) is None) is named


@pytest.mark.parametrize("url", ["", "no url", "ftp://far.example", "http://", "ws://[::1", "ws://host:port"])
def test_what_is_no_url_takes_none(url: str) -> None:
    assert proxy_for(url, {"ALL_PROXY": "http://p:1"}) is None


@pytest.mark.parametrize(
    ("value", "address"),
    [("p", "p:80"), ("p:3128", "p:3128"), ("http://p", "p:80"), ("http://[::2]:3128/", "[::2]:3128")],
)
def test_how_a_proxy_is_written(value: str, address: str) -> None:
    found = proxy_for("https://far.example", {"https_proxy": value})
    assert found is not None
    assert found.address == address
    assert found.authorization() is None


@pytest.mark.parametrize("value", ["socks5://p:1080", "https://p:443", "http://", "http://p:port", "http://[::1"])
def test_a_proxy_that_is_not_supported_is_told_with_its_variable(value: str) -> None:
    env = {"https_proxy": value, "NO_PROXY": "near.example"}
    with pytest.raises(ConfigError) as failure:
        proxy_for("https://far.example", env)
    assert str(failure.value).startswith("https_proxy: ")
    assert failure.value.hint
    for url in ("https://127.0.0.1", "https://near.example", "http://far.example"):
        assert proxy_for(url, env) is None


def test_in_a_call_that_is_a_room_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://p:1080")
    with pytest.raises(RoomFailure, match=r"HTTPS_PROXY.*socks5") as failure:
        room_proxy_for("wss://far.example")
    assert failure.value.kind == "room.unreachable"


def test_a_password_is_shown_nowhere() -> None:
    found = proxy_for("https://far.example", {"HTTPS_PROXY": "http://me:open%40sesame@p:3128"})
    assert found is not None
    assert found.authorization() == "Basic bWU6b3BlbkBzZXNhbWU="
    assert str(found) == "the proxy p:3128 (HTTPS_PROXY)"
    assert "sesame" not in f"{found} {found!r} {found.url}"


async def test_the_sdk_finds_what_our_rule_says_and_children_what_we_were_given() -> None:
    given = {"http_proxy": "http://p:1", "ALL_PROXY": "http://me:pw@all:2", "NO_PROXY": "near.example"}
    os.environ.update(given)
    sdk = SdkProxies()

    def found() -> dict[str, str]:
        return {name: os.environ[name] for name in NAMES[:6] if name in os.environ}

    for url, proxy in (
        ("ws://127.0.0.1:7880", None),
        ("ws://far.example", "http://p:1"),
        ("wss://near.example", None),
        ("wss://far.example", "http://me:pw@all:2"),
    ):
        async with sdk.towards(url):
            expected = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy} if proxy else {}
            assert found() == expected
        assert found() == expected  # the SDK connects again by itself
        assert {name: value for name, value in given_environment().items() if name in NAMES} == given
    assert os.environ["NO_PROXY"] == "near.example"
    assert not set(without_proxies(given)) & set(NAMES[:6])


async def test_joins_that_need_other_proxies_wait_for_one_another() -> None:
    os.environ["HTTP_PROXY"] = "http://p:1"
    sdk = SdkProxies()
    order: list[str] = []
    first, second = asyncio.Event(), asyncio.Event()

    async def join(url: str, name: str, may_end: asyncio.Event) -> None:
        async with sdk.towards(url):
            order.append(name)
            await may_end.wait()
            assert ("HTTP_PROXY" in os.environ) is (name == "far")

    joins = [
        asyncio.ensure_future(join("ws://127.0.0.1", "here", first)),
        asyncio.ensure_future(join("ws://localhost", "here too", first)),
        asyncio.ensure_future(join("ws://far.example", "far", second)),
    ]
    second.set()
    for _ in range(20):  # turns of the loop: more than all three need to get as far as they can
        await asyncio.sleep(0)
    assert order == ["here", "here too"]
    first.set()
    await asyncio.wait_for(asyncio.gather(*joins), 5)
    assert order == ["here", "here too", "far"]


async def test_without_a_proxy_nothing_is_touched() -> None:
    before = dict(os.environ)
    async with SdkProxies().towards("wss://far.example"):
        assert dict(os.environ) == before
    assert proxies._given is None
