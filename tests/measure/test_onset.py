"""The onset detector: exact on voices made with known edges, deaf to noise, and true on the shipped fixtures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from ruamel.yaml import YAML

from harness.fixtures.find import find_fixture
from harness.measure.onset import OnsetDetector, VoiceEdge

RATE = 48_000
FOLDER = Path(__file__).parents[2] / "audio_fixtures"
MANIFEST = YAML(typ="safe").load((FOLDER / "manifest.yaml").read_text(encoding="utf-8"))["fixtures"]


def noise(seconds: float, level_dbfs: float | None, rng: np.random.Generator) -> NDArray[np.float64]:
    if level_dbfs is None:
        return np.zeros(round(seconds * RATE))
    return rng.normal(0, 32768 * 10 ** (level_dbfs / 20), round(seconds * RATE))


def voice(seconds: float, level_dbfs: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Twenty harmonics under an envelope of syllables, with an attack of 1 to 8 ms."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = rng.uniform(80, 250)
    tone = sum(np.sin(2 * np.pi * pitch * k * time + rng.uniform(0, 6)) / k for k in range(1, 20))
    shaped = tone * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time + rng.uniform(0, 6)))
    ramp = np.linspace(0, 1, round(rng.uniform(0.001, 0.008) * RATE))
    shaped[: ramp.size] *= ramp
    shaped[-ramp.size :] *= ramp[::-1]
    return np.asarray(shaped / np.sqrt(np.mean(shaped**2)) * 32768 * 10 ** (level_dbfs / 20))


def as_int16(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.clip(np.round(samples), -32768, 32767).astype(np.int16)


def edges(samples: NDArray[np.int16], block: int = 960) -> list[VoiceEdge]:
    detector = OnsetDetector()
    return [edge for start in range(0, samples.size, block) for edge in detector.feed(samples[start : start + block])]


def positions(found: list[VoiceEdge], edge: str) -> list[int]:
    return [one.position for one in found if one.edge == edge]


@pytest.mark.parametrize("noise_dbfs", [None, -70, -60, -50])
def test_onsets_and_ends_are_exact_to_5_ms(noise_dbfs: float | None) -> None:
    rng = np.random.default_rng(7)
    onset_errors, end_errors = [], []
    for _ in range(40):
        lead = round(rng.uniform(0.6, 1.5) * RATE)
        spoken = voice(1.0, -23, rng)
        samples = noise(lead / RATE + 2.0, noise_dbfs, rng)
        samples[lead : lead + spoken.size] += spoken
        found = edges(as_int16(samples))
        assert [one.edge for one in found] == ["onset", "end"]
        onset_errors.append((found[0].position - lead) / RATE * 1000)
        end_errors.append((found[1].position - lead - spoken.size) / RATE * 1000)
    assert np.percentile(np.abs(onset_errors), 95) <= 5
    assert np.percentile(np.abs(end_errors), 95) <= 5
    assert abs(np.median(onset_errors)) <= 2, "a bias would be in every TTFA"


@pytest.mark.parametrize("noise_dbfs", [-70, -60, -50])
def test_minutes_of_noise_hold_no_voice(noise_dbfs: float) -> None:
    assert edges(as_int16(noise(120, noise_dbfs, np.random.default_rng(11)))) == []


def test_a_click_is_no_voice() -> None:
    rng = np.random.default_rng(5)
    samples = noise(5, -70, rng)
    for second in range(1, 5):
        samples[second * RATE : second * RATE + RATE // 50] += voice(0.02, -15, rng)
    assert edges(as_int16(samples)) == []


def test_the_size_of_the_blocks_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    samples = noise(6, -60, rng)
    for start in (1.0, 3.0):
        spoken = voice(1.0, -25, rng)
        samples[round(start * RATE) : round(start * RATE) + spoken.size] += spoken
    pcm = as_int16(samples)
    whole = edges(pcm, pcm.size)
    assert len(whole) == 4
    for block in (160, 480, 960, 1023, 4800):
        assert edges(pcm, block) == whole


def test_a_pause_under_200_ms_does_not_end_a_voice_and_a_longer_one_does() -> None:
    rng = np.random.default_rng(9)
    for pause, count in ((0.15, 1), (0.3, 2)):
        quiet = np.zeros(RATE)
        samples = np.concatenate(
            [quiet, voice(0.5, -20, rng), np.zeros(round(pause * RATE)), voice(0.5, -20, rng), quiet]
        )
        assert len(positions(edges(as_int16(samples)), "onset")) == count


def test_a_voice_that_is_there_from_the_first_sample_is_found_at_it() -> None:
    rng = np.random.default_rng(13)
    samples = np.concatenate([voice(1.0, -20, rng), np.zeros(RATE)])
    found = edges(as_int16(samples))
    assert positions(found, "onset")[0] <= RATE // 100
    assert [one.edge for one in found] == ["onset", "end"]


def test_an_edge_is_known_within_the_time_that_the_script_allows_for_it() -> None:
    rng = np.random.default_rng(17)
    samples = noise(3, -60, rng)
    samples[RATE : 2 * RATE] += voice(1.0, -23, rng)
    onset, end = edges(as_int16(samples), 480)
    assert (onset.found_at - onset.position) / RATE <= 0.1
    assert (end.found_at - end.position) / RATE <= 0.22


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_the_shipped_fixtures_are_heard_where_the_manifest_says(name: str) -> None:
    quiet = np.zeros(RATE, np.int16)
    found = edges(np.concatenate([quiet, find_fixture(name, FOLDER.parent).pcm, quiet]))
    onset_ms = positions(found, "onset")[0] / RATE * 1000 - 1000
    end_ms = positions(found, "end")[-1] / RATE * 1000 - 1000
    assert abs(onset_ms - MANIFEST[name]["voiced_start_ms"]) <= 15
    assert abs(end_ms - MANIFEST[name]["voiced_end_ms"]) <= 15
