"""The embedded service and a route before it keep every rule, the room included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from harness.clock import SystemClock
from harness.contract.check import check
from harness.contract.gather import Asked
from harness.contract.table import render_json, render_junit, render_table
from harness.stack.embedded import EmbeddedStack, StackAddress

pytestmark = pytest.mark.live


@asynccontextmanager
async def route(stack: StackAddress) -> AsyncIterator[str]:
    """A backend route before the embedded service; yields its URL."""

    async def post(request: web.Request) -> web.Response:
        headers = {"x-api-key": stack.api_key.reveal(), "Content-Type": "application/json"}
        async with http.post(stack.session_url, data=await request.read(), headers=headers) as answer:
            content = await answer.json()
        if not content["success"]:
            return web.Response(status=502, text="The call could not be started.")
        return web.json_response({"data": content["data"]})

    app = web.Application()
    app.router.add_post("/api/voice-agent/session", post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    async with aiohttp.ClientSession() as http:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/voice-agent/session"
        await runner.cleanup()


async def test_the_embedded_service_and_a_route_before_it_keep_every_rule() -> None:
    async with (
        asyncio.timeout(120),
        await EmbeddedStack.start(say=print, warm=["light"]) as stack,
        route(stack.address) as backend,
    ):
        asked = Asked(
            "light",
            session_url=stack.address.session_url,
            key=stack.address.api_key,
            backend_url=backend,
        )
        checked = await check(asked, SystemClock(), engine="light")
        table = render_table(checked)
        key = stack.address.api_key.reveal()
    left = {finding.id: finding.outcome for finding in checked.findings if finding.outcome != "met"}
    assert set(left.values()) <= {"not_tried"}, table
    # There is no revoked key, and a service may refuse the example of a voice, which does not exist.
    assert set(left) <= {"session.key.revoked", "session.override.reference_audio_url", "session.override.all"}, table
    assert checked.exit_code == 0
    for text in (table, render_json(checked), render_junit(checked)):
        assert key not in text
        assert "eyJ" not in text
