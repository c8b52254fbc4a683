from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from aiohttp import web

from harness.stack.reference_voice import references as module
from harness.stack.reference_voice.fetch import AudioFetcher
from harness.stack.reference_voice.measured import Measured
from harness.stack.reference_voice.owner import reference_of_owner
from harness.stack.reference_voice.references import References
from harness.stack.reference_voice.refused import RefusedError
from harness.stack.reference_voice.url_rules import PrivateHosts
from harness.stack.speech import Speech

from .serving import serving
from .voices import TEXT, as_wav, hum, music, noise

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not audio"),
        (b"<html><body>Sign in</body></html>", "not audio"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "not audio"),
        (bytes(100_000), "not audio"),
        (as_wav(hum(120, 0.5)), "shorter than 1 s"),
        (as_wav(np.zeros(96_000, np.int16)), "silent"),
        (as_wav(noise(3)), "too little voice"),
        (as_wav(music(5)), "music"),
        (as_wav(np.full(96_000, np.nan, np.float32), subtype="FLOAT"), "silent"),
        (as_wav(np.full(96_000, 1e30, np.float32), subtype="FLOAT"), "unknown scale"),
        (as_wav(hum(120, 2)[:, None].repeat(16, axis=1)), "unusual"),
        (as_wav(np.zeros(4_000, np.int16), rate_hz=1_000), "unusual"),
    ],
)
async def test_what_is_no_reference(content: bytes, told: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type="audio/wav")

    async with serving(answer) as server:
        references = References(AudioFetcher(PrivateHosts.parse(["127.0.0.1"])))
        with pytest.raises(RefusedError, match=told):
            await references.voice(f"http://127.0.0.1:{server.port}/a.wav", "en", by_owner=False)


async def test_only_the_owner_may_name_a_file(speech: Speech, tmp_path: Path) -> None:
    path = tmp_path / "a voice.wav"
    path.write_bytes(as_wav(await speech.say(TEXT, voice="espeak:f2")))
    url = reference_of_owner("a voice.wav", tmp_path, "agents.yaml")
    references = References(AudioFetcher(PrivateHosts()))
    reference, like = await references.voice(url, "en", by_owner=True)
    assert like.voice == "espeak:f2"
    assert reference.pitch_hz == pytest.approx(191, rel=0.1)
    with pytest.raises(RefusedError, match="not file:"):
        await references.voice(url, "en", by_owner=False)
    path.unlink()
    with pytest.raises(RefusedError, match="cannot be read"):
        await references.voice(url, "en", by_owner=True)
    with pytest.raises(RefusedError, match="not a file"):
        await references.voice("file:///dev/zero", "en", by_owner=True)


async def test_the_same_content_is_measured_once(speech: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    content = as_wav(await speech.say(TEXT, voice="espeak:f2"))
    measure, measured = module.measure, []

    def counted(content: bytes) -> Measured:
        measured.append(len(content))
        return measure(content)

    monkeypatch.setattr(module, "measure", counted)

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content)

    async with serving(answer) as server:
        found = References(AudioFetcher(PrivateHosts.parse(["127.0.0.1"])))
        for path in ("a.wav", "b.wav"):
            await found.voice(f"http://127.0.0.1:{server.port}/{path}", "en", by_owner=False)
        assert len(server.requests) == 2
    assert measured == [len(content)]
