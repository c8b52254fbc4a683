from __future__ import annotations

import asyncio
import logging
import random
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.clock import Clock
from harness.errors import ConfigError, SessionFailure
from harness.secret import Secret
from harness.target.session import SessionRequest
from harness.target.session_api import SessionApi
from harness.testing import (
    FakeClock,
    FakeSessionService,
    ReceivedRequest,
    ScriptedAnswer,
    cut_short,
    dripping,
    endless,
    fake_token,
    good_session,
    hanging,
    redirect,
    refusal,
)

KEY = "sk_live_0123456789abcdef"
TOKEN = fake_token("room-7")
REQUEST = SessionRequest("agent-1")


@asynccontextmanager
async def api_at(url: str, *, clock: Clock | None = None, seed: int = 1) -> AsyncIterator[SessionApi]:
    rng = random.Random(seed)
    async with SessionApi(url, Secret(KEY), rng=rng, clock=clock) as api:
        yield api


async def failure_of(
    answer: ScriptedAnswer | list[ScriptedAnswer], *, timeout_s: float = 5.0, clock: Clock | None = None
) -> SessionFailure:
    async with FakeSessionService(answer) as service, api_at(service.url, clock=clock) as api:
        with pytest.raises(SessionFailure) as caught:
            await api.create(REQUEST, timeout_s=timeout_s)
    return caught.value


@asynccontextmanager
async def mail_server() -> AsyncIterator[str]:
    """Host and port of something that speaks neither HTTP nor TLS."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_session_has_token_url_and_room() -> None:
    async with FakeSessionService(good_session(token=TOKEN, room="room-7")) as service, api_at(service.url) as api:
        session = await api.create(REQUEST, timeout_s=5)
    assert session.token.reveal() == TOKEN
    assert session.livekit_url == "ws://127.0.0.1:7880"
    assert session.room == "room-7"
    assert TOKEN not in repr(session)


async def test_a_missing_room_name_is_read_from_the_token() -> None:
    async with FakeSessionService(good_session(token=TOKEN, room=None)) as service, api_at(service.url) as api:
        assert (await api.create(REQUEST, timeout_s=5)).room == "room-7"


async def test_a_token_that_is_no_jwt_leaves_the_room_unknown() -> None:
    async with FakeSessionService(good_session(token="opaque", room=None)) as service, api_at(service.url) as api:
        assert (await api.create(REQUEST, timeout_s=5)).room is None


async def test_the_request_is_the_contracts_and_left_out_overrides_send_no_key() -> None:
    async with FakeSessionService() as service, api_at(service.url) as api:
        await api.create(SessionRequest("agent-1", {"language": "fr", "greeting": "Café"}), timeout_s=5)
    (request,) = service.requests
    assert request.method == "POST"
    assert request.headers["x-api-key"] == KEY
    assert request.headers["content-type"] == "application/json"
    assert request.json() == {"agent": "agent-1", "language": "fr", "greeting": "Café"}
    assert KEY not in repr(request)


def test_an_unknown_override_is_refused() -> None:
    with pytest.raises(ValueError, match="langauge"):
        SessionRequest("agent-1", {"langauge": "fr"})


@pytest.mark.parametrize(
    "target",
    ["/api/agents/agent-session/", "/api/agents/agent-session", "/a%2Fb/?x=%41&y=a+b", "/a/../b//c/", "/?q=%C3%A9"],
)
async def test_the_url_is_posted_to_exactly_as_written(target: str) -> None:
    async with FakeSessionService() as service, api_at(service.base_url + target) as api:
        await api.create(REQUEST, timeout_s=5)
    assert [request.target for request in service.requests] == [target]


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=utf-8", "application/octet-stream"])
async def test_json_under_another_content_type_is_accepted(content_type: str) -> None:
    answer = ScriptedAnswer(headers={"Content-Type": content_type}, body=good_session(token=TOKEN).body)
    async with FakeSessionService(answer) as service, api_at(service.url) as api:
        assert (await api.create(REQUEST, timeout_s=5)).token == Secret(TOKEN)


def data(**values: object) -> ScriptedAnswer:
    return ScriptedAnswer(body={"success": True, "data": values})


FAILURES = {
    "401": (refusal(401, "bad key"), "session.unauthorized", "bad key"),
    "403": (refusal(403, "not yours"), "session.unauthorized", "not yours"),
    "400": (refusal(400, "no such agent"), "session.rejected", "no such agent"),
    "404": (ScriptedAnswer(status=404, body="nothing here"), "session.rejected", "nothing here"),
    "success false": (refusal(200, "over quota"), "session.rejected", "over quota"),
    "500": (refusal(500, "boom"), "session.server_error", "boom"),
    "503 without a body": (ScriptedAnswer(status=503), "session.server_error", "503"),
    "500 of a body without end": (
        ScriptedAnswer(status=500, body=b"boom " * 1000, manner="endless"),
        "session.server_error",
        "boom",
    ),
    "HTML": (
        ScriptedAnswer(headers={"Content-Type": "text/html"}, body="<html>Welcome</html>"),
        "session.not_json",
        "text/html), starting with: <html>Welcome",
    ),
    "empty": (ScriptedAnswer(), "session.not_json", "empty"),
    "a list": (ScriptedAnswer(body=[1, 2]), "session.not_json", "not a JSON object"),
    "not UTF-8": (ScriptedAnswer(body=b"\xff\xfe\xfa"), "session.not_json", "not a JSON object"),
    "nested without measure": (ScriptedAnswer(body=b"[" * 200_000), "session.not_json", "not a JSON object"),
    "no data": (ScriptedAnswer(body={"success": True}), "session.incomplete", "`data` is missing"),
    "data is a list": (ScriptedAnswer(body={"data": [TOKEN]}), "session.incomplete", "`data` is missing"),
    "no token": (data(livekit_url="ws://x"), "session.incomplete", "`data.token` is missing"),
    "token null": (data(token=None, livekit_url="ws://x"), "session.incomplete", "`data.token` is missing"),
    "token a number": (data(token=5, livekit_url="ws://x"), "session.incomplete", "`data.token` is not"),
    "no URL": (data(token=TOKEN), "session.incomplete", "`data.livekit_url` is missing"),
    "URL an object": (data(token=TOKEN, livekit_url={}), "session.incomplete", "`data.livekit_url` is not"),
    "URL of another scheme": (data(token=TOKEN, livekit_url="ftp://x"), "session.incomplete", "ws, wss"),
    "URL without host": (data(token=TOKEN, livekit_url="wss://"), "session.incomplete", "ws, wss"),
    "success a text": (
        ScriptedAnswer(body={"success": "no", "data": {"token": TOKEN, "livekit_url": "ws://x"}}),
        "session.incomplete",
        "`success`",
    ),
    "endless": (endless(), "session.too_large", "256 kB"),
    "too long": (ScriptedAnswer(body=b" " * 300_000), "session.too_large", "256 kB"),
    "cut short": (cut_short(), "session.unreachable", "before the end of the body"),
    "closed": (ScriptedAnswer(manner="no_answer"), "session.unreachable", "without an answer"),
    "redirect": (redirect("https://elsewhere.example/x?key=1"), "session.redirected", "https://elsewhere.example/x"),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_each_failure_has_its_kind_its_words_and_a_mend(name: str) -> None:
    answer, kind, words = FAILURES[name]
    failure = await failure_of(answer)
    assert failure.kind == kind
    assert words in failure.what
    assert failure.hint
    assert TOKEN not in str(failure)


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with FakeSessionService() as service:
        url = service.url
    async with api_at(url) as api:
        with pytest.raises(SessionFailure, match="no connection") as caught:
            await api.create(REQUEST, timeout_s=5)
    assert caught.value.kind == "session.unreachable"


async def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    async with api_at("http://no-such-host.invalid/") as api:
        with pytest.raises(SessionFailure) as caught:
            await api.create(REQUEST, timeout_s=20)
    assert caught.value.kind == "session.unreachable"


async def test_https_to_a_plain_port_is_unreachable_and_says_tls() -> None:
    async with mail_server() as address, api_at(f"https://{address}/") as api:
        with pytest.raises(SessionFailure, match="TLS") as caught:
            await api.create(REQUEST, timeout_s=5)
    assert caught.value.kind == "session.unreachable"


async def test_what_is_no_http_is_unreachable() -> None:
    async with mail_server() as address, api_at(f"http://{address}/") as api:
        with pytest.raises(SessionFailure, match="not HTTP") as caught:
            await api.create(REQUEST, timeout_s=5)
    assert caught.value.kind == "session.unreachable"


@pytest.mark.parametrize("answer", [hanging(), dripping(drip_s=0.05), ScriptedAnswer(delay_s=30)])
async def test_the_timeout_bounds_hanging_and_dripping_alike(answer: ScriptedAnswer) -> None:
    began = time.monotonic()
    failure = await failure_of(answer, timeout_s=0.4)
    assert failure.kind == "session.timeout"
    assert 0.3 < time.monotonic() - began < 2


async def test_no_redirect_is_followed_and_its_query_is_not_shown() -> None:
    async with FakeSessionService() as other:
        answer = redirect(f"{other.url}?api_key={KEY}")
        async with FakeSessionService(answer) as service, api_at(service.url) as api:
            with pytest.raises(SessionFailure) as caught:
                await api.create(REQUEST, timeout_s=5)
        assert other.requests == []
    assert caught.value.kind == "session.redirected"
    assert "api_key" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "location", "hint"),
    [
        ("/session", "/session/", "check the trailing slash"),
        ("/session/", "/session", "check the trailing slash"),
        ("/session", "{base}/session/?x=1", "check the trailing slash"),
        ("/session/", "/login/", "use the final URL"),
        ("/session/", "http://[broken", "use the final URL"),
        ("/session/", "", "use the final URL"),
    ],
)
async def test_a_redirect_says_how_to_write_the_url(written: str, location: str, hint: str) -> None:
    def answer(_: ReceivedRequest) -> ScriptedAnswer:
        return redirect(location.format(base=service.base_url))

    async with FakeSessionService(answer) as service, api_at(service.base_url + written) as api:
        with pytest.raises(SessionFailure) as caught:
            await api.create(REQUEST, timeout_s=5)
    assert caught.value.kind == "session.redirected"
    assert hint in (caught.value.hint or "")


async def test_429_is_retried_three_times_then_named() -> None:
    clock = FakeClock()
    async with FakeSessionService(refusal(429, "slow down")) as service, api_at(service.url, clock=clock) as api:
        with pytest.raises(SessionFailure, match="429 4 times: slow down") as caught:
            await api.create(REQUEST, timeout_s=30)
    assert caught.value.kind == "session.rate_limited"
    assert len(service.requests) == 4
    for wait_s, middle_s in zip(clock.slept_s, [0.5, 1.0, 2.0], strict=True):
        assert 0.5 * middle_s <= wait_s <= 1.5 * middle_s


async def test_callers_with_other_chance_do_not_come_back_at_once() -> None:
    waits = []
    for seed in (1, 2):
        clock = FakeClock()
        answers = [refusal(429), good_session()]
        async with FakeSessionService(answers) as service, api_at(service.url, clock=clock, seed=seed) as api:
            await api.create(REQUEST, timeout_s=30)
        waits.append(clock.slept_s)
    assert waits[0] != waits[1]


@pytest.mark.parametrize(
    ("retry_after", "waited_s"),
    [("2", 2.0), ("0", 0.0), ("Tue, 01 Jan 2030 00:00:03 GMT", 3.0), ("Tue, 01 Jan 2019 00:00:03 GMT", 0.0)],
)
async def test_retry_after_is_honoured(retry_after: str, waited_s: float) -> None:
    clock = FakeClock()
    answers = [refusal(429, retry_after=retry_after), good_session()]
    async with FakeSessionService(answers) as service, api_at(service.url, clock=clock) as api:
        await api.create(REQUEST, timeout_s=30)
    assert clock.slept_s == [waited_s]


async def test_a_retry_after_longer_than_the_timeout_ends_it_at_once() -> None:
    clock = FakeClock()
    failure = await failure_of(refusal(429, "slow down", retry_after="60"), timeout_s=10, clock=clock)
    assert failure.kind == "session.rate_limited"
    assert "(60)" in failure.what
    assert clock.slept_s == []


async def test_only_429_is_asked_again() -> None:
    async with FakeSessionService(refusal(503)) as service, api_at(service.url) as api:
        with pytest.raises(SessionFailure):
            await api.create(REQUEST, timeout_s=5)
    assert len(service.requests) == 1


async def test_a_services_message_is_short_on_one_line_and_without_control_characters() -> None:
    failure = await failure_of(refusal(400, "no\x1b[31m such\r\nagent\u202e " + "x" * 500))
    assert "no [31m such agent x" in failure.what
    assert failure.what.isprintable()
    assert len(failure.what) < 300


# What a careless service repeats: the key as it is, split by an invisible character, near the cut, and a token.
LEAKS = [
    refusal(401, f"the key {KEY} is unknown"),
    refusal(400, f"the key {KEY[:10]}\u200b{KEY[10:]} is unknown"),
    refusal(400, "x" * 190 + KEY),
    ScriptedAnswer(status=500, body=f"x-api-key: {KEY}"),
    ScriptedAnswer(headers={"Content-Type": f"text/{KEY}"}, body=f"{KEY} {TOKEN}"),
    ScriptedAnswer(body=f'{{"data": {{"token": "{TOKEN}"'),
    ScriptedAnswer(body={"success": False, "message": "late", "data": {"token": TOKEN}}),
    data(token=TOKEN, livekit_url=f"gopher://x/?access_token={TOKEN}"),
    redirect(f"https://{KEY}@elsewhere.example/{KEY}/?t={TOKEN}"),
    refusal(429, f"{KEY}", retry_after=KEY),
    cut_short(),
    dripping(),
    endless(f"{KEY} {TOKEN} ".encode()),
    hanging(),
    ScriptedAnswer(manner="no_answer"),
]


@pytest.mark.parametrize("answer", LEAKS)
async def test_key_and_token_are_nowhere(answer: ScriptedAnswer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failure = await failure_of(answer, timeout_s=0.5)
    shown = "".join(traceback.TracebackException.from_exception(failure, capture_locals=True).format())
    everything = "\n".join([str(failure), repr(failure), repr(vars(failure)), ours(shown), caplog.text])
    assert failure.__cause__ is None
    assert failure.__context__ is None
    for secret in (KEY, TOKEN, TOKEN[:40], KEY[:16]):
        assert secret not in everything


def ours(shown: str) -> str:
    """A traceback with variables, without the frames of this test, which made the secrets up."""
    return "".join(part for part in shown.split("  File ") if __file__ not in part.splitlines()[0])


async def test_the_key_is_in_no_variable_of_a_cancelled_request() -> None:
    async with FakeSessionService(hanging()) as service, api_at(service.url) as api:
        asking = asyncio.create_task(api.create(REQUEST, timeout_s=30))
        await service.wait_for_requests(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await asking
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "_exchange" in shown
    assert KEY not in ours(shown)


def test_a_key_that_no_header_can_carry_is_refused_before_any_request() -> None:
    with pytest.raises(ConfigError) as caught:
        SessionApi("https://service.example/", Secret(f"{KEY}\nx"))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "service.example/x", "https://", "https://x y/", "http://x:0/", "http://x:p/"]
)
def test_a_url_that_cannot_be_posted_to_is_refused_before_any_request(url: str) -> None:
    with pytest.raises(ConfigError):
        SessionApi(url, Secret(KEY))
