"""A right service breaks no rule; of each wrong one, exactly the rule is named that it breaks."""

from __future__ import annotations

import pytest
from aiohttp import web

from harness.clock import SystemClock
from harness.contract.check import Checked, check
from harness.contract.gather import Asked, other_ending
from harness.contract.table import render_json, render_junit, render_table
from harness.contract.wire import Wire
from harness.secret import Secret
from harness.target.transport import MAX_BODY_BYTES
from tests.contract.services import (
    AGENT,
    BACKEND_PATH,
    KEY,
    REVOKED,
    SESSION_PATH,
    BackendRoute,
    SessionService,
    serving,
)

VOICE = "https://voices.example.com/voice.wav"

WRONG_SESSIONS = {
    "no key is needed": "session.key.missing",
    "400 without a key": "session.key.missing",
    "every key works": "session.key.wrong session.key.near session.key.case session.key.revoked",
    "keys have no case": "session.key.case",
    "a key is compared in part": "session.key.near",
    "a revoked key works": "session.key.revoked",
    "key in a refusal": "session.key.leak.errors",
    "key without its prefix in a refusal": "session.key.leak.errors",
    "key escaped in a refusal": "session.key.leak.errors",
    "key after the status": "session.key.leak.errors",
    "key in base64 in a header": "session.key.leak.headers",
    "key in a success": "session.key.leak.answers",
    "key in the token": "session.key.leak.answers",
    "key in a header": "session.key.leak.headers",
    "fails without an agent": "session.agent.missing",
    "every agent is known": "session.agent.unknown",
    "any type of agent": "session.agent.unknown session.type.agent",
    "a list is read as its text": "session.type.agent",
    "any type of language": "session.type.language",
    "any type of system_prompt": "session.type.system_prompt",
    "any type of greeting": "session.type.greeting",
    "any type of reference_audio_url": "session.type.reference_audio_url",
    "fails on what is not JSON": "session.body.json",
    "takes a form": "session.content_type",
    "a GET creates": "session.method",
    "refuses language": "session.override.language",
    "refuses system_prompt": "session.override.system_prompt",
    "refuses greeting": "session.override.greeting",
    "refuses reference_audio_url": "session.override.reference_audio_url",
    "refuses language+system_prompt+greeting+reference_audio_url": "session.override.all",
    "success is a text": "session.success.form",
    "no room_name": "session.success.form",
    "no token": "session.success.form",
    "unencrypted media": "session.livekit_url",
    "one room for all": "session.room.unique",
    "opaque token": "token.jwt",
    "token for another room": "token.room_name",
    "token for any room": "token.room",
    "token of an admin": "token.grants.forbidden",
    "token that lists": "token.grants.forbidden",
    "token without data": "token.grants.needed",
    "token that has expired": "token.expires",
    "token of an hour ago": "token.expires",
    "token for the next hour": "token.expires",
}

WRONG_BACKENDS = {
    "no sessions": "backend.session backend.overrides",
    "refuses overrides": "backend.overrides",
    "more data": "backend.data.only",
    "key in a success": "backend.key.leak.answers",
    "key in the token": "backend.key.leak.answers",
    "key in a failure": "backend.key.leak.errors",
    "key in a header": "backend.key.leak.headers",
    "prompt in a success": "backend.prompt.leak",
    "prompt in the token": "backend.prompt.leak",
    "no token": "backend.complete",
    "a failure is JSON": "backend.failure.text",
    "a failure is HTML": "backend.failure.text",
    "a failure is a trace": "backend.failure.text",
    "a failure is a frame": "backend.failure.text",
    "a failure is XML": "backend.failure.text",
    "a failure is not UTF-8": "backend.failure.text",
    "a GET creates": "backend.method",
    "unencrypted media": "backend.livekit_url",
    "one room for all": "backend.room.unique",
    "token of an admin": "token.grants.forbidden",
}


async def session_checked(
    service: SessionService, *, read_only: bool = False, voice_url: str | None = VOICE
) -> Checked:
    async with serving(session=service) as address:
        asked = Asked(
            AGENT,
            session_url=address + SESSION_PATH,
            key=Secret(KEY),
            revoked_key=Secret(REVOKED),
            voice_url=voice_url,
            read_only=read_only,
        )
        return await check(asked, SystemClock(), engine=None)


async def backend_checked(route: BackendRoute, *, read_only: bool = False) -> Checked:
    async with serving(backend=route) as address:
        asked = Asked(AGENT, backend_url=address + BACKEND_PATH, read_only=read_only)
        return await check(asked, SystemClock(), engine=None)


def ids(checked: Checked, outcome: str) -> set[str]:
    return {finding.id for finding in checked.findings if finding.outcome == outcome}


def written(checked: Checked) -> str:
    return render_table(checked) + render_json(checked) + render_junit(checked)


async def test_a_service_that_keeps_the_contract_breaks_no_rule() -> None:
    checked = await session_checked(SessionService())
    assert ids(checked, "broken") == ids(checked, "advice") == set()
    assert {name.partition(".")[0] for name in ids(checked, "not_tried")} == {"backend", "room"}
    assert checked.exit_code == 0


async def test_a_route_that_keeps_the_contract_breaks_no_rule() -> None:
    checked = await backend_checked(BackendRoute())
    assert ids(checked, "broken") == ids(checked, "advice") == set()
    assert {name.partition(".")[0] for name in ids(checked, "not_tried")} == {"session", "room"}
    assert checked.exit_code == 0


@pytest.mark.parametrize("wrong", WRONG_SESSIONS)
async def test_the_rule_that_a_wrong_service_breaks_is_named(wrong: str) -> None:
    checked = await session_checked(SessionService(wrong))
    assert ids(checked, "broken") == set(WRONG_SESSIONS[wrong].split())
    assert checked.exit_code == 1
    assert KEY.removeprefix("sk_") not in written(checked)
    assert REVOKED.removeprefix("sk_") not in written(checked)


@pytest.mark.parametrize("wrong", WRONG_BACKENDS)
async def test_the_rule_that_a_wrong_route_breaks_is_named(wrong: str) -> None:
    checked = await backend_checked(BackendRoute(wrong))
    assert ids(checked, "broken") == set(WRONG_BACKENDS[wrong].split())
    assert checked.exit_code == 1
    assert KEY not in written(checked)


async def test_a_route_whose_failures_look_like_successes_breaks_each_rule_of_failures() -> None:
    broken = ids(await backend_checked(BackendRoute("a failure is 200")), "broken")
    names = ("unknown_agent", "missing_agent", "type", "json")
    assert broken == {*(f"backend.failure.{name}" for name in names), "backend.complete"}


async def test_an_empty_failure_is_allowed() -> None:
    checked = await backend_checked(BackendRoute("a failure is empty"))
    assert ids(checked, "broken") == set()


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [("one identity for all", "session.identity.unique"), ("token for six hours", "token.lifetime")],
)
async def test_what_the_contract_does_not_say_is_advice_and_breaks_nothing(wrong: str, advice: str) -> None:
    checked = await session_checked(SessionService(wrong))
    assert ids(checked, "advice") == {advice}
    assert checked.exit_code == 0


async def test_a_route_that_all_sites_may_call_is_advised_against() -> None:
    checked = await backend_checked(BackendRoute("open to all sites"))
    assert ids(checked, "advice") == {"backend.cors"}
    assert checked.exit_code == 0


async def test_a_service_whose_refusals_all_sites_may_read_is_advised_against() -> None:
    checked = await session_checked(SessionService("open to all sites"))
    assert ids(checked, "advice") == {"session.cors"}


async def test_a_room_of_the_service_that_is_a_room_of_the_route_is_named() -> None:
    route = BackendRoute()
    route.rooms = SessionService.rooms
    async with serving(session=SessionService(), backend=route) as address:
        asked = Asked(AGENT, address + SESSION_PATH, Secret(KEY), backend_url=address + BACKEND_PATH, voice_url=VOICE)
        checked = await check(asked, SystemClock(), engine=None)
    assert ids(checked, "broken") == {"session.room.unique", "backend.room.unique"}


async def test_what_was_not_tried_is_said_once_for_all_rules_of_one_reason() -> None:
    checked = await session_checked(SessionService(), read_only=True)
    table = render_table(checked)
    reasons = ("none is given; add --backend", "--read-only creates no session")
    assert [table.count(reason) for reason in reasons] == [1, 3]  # once for each of session, token and room
    assert "backend.*" in table
    of_backend = sum(finding.id.startswith("backend.") for finding in checked.findings)
    assert f"all {of_backend} rules" in table
    assert "session.*" in table
    assert "override.language, " in table
    assert render_junit(checked).count("add --backend") == of_backend


async def test_a_redirect_is_named_and_the_key_does_not_follow() -> None:
    checked = await session_checked(SessionService("redirects"))
    assert "session.redirect" in ids(checked, "broken")
    assert checked.exit_code == 1


async def test_what_is_broken_says_what_was_sent_and_what_came() -> None:
    checked = await session_checked(SessionService("key in a refusal"))
    [finding] = [finding for finding in checked.findings if finding.outcome == "broken"]
    assert finding.why == "the wrong key is in the body"
    assert finding.sent.startswith("POST http://127.0.0.1:")
    assert "Invalid API key ***." in finding.came


async def test_read_only_creates_no_session() -> None:
    service, route = SessionService(), BackendRoute()
    checked = await session_checked(service, read_only=True)
    assert service.created == 0
    assert {"session.key.missing", "session.agent.unknown", "session.type.greeting"} <= ids(checked, "met")
    assert {"session.override.none", "token.jwt", "room.joined"} <= ids(checked, "not_tried")
    checked = await backend_checked(route, read_only=True)
    assert route.created == 0
    assert {"backend.failure.unknown_agent", "backend.failure.text"} <= ids(checked, "met")
    assert "backend.session" in ids(checked, "not_tried")
    assert checked.exit_code == 0


async def test_nobody_there_is_not_reached(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    checked = await check(Asked(AGENT, session_url=url, key=Secret(KEY)), SystemClock(), engine=None)
    assert checked.exit_code == 3
    assert ids(checked, "not_tried") == {finding.id for finding in checked.findings}
    assert "Connect" in checked.unreached["session"] or "connection" in checked.unreached["session"]
    assert "NOT REACHED" in render_table(checked)


async def test_a_service_that_refuses_the_example_of_a_voice_breaks_no_rule() -> None:
    checked = await session_checked(SessionService("refuses reference_audio_url"), voice_url=None)
    voice = {"session.override.reference_audio_url", "session.override.all"}
    assert voice <= ids(checked, "not_tried")
    assert ids(checked, "broken") == set()


async def test_a_request_that_is_answered_429_is_made_again() -> None:
    checked = await session_checked(SessionService("limits the rate once"))
    assert ids(checked, "broken") == set()
    assert "session.key.wrong" in ids(checked, "met")


@pytest.mark.parametrize("retry_after", ["0", "3600"])
async def test_a_service_that_takes_no_request_is_not_tried_and_not_waited_for(retry_after: str) -> None:
    service = SessionService("limits the rate")
    service.retry_after = retry_after
    checked = await session_checked(service, read_only=True)
    assert {"session.key.missing", "session.agent.unknown"} <= ids(checked, "not_tried")


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("https://a.example/session/", "https://a.example/session"),
        ("https://a.example/session", "https://a.example/session/"),
        ("https://a.example/session/?v=2", "https://a.example/session?v=2"),
    ],
)
def test_the_other_ending_of_a_url(url: str, other: str) -> None:
    assert other_ending(url) == other


async def test_an_answer_that_never_ends_is_bounded() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    app = web.Application()
    app.router.add_post("/", endless)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with Wire(SystemClock(), timeout_s=10) as wire:
        exchange = await wire.send(f"http://127.0.0.1:{runner.addresses[0][1]}/", b"{}")
    await runner.cleanup()
    assert exchange.status == 200
    assert len(exchange.body) == MAX_BODY_BYTES
