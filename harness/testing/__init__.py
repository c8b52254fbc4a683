"""For tests: those of voice agents with pytest (docs/pytest.md), and doubles for those of this project and its users.

Of a call in a test: `VoiceResult` with its `VoiceTurn`s, and how it may end (`FellShort`, `Unfit`, `Unreachable`):

    async def test_opening_hours(voice_call: VoiceCall) -> None:
        result = await voice_call("smoke")
        assert result.turns[0].ttfa_ms < 1500

Doubles of the session service and the clock:

    async with FakeSessionService(answer=[refusal(429), good_session()]) as service:
        async with SessionApi(service.url, Secret("sk_test")) as api:
            session = await api.create(SessionRequest("my-agent"), timeout_s=5)
    assert len(service.requests) == 2
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.testing.fake_clock import FakeClock
from harness.testing.fake_session_service import FakeSessionService, ReceivedRequest
from harness.testing.outcomes import CallOutcome, FellShort, Unfit, Unreachable
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
from harness.testing.voice_call import VoiceCall

if TYPE_CHECKING:
    from harness.scenario.model import Scenario
    from harness.testing.voice_result import VoiceExpectation, VoiceFailure, VoiceResult
    from harness.testing.voice_turn import VoiceGreeting, VoiceTurn

__all__ = [
    "CallOutcome",
    "FakeClock",
    "FakeSessionService",
    "FellShort",
    "ReceivedRequest",
    "Scenario",
    "ScriptedAnswer",
    "Unfit",
    "Unreachable",
    "VoiceCall",
    "VoiceExpectation",
    "VoiceFailure",
    "VoiceGreeting",
    "VoiceResult",
    "VoiceTurn",
    "cut_short",
    "dripping",
    "endless",
    "fake_token",
    "good_session",
    "hanging",
    "redirect",
    "refusal",
]
_HOMES = {
    "Scenario": "harness.scenario.model",
    "VoiceExpectation": "harness.testing.voice_result",
    "VoiceFailure": "harness.testing.voice_result",
    "VoiceGreeting": "harness.testing.voice_turn",
    "VoiceResult": "harness.testing.voice_result",
    "VoiceTurn": "harness.testing.voice_turn",
}


def __getattr__(name: str) -> Any:
    # Imported on demand: who only needs a double, or collects tests, need not wait for pydantic.
    if name not in _HOMES:
        raise AttributeError(f"module 'harness.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
