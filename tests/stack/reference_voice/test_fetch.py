"""The fetch against real servers; only the look-up of names is made up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web

from harness.stack.reference_voice.fetch import AudioFetcher
from harness.stack.reference_voice.refused import RefusedError
from harness.stack.reference_voice.url_rules import NO_PRIVATE_HOSTS, PrivateHosts

from .serving import HOST, certificates, serving

CONTENT = b"RIFF" + bytes(1000)
SECRET = "X-Signature=canary"


async def content(_: web.Request) -> web.StreamResponse:
    return web.Response(body=CONTENT)


def moved_to(url: str) -> web.Response:
    return web.Response(status=302, headers={"Location": url})


class Names:
    """A resolver: each name's answers, one after the other; the last one for ever."""

    def __init__(self, **answers: list[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): given for name, given in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        given = self.answers.get(host, [])
        if not given:
            raise OSError
        return given.pop(0) if len(given) > 1 else given[0]


def allowing(*hosts: str) -> PrivateHosts:
    return PrivateHosts.parse(hosts)


async def refusal_of(fetcher: AudioFetcher, url: str) -> str:
    with pytest.raises(RefusedError) as caught:
        await fetcher.fetch(url)
    assert "canary" not in str(caught.value)
    return str(caught.value)


async def test_https_is_fetched_from_the_checked_address_with_the_hosts_name(tmp_path: Path) -> None:
    server_tls, client_tls = certificates(tmp_path)
    names = Names(voices_example=[["127.0.0.1"], ["127.0.0.9"]])
    async with serving(content, server_tls) as server:
        fetcher = AudioFetcher(allowing(HOST), resolve=names, tls=client_tls)
        assert await fetcher.fetch(f"https://{HOST}:{server.port}/a.wav?{SECRET}") == CONTENT
        assert server.requests[0].headers["Host"] == f"{HOST}:{server.port}"
        assert server.requests[0].path_qs == f"/a.wav?{SECRET}"
    assert names.asked == [HOST]  # looked up once: a second answer would not have been connected to


async def test_a_certificate_that_is_not_trusted_or_of_another_host(tmp_path: Path) -> None:
    server_tls, client_tls = certificates(tmp_path, "other.example")
    names = Names(voices_example=[["127.0.0.1"]])
    async with serving(content, server_tls) as server:
        for trusted in (client_tls, None):
            fetcher = AudioFetcher(allowing(HOST), resolve=names, tls=trusted)
            assert "certificate" in await refusal_of(fetcher, f"https://{HOST}:{server.port}/a.wav?{SECRET}")
    assert not server.requests


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%1"],
    ],
)
async def test_a_name_with_any_private_address_is_not_connected_to(addresses: list[str]) -> None:
    fetcher = AudioFetcher(NO_PRIVATE_HOSTS, resolve=Names(voices_example=[addresses]))
    assert "leads to a private address" in await refusal_of(fetcher, f"https://{HOST}/a.wav?{SECRET}")


async def test_a_name_that_turns_private_between_two_redirects() -> None:
    names = Names(voices_example=[["127.0.0.1"]], rebinds_example=[["127.0.0.1"]])

    async def answer(request: web.Request) -> web.StreamResponse:
        return moved_to(f"https://rebinds.example:{server.port}/b.wav")

    async with serving(answer) as server:
        fetcher = AudioFetcher(allowing(HOST), resolve=names)
        assert "leads to a private address" in await refusal_of(fetcher, f"http://{HOST}:{server.port}/a.wav")
        assert len(server.requests) == 1


async def test_the_real_resolver_finds_what_names_localhost() -> None:
    # Not by its name, but by its address: a name of this machine that is not `localhost`.
    fetcher = AudioFetcher(NO_PRIVATE_HOSTS)
    for url in ("https://localhost6.localdomain6/", "https://no-such-host.invalid/"):
        told = await refusal_of(fetcher, url)
        assert "not known" in told or "private address" in told


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/b.wav",
        "https://127.0.0.1:{port}/b.wav",
        "//127.1:{port}/b.wav",
        "http://0x7f000001:{port}/b.wav",
        "http://[::1]:{port}/b.wav",
        "http://localhost.:{port}/b.wav",
        "file:///etc/passwd",
        "https://me:canary@voices.example/b.wav",
        "http://voices.example:1/b.wav",
    ],
)
async def test_no_redirect_to_what_may_not_be_asked_itself(location: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return moved_to(location.format(port=server.port))

    async with serving(answer) as server:
        allowed = allowing(f"{HOST}:{server.port}")
        fetcher = AudioFetcher(allowed, resolve=Names(voices_example=[["127.0.0.1"]]))
        await refusal_of(fetcher, f"http://{HOST}:{server.port}/a.wav?{SECRET}")
        assert len(server.requests) == 1


async def test_three_redirects_are_followed_and_no_fourth() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        left = int(request.path.strip("/"))
        return moved_to(f"/{left - 1}") if left else web.Response(body=CONTENT)

    async with serving(answer) as server:
        fetcher = AudioFetcher(allowing("127.0.0.1"))
        assert await fetcher.fetch(f"http://127.0.0.1:{server.port}/3") == CONTENT
        assert "more than 3 redirects" in await refusal_of(fetcher, f"http://127.0.0.1:{server.port}/4")


async def test_a_redirect_without_a_location() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302)

    async with serving(answer) as server:
        told = await refusal_of(AudioFetcher(allowing("127.0.0.1")), f"http://127.0.0.1:{server.port}/")
    assert "redirect to nowhere" in told


@pytest.mark.parametrize("status", [204, 206, 401, 404, 500])
async def test_another_status_is_told(status: int) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    async with serving(answer) as server:
        told = await refusal_of(AudioFetcher(allowing("127.0.0.1")), f"http://127.0.0.1:{server.port}/?{SECRET}")
    assert str(status) in told


async def test_a_body_without_end_is_read_up_to_the_limit() -> None:
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(50_000))
            sent += 50_000

    async with serving(answer) as server:
        fetcher = AudioFetcher(allowing("127.0.0.1"), most_bytes=1_000_000)
        assert "larger than 1 MB" in await refusal_of(fetcher, f"http://127.0.0.1:{server.port}/")
    assert sent < 20_000_000  # the rest lies in the sockets' buffers


async def test_a_header_that_tells_of_too_much_ends_the_fetch_at_once() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "30000000"})
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    async with serving(answer) as server:
        told = await refusal_of(AudioFetcher(allowing("127.0.0.1")), f"http://127.0.0.1:{server.port}/")
    assert "larger than 20 MB" in told


async def test_a_body_that_is_shorter_than_its_header_tells() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10000000"})
        await response.prepare(request)
        await response.write(CONTENT)
        if request.transport is not None:
            request.transport.close()
        return response

    async with serving(answer) as server:
        told = await refusal_of(AudioFetcher(allowing("127.0.0.1")), f"http://127.0.0.1:{server.port}/?{SECRET}")
    assert "could not be fetched" in told


async def test_slow_drips_and_silence_end_with_the_time() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/silent":
            await asyncio.Event().wait()
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            with_time = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.02, with_time.set_result, None)
            await with_time

    async with serving(answer) as server:
        fetcher = AudioFetcher(allowing("127.0.0.1"), within_s=0.4)
        for path in ("drip", "silent"):
            started = time.monotonic()
            told = await refusal_of(fetcher, f"http://127.0.0.1:{server.port}/{path}?{SECRET}")
            assert "did not arrive within 0.4 s" in told
            assert time.monotonic() - started < 3


async def test_a_compressed_body_is_not_unpacked() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    async with serving(answer) as server:
        told = await refusal_of(AudioFetcher(allowing("127.0.0.1")), f"http://127.0.0.1:{server.port}/")
        assert server.requests[0].headers["Accept-Encoding"] == "identity"
    assert "compressed" in told


async def test_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    async with serving(content) as server:
        fetcher = AudioFetcher(allowing(HOST), resolve=Names(voices_example=[["127.0.0.1"]]))
        assert await fetcher.fetch(f"http://{HOST}:{server.port}/a.wav") == CONTENT


async def test_nobody_listens_there() -> None:
    fetcher = AudioFetcher(allowing("127.0.0.1"))
    assert "cannot be reached" in await refusal_of(fetcher, f"http://127.0.0.1:1/?{SECRET}")
