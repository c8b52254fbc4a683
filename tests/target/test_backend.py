from __future__ import annotations

import pytest

from harness.errors import SessionFailure
from harness.target.backend import BackendRoute
from harness.target.session import SessionRequest
from harness.testing import FakeSessionService, ScriptedAnswer, good_session


def plain(status: int, text: str) -> ScriptedAnswer:
    return ScriptedAnswer(status=status, headers={"Content-Type": "text/plain"}, body=text)


async def test_the_route_is_asked_without_a_key() -> None:
    async with FakeSessionService(good_session(room=None)) as service, BackendRoute(service.url) as route:
        session = await route.create(SessionRequest("agent-1", {"language": "de"}), timeout_s=5)
    assert session.room == "fake-room"
    (request,) = service.requests
    assert "x-api-key" not in request.headers
    assert request.json() == {"agent": "agent-1", "language": "de"}


async def test_a_body_with_only_what_a_browser_needs_is_enough() -> None:
    answer = ScriptedAnswer(body={"data": {"token": "opaque", "livekit_url": "wss://livekit.example"}})
    async with FakeSessionService(answer) as service, BackendRoute(service.url) as route:
        session = await route.create(SessionRequest("agent-1"), timeout_s=5)
    assert (session.livekit_url, session.room) == ("wss://livekit.example", None)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (plain(502, "The voice service is closed."), "session.server_error", "The voice service is closed."),
        (plain(502, ""), "session.server_error", "Failed to create voice-agent session"),
        (plain(400, " \n"), "session.rejected", "Failed to create voice-agent session"),
        (plain(401, "Sign in first"), "session.unauthorized", "Sign in first"),
        (ScriptedAnswer(body={"data": {}}), "session.incomplete", "Session response is missing token or livekit_url"),
        (ScriptedAnswer(body={}), "session.incomplete", "Session response is missing token or livekit_url"),
        (plain(200, "ok"), "session.not_json", "text/plain"),
    ],
)
async def test_failures_are_told_in_the_contracts_words(answer: ScriptedAnswer, kind: str, words: str) -> None:
    async with FakeSessionService(answer) as service, BackendRoute(service.url) as route:
        with pytest.raises(SessionFailure) as caught:
            await route.create(SessionRequest("agent-1"), timeout_s=5)
    assert caught.value.kind == kind
    assert words in caught.value.what
