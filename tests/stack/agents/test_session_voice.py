"""The voice of a session with a reference audio, as a caller hears it: real server, real process, real speech."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from aiohttp import web

from harness.audio_files.pcm import as_float
from harness.stack.agents_file import AgentSpec
from harness.stack.reference_voice.measured import Measured, measured
from harness.stack.speech import Speech
from harness.stack.tokens import LiveKitKeys

from .calling import Caller, Process, agents_process, calling

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

TEXT = "The last tram goes at midnight. Breakfast costs eight pounds, coffee is included, and children pay half of it."
AGENTS = """
agents:
  own:
    {prompt: We are open., ear: none, brain: fixed,
     greeting: &hello "Good morning, and thank you for calling. We are open until six."}
  high: {prompt: We are open., greeting: *hello, ear: none, brain: fixed, reference_audio_url: high.wav}
"""
JOE_HZ = 93


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two references, a high and quick voice and a low and slow one."""
    folder = tmp_path_factory.mktemp("references")
    speech = await Speech.start()
    for name, voice in (("high", "espeak:f3@1.1,1.2"), ("low", "espeak@1.3,0.8")):
        soundfile.write(folder / f"{name}.wav", await speech.say(TEXT, voice=voice), 48_000)
    await speech.close()
    (folder / "agents.yaml").write_text(AGENTS)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(folder: Path) -> AsyncIterator[str]:
    """A web site with the references; every other path is an error 404."""
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(livekit_keys: LiveKitKeys, folder: Path, site: str) -> AsyncIterator[Process]:
    hosts = (site.removeprefix("http://"),)
    async with agents_process(
        livekit_keys, folder, agents_file=folder / "agents.yaml", warm=("own",), private_hosts=hosts
    ) as running:
        yield running


def reference(folder: Path, name: str) -> Measured:
    samples, rate_hz = soundfile.read(folder / f"{name}.wav", dtype="float32")
    return measured(samples, rate_hz)


async def heard(caller: Caller) -> Measured:
    """The pitch and pace of the greeting."""
    await caller.until_spoken(0)
    return measured(as_float(np.concatenate(caller.heard)), 48_000)


async def test_the_file_of_the_agents_file_changes_the_voice(process: Process, folder: Path) -> None:
    async with calling(process, "high") as caller:
        found = await heard(caller)
        voice = (await process.logged(caller.room_name, "voice"))[0]
    wanted = reference(folder, "high")
    assert found.pitch_hz == pytest.approx(wanted.pitch_hz, rel=0.15)
    assert found.pace == pytest.approx(wanted.pace, rel=0.2)
    assert voice["voice"].startswith("espeak:")
    assert voice["pitch_hz"] == pytest.approx(found.pitch_hz, rel=0.1)
    assert voice["reference_pitch_hz"] == pytest.approx(wanted.pitch_hz, rel=0.01)


async def test_a_stored_agent_may_have_the_file_that_a_command_gave_it(process: Process, folder: Path) -> None:
    spec = AgentSpec(prompt="We open.", greeting="Hello.", reference_audio_url=(folder / "high.wav").as_uri())
    async with calling(process, "agent_1", spec=spec) as caller:
        voice = (await process.logged(caller.room_name, "voice"))[0]
    assert voice["voice"].startswith("espeak:")


async def test_an_override_changes_the_voice_of_its_session_only(process: Process, folder: Path, site: str) -> None:
    wanted_hz = reference(folder, "low").pitch_hz
    for agent in ("own", "high"):
        async with calling(process, agent, reference_audio_url=f"{site}/low.wav?X-Signature=canary") as caller:
            assert (await heard(caller)).pitch_hz == pytest.approx(wanted_hz, rel=0.15)
    async with calling(process, "own") as caller:
        assert (await heard(caller)).pitch_hz == pytest.approx(JOE_HZ, rel=0.15)
        assert not [line for line in process.truth(caller.room_name) if line["event"] == "voice"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("{site}/none.wav?X-Signature=canary", "status 404"),
        ("{site}/agents.yaml", "not audio"),
        ("http://127.0.0.2/a.wav", "private address"),
        ("{file}", "not file:"),
    ],
)
async def test_without_a_usable_reference_the_agent_speaks_in_its_own_voice(
    process: Process, folder: Path, site: str, url: str, told: str
) -> None:
    url = url.format(site=site, file=(folder / "high.wav").as_uri())
    async with calling(process, "own", reference_audio_url=url) as caller:
        if told == "status 404":  # for one of them: what is spoken when there is no voice does not depend on why
            assert (await heard(caller)).pitch_hz == pytest.approx(JOE_HZ, rel=0.15)
        voice = (await process.logged(caller.room_name, "voice"))[0]
    assert voice["url"] == url.partition("?")[0]
    assert told in voice["why"]
    assert "voice" not in voice
    assert "canary" not in process.truth_path.read_text() + process.log_tail.last()


async def test_the_truth_agents_sound_stays(process: Process, site: str) -> None:
    async with calling(process, "truth", reference_audio_url=f"{site}/low.wav") as caller:
        voice = (await process.logged(caller.room_name, "voice"))[0]
    assert "one fixed sound" in voice["why"]
