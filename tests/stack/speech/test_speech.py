"""The worker with its real models."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import jiwer
import numpy as np
import psutil
import pytest
import soxr
from whisper_normalizer.english import EnglishTextNormalizer

from harness.audio_files.pcm import as_int16
from harness.errors import ConfigError, StackError
from harness.hearing.voiced import active_level_dbfs, voiced_bounds
from harness.installed_from import with_extra_stack
from harness.stack.speech import Speech
from harness.stack.speech import client as speech_client
from harness.utterances.cough import cough

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXTS = [
    "When do you open on weekdays?",
    "We are closed on Monday, but we open at nine on Tuesday.",
    "I would like to book a table for four people.",
    "Thank you very much. Goodbye.",
]


def to_16k(pcm: np.ndarray) -> np.ndarray:
    return soxr.resample(pcm, 48_000, 16_000)


async def test_what_is_said_is_heard(speech: Speech) -> None:
    normal = EnglishTextNormalizer()
    heard = [await speech.hear(to_16k(await speech.say(text))) for text in TEXTS]
    error_rate = jiwer.wer([normal(text) for text in TEXTS], [normal(text) for text in heard])
    assert error_rate <= 0.1, heard


async def test_speech_has_one_form(speech: Speech) -> None:
    for voice, language in (("joe", "en"), ("espeak", "en"), ("espeak:f2", "de"), ("joe", "fr")):
        pcm = await speech.say("Merci, ja, okay.", voice=voice, language=language)
        bounds = voiced_bounds(pcm, 48_000)
        assert pcm.dtype == np.int16
        assert bounds is not None
        assert bounds[0] <= 48 * 30
        assert len(pcm) - bounds[1] <= 48 * 80
        assert active_level_dbfs(pcm, 48_000) == pytest.approx(-23, abs=1)


async def test_the_same_text_sounds_the_same(speech: Speech) -> None:
    first, second = await asyncio.gather(speech.say("Just a moment."), speech.say("  Just a  moment. "))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, await speech.say("Just a moment."))


async def test_what_is_no_speech_is_not_heard(speech: Speech) -> None:
    noise = np.random.default_rng(1).normal(size=16_000)
    for sound in (np.zeros(16_000), 0.01 * noise, 0.1 * noise, cough(16_000), np.zeros(0), 0.1 * noise[:160]):
        assert await speech.hear(as_int16(sound.astype(np.float32))) == ""


async def test_a_very_short_answer_is_heard(speech: Speech) -> None:
    assert (await speech.hear(to_16k(await speech.say("Yes.")))).lower().startswith("yes")


async def test_hearing_does_not_wait_for_a_long_text(speech: Speech) -> None:
    clip = to_16k(await speech.say("Hello there."))
    saying = asyncio.create_task(speech.say(" ".join(f"This is sentence number {n} of many." for n in range(30))))
    await speech.hear(clip)
    assert not saying.done()
    await saying


async def test_likeness_of_meaning(speech: Speech) -> None:
    parking, dogs, blank = await speech.rank("Where can I leave my car?", ["Parking is free.", "Dogs are fine.", " "])
    assert parking > dogs
    assert blank == 0


async def test_a_wrong_voice_is_named(speech: Speech) -> None:
    with pytest.raises(ConfigError, match="unknown voice 'anna'"):
        await speech.say("Hello.", voice="anna")
    with pytest.raises(ConfigError, match="no voice 'xx'"):
        await speech.say("Hello.", language="xx")
    with pytest.raises(ConfigError, match="espeak-ng has no voice"):
        await speech.say("Hello.", voice="espeak:nobody")


async def test_the_worker_is_nice_and_ignores_ctrl_c(speech: Speech) -> None:
    worker = psutil.Process(speech._process.pid)
    assert worker.nice() >= 10
    os.kill(worker.pid, signal.SIGINT)
    assert await speech.rank("a", ["a"])


async def test_closing_ends_the_worker_in_the_middle_of_a_text(tmp_path: Path) -> None:
    speech = await Speech.start(cache_dir=tmp_path)
    pid = speech._process.pid
    saying = asyncio.create_task(speech.say("One two three four five. " * 40))
    await speech.warm(voice="espeak")
    await speech.close()
    with pytest.raises(StackError, match="closed"):
        await saying
    assert not psutil.pid_exists(pid)
    await speech.close()


async def test_a_worker_that_falls_is_told(tmp_path: Path) -> None:
    speech = await Speech.start(cache_dir=tmp_path)
    hearing = asyncio.create_task(speech.hear(np.full(16_000, 9_000, np.int16)))
    speech._process.kill()
    with pytest.raises(StackError, match="ended unexpectedly"):
        await hearing
    with pytest.raises(StackError, match="ended unexpectedly"):
        await speech.rank("a", ["b"])
    await speech.close()


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_client, "_PACKAGES", ("a_package_that_nobody_has",))
    with pytest.raises(ConfigError) as caught:
        await Speech.start()
    assert caught.value.hint == with_extra_stack()


async def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.bin is missing"):
        await Speech.start(ear_model=tmp_path)
    (tmp_path / "model.bin").write_bytes(b"no model")
    speech = await Speech.start(ear_model=tmp_path, cache_dir=tmp_path)
    with pytest.raises(ConfigError, match="cannot be loaded"):
        await speech.hear(as_int16((0.1 * np.sin(np.arange(8000) * 0.1)).astype(np.float32)))
    await speech.close()
