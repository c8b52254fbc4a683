"""Speech placed at known samples: the truth is where it was put, and errors are told from it."""

from __future__ import annotations

import numpy as np
import pytest

from harness.calibrate.noise import Kind, noise
from harness.calibrate.onset import shipped_voices
from harness.calibrate.placed_speech import EdgeErrors, PlacedSpeech, cut_sharp, error_ms, place
from harness.hearing.level import FULL_SCALE

RATE = 48_000


def test_a_voice_is_cut_to_where_it_is_loud_and_brought_to_its_level() -> None:
    time = np.arange(RATE) / RATE
    wave = (3000 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)
    wave[: RATE // 4] *= 0.01  # 40 dB lower: a breath
    wave[-RATE // 4 :] = 0
    wave[RATE // 8 : RATE // 8 + 96] = 8000  # a click
    cut = cut_sharp(wave, level_dbfs=-20, most_s=5)
    assert cut is not None
    assert abs(cut.size - RATE // 2) <= 48
    assert np.sqrt(np.mean(np.square(cut))) == pytest.approx(FULL_SCALE * 0.1, rel=0.03)
    assert cut_sharp(np.zeros(RATE, np.float32), level_dbfs=-20, most_s=5) is None


def test_every_fixture_that_says_something_is_cut() -> None:
    voices = list(shipped_voices(-23))
    assert len(voices) >= 30
    assert all(voice.size <= 2.5 * RATE for voice in voices)


def test_errors_are_found_less_true_and_what_is_far_from_any_voice_is_false() -> None:
    speech = PlacedSpeech(np.zeros(10 * RATE, np.float32), [(RATE, 2 * RATE), (5 * RATE, 7 * RATE)])
    errors = EdgeErrors()
    inner_pause = 6 * RATE
    errors.add(speech, [RATE + 96, 3 * RATE, inner_pause], [2 * RATE - 48])
    assert errors.onsets_ms == [2.0]
    assert errors.ends_ms == [-1.0]
    assert errors.missed == 1
    assert errors.false == 1
    assert errors.false_per_10min == pytest.approx(600 / 7, abs=0.01)
    assert error_ms([-3.0, 1.0, 2.0], 50) == 2.0
    assert error_ms([], 50) is None


def test_places_are_those_of_the_voices() -> None:
    voices = [np.full(1000, 7, np.float32), np.full(500, 7, np.float32)]
    speech = place(voices, (0.1, 0.2), np.random.default_rng(1))
    assert [speech.clean[start:end].size for start, end in speech.spans] == [1000, 500]
    assert all((speech.clean[start:end] == 7).all() for start, end in speech.spans)
    assert speech.clean.sum() == 7 * 1500


@pytest.mark.parametrize("kind", ["white", "pink", "hum", "office", "street", "music"])
def test_a_noise_has_the_level_asked_for(kind: Kind) -> None:
    wave = noise(kind, -50, 5 * RATE, np.random.default_rng(2))
    assert 20 * np.log10(np.sqrt(np.mean(np.square(wave))) / FULL_SCALE) == pytest.approx(-50, abs=0.1)
