"""Test doubles, for this project's tests and those of its users.

async with FakeSessionService(answer=[refusal(429), good_session()]) as service:
    async with SessionApi(service.url, Secret("sk_test")) as api:
        session = await api.create(SessionRequest("my-agent"), timeout_s=5)
assert len(service.requests) == 2
"""

from harness.testing.fake_clock import FakeClock
from harness.testing.fake_session_service import FakeSessionService, ReceivedRequest
from harness.testing.scripted import (
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

__all__ = [
    "FakeClock",
    "FakeSessionService",
    "ReceivedRequest",
    "ScriptedAnswer",
    "cut_short",
    "dripping",
    "endless",
    "fake_token",
    "good_session",
    "hanging",
    "redirect",
    "refusal",
]
