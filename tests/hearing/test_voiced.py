from __future__ import annotations

import numpy as np
import pytest

from harness.hearing.voiced import active_level_dbfs, voiced_bounds

RATE = 48_000


def tone(duration_s: float, dbfs: float = -23.0) -> np.ndarray:
    """A tone of that RMS level."""
    times_s = np.arange(round(duration_s * RATE)) / RATE
    return np.sin(2 * np.pi * 300 * times_s) * np.sqrt(2) * 10 ** (dbfs / 20)


def at(position_s: float, sound: np.ndarray, total_s: float = 2.0) -> np.ndarray:
    out = np.zeros(round(total_s * RATE))
    first = round(position_s * RATE)
    out[first : first + len(sound)] = sound
    return out


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("start_s", [0.0, 0.1, 0.1234, 0.4997])
def test_bounds_are_exact_to_a_millisecond(rate: int, start_s: float) -> None:
    times_s = np.arange(2 * rate) / rate
    voice = np.where((times_s >= start_s) & (times_s < start_s + 0.7), 0.1 * np.sin(2 * np.pi * 300 * times_s), 0)
    bounds = voiced_bounds((voice * 32768).astype(np.int16), rate)
    assert bounds is not None
    assert bounds[0] / rate == pytest.approx(start_s, abs=0.0016)
    assert bounds[1] / rate == pytest.approx(start_s + 0.7, abs=0.0016)


def test_clicks_are_no_voice() -> None:
    clicks = at(0.2, np.full(48, 0.9)) + at(1.9, np.full(48, 0.9))
    assert voiced_bounds(clicks, RATE) is None
    bounds = voiced_bounds(clicks + at(0.8, tone(0.5)), RATE)
    assert bounds is not None
    assert bounds[0] / RATE == pytest.approx(0.8, abs=0.002)
    assert bounds[1] / RATE == pytest.approx(1.3, abs=0.002)


def test_a_last_plosive_belongs_to_the_voice() -> None:
    sound = at(0.5, tone(0.6)) + at(1.18, tone(0.02, -30))
    bounds = voiced_bounds(sound, RATE)
    assert bounds is not None
    assert bounds[1] / RATE == pytest.approx(1.2, abs=0.002)


def test_noise_under_the_voice_is_not_taken_for_it() -> None:
    noise = np.random.default_rng(1).normal(size=2 * RATE) * 10 ** (-62 / 20)
    bounds = voiced_bounds(at(0.5, tone(0.6)) + noise, RATE)
    assert bounds is not None
    assert bounds[0] / RATE == pytest.approx(0.5, abs=0.003)
    assert bounds[1] / RATE == pytest.approx(1.1, abs=0.003)


def test_a_constant_offset_is_no_voice() -> None:
    assert voiced_bounds(np.full(RATE, 3_000, np.int16), RATE) is None


@pytest.mark.parametrize("silence", [np.zeros(0), np.zeros(10), np.zeros(RATE), np.full(RATE, 1e-4)])
def test_silence_has_no_bounds(silence: np.ndarray) -> None:
    assert voiced_bounds(silence, RATE) is None


def test_the_level_is_that_of_the_voice_without_its_pauses() -> None:
    assert active_level_dbfs(at(0.1, tone(0.3)) + at(1.5, tone(0.3)), RATE) == pytest.approx(-23, abs=0.3)
