"""The session service answers as the contract words it, for right requests, wrong ones, and each fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, get_args

import aiohttp
import pytest
from livekit.api import TokenVerifier

from harness.secret import Secret
from harness.stack.agents_file import SessionFault
from harness.stack.service.faults import FAULTS
from harness.stack.service.server import SessionServer
from harness.stack.service.state import Service
from harness.stack.tokens import LiveKitKeys, agent_token

KEY = "sk_right-key-of-this-test"
KEYS = LiveKitKeys("ws://127.0.0.1:7", "APItest", Secret("a-secret-of-more-than-thirty-two-characters"))
Dispatched = list[tuple[str, str, dict[str, str]]]


class Client:
    """Posts to the service under test as its users do."""

    def __init__(self, server: SessionServer, http: aiohttp.ClientSession) -> None:
        self.url = server.url
        self.http = http

    async def post(self, body: Any, *, key: str | None = KEY, url: str | None = None) -> aiohttp.ClientResponse:
        headers = {} if key is None else {"x-api-key": key}
        return await self.http.post(url or self.url, json=body, headers=headers, allow_redirects=False)


@pytest.fixture
def dispatched() -> Dispatched:
    return []


@pytest.fixture
async def client(dispatched: Dispatched) -> AsyncIterator[Client]:
    async def dispatch(room: str, agent: str, overrides: Any, *, spec: Any = None) -> None:
        del spec
        dispatched.append((room, agent, dict(overrides)))

    faults: dict[str, SessionFault | None] = {"demo": None, **{fault: fault for fault in get_args(SessionFault)}}
    server = await SessionServer.start(Service(Secret(KEY), KEYS, faults, dispatch))
    async with aiohttp.ClientSession() as http:
        yield Client(server, http)
    await server.close()


def grants_of(token: str) -> Any:
    return TokenVerifier(KEYS.api_key, KEYS.api_secret.reveal()).verify(token)


async def test_a_session_has_a_token_for_its_room_alone_and_sends_the_agent_there(
    client: Client, dispatched: Dispatched
) -> None:
    answer = await client.post({"agent": "demo"})
    body = await answer.json()
    assert answer.status == 200
    assert body["success"] is True
    assert body["message"] == "Request successful"
    assert set(body["data"]) == {"token", "livekit_url", "room_name"}
    assert body["data"]["livekit_url"] == KEYS.url
    claims = grants_of(body["data"]["token"])
    assert claims.video.room == body["data"]["room_name"]
    assert claims.video.room_join
    assert claims.video.can_publish
    assert claims.video.can_subscribe
    assert claims.video.can_publish_data
    assert claims.video.room_admin is None
    assert claims.kind != "agent"
    assert dispatched == [(body["data"]["room_name"], "demo", {})]


async def test_each_session_has_a_room_and_a_caller_of_its_own(client: Client) -> None:
    bodies = [await (await client.post({"agent": "demo"})).json() for _ in range(3)]
    assert len({body["data"]["room_name"] for body in bodies}) == 3
    assert len({grants_of(body["data"]["token"]).identity for body in bodies}) == 3


async def test_overrides_are_handed_on_and_what_is_left_out_is_inherited(
    client: Client, dispatched: Dispatched
) -> None:
    overrides = {"language": "fr", "system_prompt": "Vous êtes un café.", "greeting": "Bonjour !"}
    await client.post({"agent": "demo", **overrides, "unknown": 1})
    assert dispatched[0][2] == overrides


async def test_an_agents_token_has_the_kind_agent() -> None:
    claims = grants_of(agent_token(KEYS, "room", "agent-1").reveal())
    assert (claims.kind, claims.video.room) == ("agent", "room")


@pytest.mark.parametrize("key", [None, "", "sk_wrong", f"{KEY}x", KEY[:-1], "sk_schlüssel"])
async def test_a_wrong_key_is_a_401_that_does_not_repeat_it(
    client: Client, dispatched: Dispatched, key: str | None
) -> None:
    answer = await client.post({"agent": "demo"}, key=key)
    body = await answer.json()
    assert answer.status == 401
    assert body == {"success": False, "message": "Invalid or missing API key."}
    assert not dispatched


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({}, 400, "agent"),
        ({"agent": 7}, 400, "agent"),
        ({"agent": ""}, 400, "agent"),
        ({"agent": "demo", "language": 5}, 400, "language"),
        ({"agent": "demo", "greeting": None}, 400, "greeting"),
        ({"agent": "demo", "system_prompt": ["x"]}, 400, "system_prompt"),
        ({"agent": "demo", "reference_audio_url": "  "}, 400, "reference_audio_url"),
        (
            {"agent": "demo", "reference_audio_url": "file:///etc/passwd"},
            400,
            "reference_audio_url: Must be an https URL",
        ),
        (
            {"agent": "demo", "reference_audio_url": "https://127.1/a.wav"},
            400,
            "reference_audio_url: Must not name a pri",
        ),
        (
            {"agent": "demo", "reference_audio_url": "http://a.example/a"},
            400,
            "reference_audio_url: Must be an https URL",
        ),
        (["demo"], 400, "object"),
        ({"agent": "nobody"}, 404, "nobody"),
    ],
)
async def test_a_wrong_body_is_refused_by_a_message_that_names_the_field(
    client: Client, dispatched: Dispatched, body: Any, status: int, named: str
) -> None:
    answer = await client.post(body)
    told = await answer.json()
    assert answer.status == status
    assert told["success"] is False
    assert named in told["message"]
    assert not dispatched


async def test_what_is_no_json_is_refused(client: Client) -> None:
    headers = {"x-api-key": KEY}
    for data, content_type, status in (
        (b"{oops", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"agent=demo", "application/x-www-form-urlencoded", 415),
        (b" " * (1 << 20) + b"{}", "application/json", 413),
    ):
        answer = await client.http.post(client.url, data=data, headers={**headers, "Content-Type": content_type})
        assert answer.status == status
        assert (await answer.json())["success"] is False


async def test_without_the_trailing_slash_it_redirects_as_django_does(client: Client) -> None:
    answer = await client.post({"agent": "demo"}, url=client.url.rstrip("/"))
    assert answer.status == 301
    assert answer.headers["Location"] == "/api/agents/agent-session/"


async def test_other_methods_and_paths_answer_in_json(client: Client) -> None:
    answer = await client.http.get(client.url)
    assert (answer.status, (await answer.json())["success"]) == (405, False)
    answer = await client.http.get(client.url.replace("agent-session", "nothing"))
    assert (answer.status, (await answer.json())["success"]) == (404, False)


async def test_an_agent_that_cannot_be_sent_is_a_500_and_not_a_silence() -> None:
    async def dispatch(_room: str, _agent: str, _overrides: Any, *, spec: Any = None) -> None:
        del spec
        raise RuntimeError("the LiveKit server is gone")

    server = await SessionServer.start(Service(Secret(KEY), KEYS, {"demo": None}, dispatch))
    async with aiohttp.ClientSession() as http:
        answer = await Client(server, http).post({"agent": "demo"})
        assert answer.status == 500
        assert await answer.json() == {"success": False, "message": "Internal server error."}
    await server.close()


def test_every_fault_of_the_agents_file_has_its_answer() -> None:
    assert set(FAULTS) == set(get_args(SessionFault))


@pytest.mark.parametrize(
    ("fault", "status", "success"),
    [
        ("unauthorized", 401, False),
        ("rejected", 400, False),
        ("server_error", 500, False),
        ("success_false", 200, False),
        ("no_token", 200, True),
        ("no_url", 200, True),
        ("wrong_type", 200, True),
    ],
)
async def test_faults_of_status_and_body(
    client: Client, dispatched: Dispatched, fault: str, status: int, *, success: bool
) -> None:
    answer = await client.post({"agent": fault})
    body = await answer.json()
    assert answer.status == status
    assert body["success"] is success
    assert body["message"]
    assert not dispatched
    data = body.get("data", {})
    if fault in ("no_token", "no_url"):
        assert {"token", "livekit_url"} - set(data) == {"token" if fault == "no_token" else "livekit_url"}
    if fault == "wrong_type":
        assert not isinstance(data["token"], str)


async def test_rate_limits_name_the_time_to_wait(client: Client, dispatched: Dispatched) -> None:
    for _ in range(3):
        answer = await client.post({"agent": "rate_limited"})
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    answer = await client.post({"agent": "rate_limited_once"})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert not dispatched
    assert (await client.post({"agent": "rate_limited_once"})).status == 200
    assert len(dispatched) == 1


async def test_html_is_no_json(client: Client) -> None:
    answer = await client.post({"agent": "html"})
    assert (answer.status, answer.content_type) == (200, "text/html")


async def test_a_redirect_leads_to_another_loopback_port(client: Client) -> None:
    answer = await client.post({"agent": "redirect"})
    assert answer.status == 302
    assert answer.headers["Location"].startswith("http://127.0.0.1:")
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.http.get(answer.headers["Location"])


async def test_an_endless_body_goes_on_and_a_dripping_one_comes_byte_by_byte(client: Client) -> None:
    endless = await client.post({"agent": "endless"})
    assert len(await endless.content.readexactly(300_000)) == 300_000
    endless.close()
    drip = await client.post({"agent": "drip"})
    assert await drip.content.readany() == b"{"
    drip.close()


async def test_a_hanging_request_is_given_up_by_the_client_and_the_service_still_closes(client: Client) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.post({"agent": "hang"})
    assert (await client.post({"agent": "demo"})).status == 200


async def test_a_dead_url_refuses_connections(client: Client) -> None:
    body = await (await client.post({"agent": "dead_url"})).json()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.http.get(body["data"]["livekit_url"].replace("ws://", "http://"))


async def test_an_expired_token_is_signed_right_and_has_run_out(client: Client) -> None:
    body = await (await client.post({"agent": "expired_token"})).json()
    with pytest.raises(Exception, match="expired"):
        grants_of(body["data"]["token"])


async def test_a_token_for_another_room(client: Client, dispatched: Dispatched) -> None:
    body = await (await client.post({"agent": "wrong_room"})).json()
    assert dispatched[0][0] == body["data"]["room_name"]
    assert grants_of(body["data"]["token"]).video.room != body["data"]["room_name"]


async def test_the_service_closes_while_answers_are_open(dispatched: Dispatched) -> None:
    async def dispatch(room: str, agent: str, overrides: Any, *, spec: Any = None) -> None:
        del spec
        dispatched.append((room, agent, dict(overrides)))

    server = await SessionServer.start(
        Service(Secret(KEY), KEYS, {"hang": "hang", "endless": "endless", "drip": "drip"}, dispatch)
    )
    async with aiohttp.ClientSession() as http:
        client = Client(server, http)
        hanging = asyncio.create_task(client.post({"agent": "hang"}))
        opened = [await client.post({"agent": agent}) for agent in ("endless", "drip")]
        async with asyncio.timeout(5):
            await server.close()
        with pytest.raises(aiohttp.ClientError):
            await hanging
        for answer in opened:
            answer.close()
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.post({"agent": "hang"})
