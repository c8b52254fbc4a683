from __future__ import annotations

from dataclasses import replace

import pytest

from harness.errors import ConfigError
from harness.secret import Secret
from harness.target.backend import BackendRoute
from harness.target.connect import session_client
from harness.target.session import SessionRequest
from harness.target.session_api import SessionApi
from harness.target.target import Target
from harness.testing import FakeSessionService


async def test_the_embedded_target_is_asked_as_a_session_api_once_its_stack_runs() -> None:
    target = Target("embedded", "embedded", agent="demo")
    with pytest.raises(ConfigError):
        session_client(target)
    async with FakeSessionService() as service:
        running = replace(target, url=service.url, api_key=Secret("sk_test_1"))
        async with session_client(running) as client:
            await client.create(SessionRequest("demo"), timeout_s=5)
    assert running.describe() == "embedded"
    assert service.requests[0].headers["x-api-key"] == "sk_test_1"


def test_each_kind_has_its_client() -> None:
    url = "https://voice.example/session"
    assert isinstance(session_client(Target("a", "session", url=url, api_key=Secret("sk_1"))), SessionApi)
    assert isinstance(session_client(Target("a", "backend", url=url)), BackendRoute)
    with pytest.raises(ConfigError):
        session_client(Target("a", "session", url=url))
