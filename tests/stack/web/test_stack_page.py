"""What the stack's page is told: agents, calls and conversations, and what a listener gets. Never a key or a prompt."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from livekit.api import TokenVerifier

from harness.stack.agents.caller import OURS
from harness.stack.agents_file import AgentSpec
from harness.stack.service.allowed import Allowed
from harness.stack.service.stored_agents import new_agent, renew_file_agents
from tests.stack.web.opened import KEY, KEYS, Page, opened

AT = datetime(2026, 11, 27, tzinfo=UTC)
FIELDS = {"name": "Harbour", "system_prompt": "the prompt", "language": "en", "reference_audio_url": None}


def said(text: str) -> dict[str, Any]:
    return {"topic": "voice.reply", "at_ms": 1, "payload": {"type": "agent_text", "text": text}}


async def test_agents_are_told_with_what_they_have_and_without_prompts(built: Path) -> None:
    async with opened(built) as page:
        spec = AgentSpec.model_validate({"prompt": "the prompt", "greeting": "Hi.", "voice": "espeak:f2"})
        like = "https://audio.example/voices/a.wav?signature=secret"

        def work(database: Any) -> None:
            renew_file_agents(database, {"file": spec}, at=AT)
            agent = new_agent(
                database, {**FIELDS, "greeting": "Hello.", "reference_audio_url": like}, allowed=Allowed(), at=AT
            )
            database.execute("INSERT INTO documents VALUES ('d', ?, 'a.md', 'markdown', 1, 1, '')", (agent,))
            database.execute("INSERT INTO mcp_servers VALUES (?, 'tables', '{}')", (agent,))

        await page.store.run(work)
        async with page.followed() as socket:
            told = await socket.told("agents")
            assert told["total"] == 2
            rows = sorted(told["agents"], key=lambda row: row["name"])
            assert [(row["name"], row["voice"], row["documents"], row["mcp_servers"]) for row in rows] == [
                ("Harbour", "like audio.example/voices/a.wav", 1, 1),
                ("file", "espeak:f2", 0, 0),
            ]
            assert "prompt" not in str(socket.texts)


async def test_a_call_is_told_from_its_session_to_its_end(built: Path) -> None:
    async with opened(built) as page, page.followed() as socket:
        assert (await socket.told("calls"))["calls"] == []
        page.calls.begun("call-1", "demo", "caller-1")
        [call] = (await socket.told("calls", under_way=1))["calls"]
        assert (call["room"], call["agent"], call["caller"], call["state"]) == ("call-1", "demo", "caller-1", "waiting")
        page.calls.met("call-1")
        assert (await socket.told("calls"))["calls"][0]["state"] == "live"
        page.calls.over("call-1")
        [call] = (await socket.told("calls", under_way=0))["calls"]
        assert call["state"] == "over"
        assert call["until_ms"] >= call["since_ms"]


async def test_a_conversation_is_followed_only_while_somebody_looks_at_it(built: Path) -> None:
    async with opened(built) as page:
        page.calls.begun("call-1", "demo", "caller-1")
        async with page.followed() as first, page.followed() as second:
            assert page.orders == []
            for socket in (first, second):
                await socket.look(watch="call-1")
                assert (await socket.told("frames"))["frames"] == []
            page.calls.framed("call-1", 0, said("Hello."))
            page.calls.framed("call-1", 0, said("Hello."))  # as when it is watched anew
            for socket in (first, second):
                told = await socket.told("frames", start=0)
                assert [frame["payload"]["text"] for frame in told["frames"]] == ["Hello."]
            await first.look(watch=None)
            await first.look(watch="call-1")
            assert len((await first.told("frames", start=0))["frames"]) == 1
            assert page.orders == [("call-1", True)]
        async with asyncio.timeout(10):
            await page.unwatched.wait()
        assert page.orders == [("call-1", True), ("call-1", False)]


async def test_no_key_is_told_whoever_said_it(built: Path) -> None:
    async with opened(built) as page:
        fields = {**FIELDS, "greeting": KEY.reveal()}
        await page.store.run(lambda database: new_agent(database, fields, allowed=Allowed(), at=AT))
        page.calls.begun("call-1", "demo", "caller-1")
        async with page.followed() as socket:
            await socket.look(watch="call-1")
            await socket.told("agents")
            await socket.told("frames")
            page.calls.framed("call-1", 0, said(f"My key is {KEY.reveal()}, and {KEYS.api_secret.reveal()}."))
            assert "My key is ***, and ***." in str(await socket.told("frames"))
            assert KEY.reveal() not in str(socket.texts)


async def listen(page: Page, room: object, **headers: str) -> aiohttp.ClientResponse:
    return await page.http.post(f"{page.url}/stack/listen", json={"room": room}, headers=headers)


async def test_a_listener_is_hidden_and_may_only_subscribe_to_the_room_of_a_call(built: Path) -> None:
    async with opened(built) as page:
        page.calls.begun("call-1", "demo", "caller-1")
        answer = await listen(page, "call-1")
        told = await answer.json()
        assert (answer.status, set(told), told["livekit_url"]) == (200, {"token", "livekit_url"}, KEYS.url)
        claims = TokenVerifier(KEYS.api_key, KEYS.api_secret.reveal()).verify(told["token"])
        grants = claims.video
        assert grants is not None
        assert (grants.room_join, grants.room, grants.hidden, grants.can_subscribe) == (True, "call-1", True, True)
        assert (grants.can_publish, grants.can_publish_data) == (False, False)
        assert not any((grants.room_admin, grants.room_create, grants.recorder, grants.can_update_own_metadata))
        # No reference agent takes it for a caller, not even one that asks the server who is there.
        assert claims.identity.startswith(OURS)
        page.calls.over("call-1")
        for room in ("call-1", "call-2", None, ["call-1"]):
            assert (await listen(page, room)).status == 404


async def test_other_sites_get_nothing(built: Path) -> None:
    async with opened(built) as page:
        page.calls.begun("call-1", "demo", "caller-1")
        for origin in ("https://attacker.example", "null", "http://127.0.0.1:1"):
            assert (await listen(page, "call-1", Origin=origin)).status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with page.followed(headers={"Origin": origin}):
                    pass
            assert refused.value.status == 403
        assert (await listen(page, "call-1", Host="attacker.example")).status == 403
        assert (await listen(page, "call-1", Origin=page.url)).status == 200
        form = await page.http.post(f"{page.url}/stack/listen", data='{"room": "call-1"}')
        assert form.status == 403


async def test_what_is_no_order_is_ignored_and_a_large_one_ends_the_connection(built: Path) -> None:
    async with opened(built) as page, page.followed() as socket:
        for junk in ("", "[]", '{"watch": 5}', '{"follow": ["a"]}', '{"run": null}'):
            await socket.socket.send_str(junk)
        page.calls.begun("call-1", "demo", "caller-1")
        await socket.told("calls", under_way=1)
        await socket.socket.send_str("x" * 10_000)
        async with asyncio.timeout(10):
            while (message := await socket.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_pages_beyond_the_most_are_refused_until_one_is_closed(built: Path) -> None:
    async with opened(built) as page:
        sockets = [await page.http.ws_connect(f"{page.url}/stack/live") for _ in range(20)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await page.http.ws_connect(f"{page.url}/stack/live")
        assert refused.value.status == 503
        await sockets[0].close()
        await (await page.http.ws_connect(f"{page.url}/stack/live")).close()
        for socket in sockets:
            await socket.close()
