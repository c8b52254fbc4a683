from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.stack.reference_voice import measured as module
from harness.stack.reference_voice.measured import NoVoiceError, Samples, measured

from .voices import RATE_HZ, hum, music, noise


@pytest.fixture
def without_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hums are no speech to the network; pitch and pace are measured of them all the same."""
    monkeypatch.setattr(module, "has_speech_net", lambda: False)


@pytest.mark.usefixtures("without_net")
@pytest.mark.parametrize("pitch_hz", [70, 95, 130, 210, 320, 420])
@pytest.mark.parametrize("pace", [2.5, 5.0, 7.0])
def test_pitch_and_pace_of_a_known_sound(pitch_hz: float, pace: float) -> None:
    found = measured(hum(pitch_hz, 4, syllables=pace), RATE_HZ)
    assert found.pitch_hz == pytest.approx(pitch_hz, rel=0.02)
    assert found.pace == pytest.approx(pace, rel=0.1)


@pytest.mark.usefixtures("without_net")
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_the_sample_rate_and_the_level_change_nothing(rate_hz: int) -> None:
    import soxr

    samples = np.asarray(soxr.resample(hum(150, 4, syllables=4), RATE_HZ, rate_hz), np.float32)
    for gain in (0.05, 1.0):
        found = measured(gain * samples, rate_hz)
        assert found.pitch_hz == pytest.approx(150, rel=0.02)
        assert found.pace == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(
    ("file", "pitch_hz"),
    [("long-question", (80, 105)), ("tell-me-about-the-cafe", (80, 105)), ("de-wann-offen", (90, 120))],
)
def test_shipped_fixtures_are_voices(file: str, pitch_hz: tuple[float, float]) -> None:
    samples, rate_hz = soundfile.read(Path("audio_fixtures") / f"{file}.wav", dtype="float32")
    found = measured(samples, rate_hz)
    assert pitch_hz[0] < found.pitch_hz < pitch_hz[1]
    assert 3.5 < found.pace < 7


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (np.zeros(0, np.float32), "silent"),
        (np.zeros(10, np.float32), "silent"),
        (np.zeros(96_000, np.float32), "silent"),
        (noise(3), "too little voice"),
        (music(5), "music"),
        (hum(220, 5), "music"),
    ],
)
def test_what_is_no_voice(samples: Samples, told: str) -> None:
    with pytest.raises(NoVoiceError, match=told):
        measured(samples, RATE_HZ)


def test_a_cough_is_no_voice() -> None:
    samples, rate_hz = soundfile.read("audio_fixtures/cough.wav", dtype="float32")
    with pytest.raises(NoVoiceError):
        measured(samples, rate_hz)
