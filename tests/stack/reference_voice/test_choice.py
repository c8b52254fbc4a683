from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from harness.stack.reference_voice.choice import ESPEAK_PACE, ESPEAK_PITCH, voice_like
from harness.stack.reference_voice.measured import Measured, measured
from harness.stack.speech import Speech
from harness.stack.speech.spoken_cache import SpokenCache
from harness.stack.speech.voice_names import voice_name

from .voices import REPLY, TEXT, of_pcm

OTHER_LANGUAGES = {
    "de": "Guten Tag, vielen Dank für Ihren Anruf. Wir haben jeden Tag von neun Uhr morgens bis sechs Uhr abends "
    "geöffnet. Sie können hinter dem Haus parken, und Hunde sind im Garten willkommen.",
    "fr-CA": "Bonjour et merci de votre appel. Nous sommes ouverts tous les jours de neuf heures du matin à six "
    "heures. Vous pouvez vous garer derrière la maison, et les chiens sont bienvenus dans le jardin.",
}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "speaker",
    [
        "joe",
        "joe@0.9,0.85",
        "espeak:m8",
        "espeak@1.3,0.8",
        "espeak:f2",
        "espeak:f3@1,1.3",
        "espeak:Annie@1.2,0.7",
    ],
)
async def test_the_voice_has_the_references_pitch_and_pace(speech: Speech, speaker: str) -> None:
    reference = of_pcm(await speech.say(TEXT, voice=speaker))
    like = voice_like(reference, "en")
    spoken = of_pcm(await speech.say(REPLY, voice=like.name))
    assert spoken.pitch_hz == pytest.approx(reference.pitch_hz, rel=0.15), like
    assert spoken.pace == pytest.approx(reference.pace, rel=0.2), like


@pytest.mark.parametrize("file", ["long-question", "what-is-the-price-of-a-used-car", "de-wann-offen"])
async def test_a_shipped_fixture_as_reference(speech: Speech, file: str) -> None:
    samples, rate_hz = soundfile.read(f"audio_fixtures/{file}.wav", dtype="float32")
    reference = measured(samples, rate_hz)
    spoken = of_pcm(await speech.say(REPLY, voice=voice_like(reference, "en").name))
    assert spoken.pitch_hz == pytest.approx(reference.pitch_hz, rel=0.15)
    assert spoken.pace == pytest.approx(reference.pace, rel=0.2)


@pytest.mark.parametrize(("language", "text"), OTHER_LANGUAGES.items())
async def test_a_language_that_only_espeak_speaks(speech: Speech, language: str, text: str) -> None:
    for reference in (Measured(95, 4.8), Measured(230, 6)):
        like = voice_like(reference, language)
        assert like.voice.startswith("espeak")
        spoken = of_pcm(await speech.say(text, voice=like.name, language=language))
        assert spoken.pitch_hz == pytest.approx(reference.pitch_hz, rel=0.15), like
        assert spoken.pace == pytest.approx(reference.pace, rel=0.2), like


@pytest.mark.parametrize("reference", [Measured(61, 2), Measured(480, 12)])
async def test_a_voice_is_not_shifted_beyond_its_bounds(reference: Measured) -> None:
    like = voice_like(reference, "en")
    assert ESPEAK_PITCH[0] <= like.pitch <= ESPEAK_PITCH[1]
    assert ESPEAK_PACE[0] <= like.pace <= ESPEAK_PACE[1]


async def test_shifted_voices_are_cached_apart(speech: Speech, tmp_path: Path) -> None:
    plain, shifted = [await speech.say("How are you today?", voice=voice) for voice in ("espeak", "espeak@1.2,0.8")]
    assert len(plain) < len(shifted)
    cache = SpokenCache(tmp_path)
    names = [voice_name(voice, "en") for voice in ("joe", "joe@1.1,1", "joe@1,1.1", "espeak", "espeak@1.1,1")]
    assert len({cache.path("Hello.", name) for name in names}) == len(names)
    assert voice_name("joe@1.00,1.00", "en") == voice_name("joe", "en")
