"""How long a session's greeting waits for a reference voice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.stack.agents import session_voice
from harness.stack.agents.session_voice import SessionVoice
from harness.stack.agents_file import load_agents
from harness.stack.reference_voice.choice import VoiceLike
from harness.stack.reference_voice.fetch import AudioFetcher
from harness.stack.reference_voice.measured import Measured
from harness.stack.reference_voice.references import References
from harness.stack.reference_voice.url_rules import NO_PRIVATE_HOSTS

FOUND = Measured(200, 5), VoiceLike("espeak:f2", 1.05, 0.9, Measured(199.6, 5.1))


class Seeking(References):
    """Finds a voice once it is allowed to."""

    def __init__(self) -> None:
        super().__init__(AudioFetcher(NO_PRIVATE_HOSTS))
        self.may_find = asyncio.Event()

    async def voice(self, url: str, language: str, *, by_owner: bool) -> tuple[Measured, VoiceLike]:
        await self.may_find.wait()
        return FOUND


class Log(list[dict[str, Any]]):
    def __call__(self, event: str, **fields: Any) -> None:
        self.append({"event": event, **fields})


async def test_who_asks_waits_until_the_voice_is_found_and_is_told_it_again() -> None:
    spec = load_agents(None)["demo"].overridden({"reference_audio_url": "https://a.example/b.wav?X=canary"})
    references, log = Seeking(), Log()
    voice = SessionVoice(spec, references, log, by_owner=False)
    asking = asyncio.create_task(voice.spoken(spec))
    await asyncio.sleep(0)
    assert not asking.done()
    references.may_find.set()
    assert (await asking).spoken_voice == "espeak:f2@1.05,0.90"
    assert (await voice.spoken(spec)).spoken_voice == "espeak:f2@1.05,0.90"
    assert log == [
        {
            "event": "voice",
            "voice": "espeak:f2@1.05,0.90",
            "pitch_hz": 199.6,
            "pace": 5.1,
            "reference_pitch_hz": 200,
            "reference_pace": 5,
        }
    ]


async def test_a_voice_that_is_not_found_in_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_voice, "READY_WITHIN_S", 0.05)
    spec = load_agents(None)["demo"].overridden({"reference_audio_url": "https://a.example/b.wav?X=canary"})
    log = Log()
    voice = SessionVoice(spec, Seeking(), log, by_owner=False)
    assert (await voice.spoken(spec)).spoken_voice == "joe"
    assert log == [{"event": "voice", "url": "https://a.example/b.wav", "why": "was not measured within 0.05 s."}]


async def test_closing_stops_seeking() -> None:
    spec = load_agents(None)["demo"].overridden({"reference_audio_url": "https://a.example/b.wav"})
    voice = SessionVoice(spec, Seeking(), Log(), by_owner=False)
    voice.close()
    with pytest.raises(asyncio.CancelledError):
        await voice.spoken(spec)
