"""The onset detector: exact on voices made with known edges, deaf to noise, and true on the shipped fixtures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from ruamel.yaml import YAML

from harness.calibrate.noise import Kind
from harness.calibrate.noise import noise as room_noise
from harness.calibrate.onset import shipped_voices
from harness.calibrate.placed_speech import place
from harness.hearing.onset import OnsetDetector, VoiceEdge
from harness.utterances.find import find_fixture

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
    for _ in range(25):
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


@pytest.mark.parametrize(("kind", "noise_dbfs"), [("office", -60), ("street", -50), ("music", -60), ("music", -50)])
def test_ends_in_noise_that_comes_and_goes_are_the_voices(kind: Kind, noise_dbfs: float) -> None:
    """Keys, horns and drums soon after a voice do not hold it open."""
    speech = place(list(shipped_voices(-23))[::2], (2.0, 3.0), np.random.default_rng(12))
    loud = speech.clean + room_noise(kind, noise_dbfs, speech.clean.size, np.random.default_rng(12))
    ends = [one for one in edges(as_int16(loud.astype(np.float64))) if one.edge == "end" and one.began is not None]
    errors_ms = []
    for start, end in speech.spans:
        own = [one for one in ends if (one.began or 0) < end and one.position > start]
        errors_ms.append((own[-1].position - end) / RATE * 1000)
        assert own[-1].noise_dbfs == pytest.approx(noise_dbfs, abs=9)
    assert np.percentile(np.abs(errors_ms), 95) <= 40


def test_a_fluent_voice_is_not_taken_for_steady_noise() -> None:
    """Each 100 ms of it are as loud as the others, but not each 10 ms."""
    rng = np.random.default_rng(9)
    samples = noise(7, None, rng)
    spoken = voice(4.5, -29, rng)
    spoken *= np.abs(np.sin(np.pi * 10 * np.arange(spoken.size) / RATE))
    samples[RATE : RATE + spoken.size] += spoken
    found = edges(as_int16(samples))
    assert [one.edge for one in found] == ["onset", "end"]
    assert found[1].began is not None
    assert found[1].position - found[1].began == pytest.approx(spoken.size, abs=RATE // 20)


@pytest.mark.parametrize("noise_dbfs", [-70, -60, -50])
def test_a_minute_of_noise_holds_no_voice(noise_dbfs: float) -> None:
    assert edges(as_int16(noise(60, noise_dbfs, np.random.default_rng(11)))) == []


def test_a_click_is_no_voice() -> None:
    rng = np.random.default_rng(5)
    samples = noise(5, -70, rng)
    for second in range(1, 5):
        samples[second * RATE : second * RATE + RATE // 50] += voice(0.02, -15, rng)
    assert edges(as_int16(samples)) == []


def eventful(seed: int) -> NDArray[np.int16]:
    """Half a minute of everything: silence, voices, noise that sets in and stops, an offset, clicks, clipping."""
    rng = np.random.default_rng(seed)
    pieces: list[NDArray[np.float64]] = []
    for kind in rng.permutation([0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5]):
        seconds = rng.uniform(0.2, 2.5)
        piece = noise(seconds, None if kind in {0, 2} else rng.choice([-70.0, -55.0, -45.0]), rng)
        if kind in {2, 3}:
            piece += voice(piece.size / RATE, rng.uniform(-35, -5), rng)[: piece.size]
        elif kind == 4:
            piece += 900.0
        elif kind == 5:
            piece[:960] += voice(0.02, -10, rng)
        pieces.append(piece)
    return as_int16(np.concatenate(pieces))


@pytest.mark.parametrize("seed", range(4))
def test_the_size_of_the_blocks_does_not_matter(seed: int) -> None:
    pcm = eventful(seed)
    whole = edges(pcm, pcm.size)
    assert whole
    for block in (160, 480, 960, 1023, 4800, 77_777):
        assert edges(pcm, block) == whole
    rng = np.random.default_rng(seed)
    detector, found, at = OnsetDetector(), [], 0
    while at < pcm.size:
        size = int(rng.integers(1, 5000))
        found += detector.feed(pcm[at : at + size])
        at += size
    assert found == whole
    assert detector.position == pcm.size // 480 * 480


@pytest.mark.parametrize("seed", range(6))
def test_silence_skipped_is_silence_fed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fed, skipped = OnsetDetector(), OnsetDetector()
    fed_edges, skipped_edges = [], []
    for _ in range(8):
        heard = np.concatenate([voice(rng.uniform(0.1, 2), -25, rng), noise(rng.uniform(0.01, 3), -48, rng)])
        if rng.random() < 0.3:
            heard = heard[:0]
        pcm = as_int16(heard)
        gap = int(rng.choice([0, 1, 479, 480, 19_200, 333_333, 1_000_001]))
        fed_edges += fed.feed(pcm) + fed.feed(np.zeros(gap, np.int16))
        skipped_edges += skipped.feed(pcm) + skipped.skip(gap)
        assert skipped.position == fed.position
        assert skipped.voiced == fed.voiced
    assert skipped_edges == fed_edges
    assert fed_edges


def test_an_hour_of_silence_is_skipped_without_an_hours_memory() -> None:
    detector = OnsetDetector()
    assert detector.skip(3600 * RATE) == []
    found = detector.feed(as_int16(np.concatenate([voice(1.0, -20, np.random.default_rng(2)), np.zeros(RATE)])))
    assert [one.edge for one in found] == ["onset", "end"]
    assert abs(found[0].position - 3600 * RATE) <= RATE // 100


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


@pytest.mark.parametrize("noise_dbfs", [-55, -50, -45, -40, -35])
def test_steady_noise_that_sets_in_after_silence_is_no_voice_and_hides_none(noise_dbfs: float) -> None:
    rng = np.random.default_rng(19)
    lead, spoken = RATE, voice(1.5, -18, rng)
    samples = np.concatenate([np.zeros(lead), noise(9, noise_dbfs, rng)])
    at = lead + 4 * RATE
    samples[at : at + spoken.size] += spoken
    found = edges(as_int16(samples))
    assert [one.edge for one in found] == ["onset", "end", "onset", "end"]
    assert found[1].began is None, "it was no voice"
    assert found[1].position == found[0].position, "so it lasted no time"
    assert found[1].found_at - lead <= 1.7 * RATE
    assert abs(found[2].position - at) <= RATE // 100
    assert abs(found[3].position - at - spoken.size) <= RATE // 100
    assert found[3].began == found[2].position


def test_noise_that_stays_after_a_voice_began_with_it_does_not_prolong_the_voice() -> None:
    rng = np.random.default_rng(23)
    for seconds in (0.6, 2.5):
        spoken = voice(seconds, -20, rng)
        samples = np.concatenate([np.zeros(RATE), noise(6, -48, rng)])
        samples[RATE : RATE + spoken.size] += spoken
        onset, end = edges(as_int16(samples))
        assert abs(onset.position - RATE) <= RATE // 200
        assert abs(end.position - RATE - spoken.size) <= RATE // 100
        assert end.began == onset.position


def test_a_voice_that_noise_came_before_is_known_for_it_at_its_end() -> None:
    rng = np.random.default_rng(29)
    spoken = voice(1.0, -20, rng)
    samples = np.concatenate([np.zeros(RATE), noise(6, -48, rng)])
    at = RATE + 36_000
    samples[at : at + spoken.size] += spoken
    onset, end = edges(as_int16(samples))
    assert abs(onset.position - RATE) <= RATE // 200, "when it was heard it could not be told from a voice"
    assert end.began is not None
    assert abs(end.began - at) <= RATE // 100
    assert abs(end.position - at - spoken.size) <= RATE // 100


def test_noise_that_is_there_only_while_the_agent_speaks_moves_no_edge() -> None:
    rng = np.random.default_rng(31)
    pieces, spans, at = [np.zeros(RATE)], [], RATE
    for _ in range(10):
        spoken = voice(rng.uniform(0.8, 3), -23, rng)
        gap = round(rng.uniform(0.5, 1.5) * RATE)
        pieces += [spoken + noise(spoken.size / RATE + 1, -50, rng)[: spoken.size], np.zeros(gap)]
        spans.append((at, at + spoken.size))
        at += spoken.size + gap
    found = edges(as_int16(np.concatenate(pieces)))
    assert len(found) == 2 * len(spans)
    for (start, end), onset, stop in zip(spans, found[::2], found[1::2], strict=True):
        assert abs(onset.position - start) <= RATE // 200
        assert abs(stop.position - end) <= RATE // 200


def test_ten_seconds_of_speech_without_a_pause_are_one_voice() -> None:
    pieces = [find_fixture(name, FOLDER.parent).pcm for name in ("long-question", "fr-quels-horaires", "de-wann-offen")]
    voiced = [
        piece[round(MANIFEST[name]["voiced_start_ms"] * 48) : round(MANIFEST[name]["voiced_end_ms"] * 48)]
        for name, piece in zip(("long-question", "fr-quels-horaires", "de-wann-offen"), pieces, strict=True)
    ]
    speech = np.concatenate(voiced * 3)
    assert speech.size > 10 * RATE
    quiet = np.zeros(RATE, np.int16)
    for level_db in (0, -12):
        louder = as_int16(speech * 10 ** (level_db / 20))
        found = edges(np.concatenate([quiet, louder, quiet]))
        assert all(one.began == two.position for one, two in zip(found[1::2], found[::2], strict=True))
        voiced_samples = sum(one.position - two.position for one, two in zip(found[1::2], found[::2], strict=True))
        assert voiced_samples >= 0.9 * speech.size
        assert abs(found[-1].position - RATE - speech.size) <= RATE // 50


def test_a_constant_offset_moves_no_edge_and_is_no_voice() -> None:
    rng = np.random.default_rng(37)
    samples = noise(5, -65, rng)
    samples[2 * RATE : 3 * RATE] += voice(1.0, -25, rng)
    without = [one.position for one in edges(as_int16(samples))]
    assert len(without) == 2
    for offset in (300, -2000, 8000):
        assert [one.position for one in edges(as_int16(np.round(samples) + offset))] == without
    assert edges(np.full(5 * RATE, 3000, np.int16)) == []


def test_a_hum_is_no_voice_and_a_voice_over_it_is_found() -> None:
    rng = np.random.default_rng(41)
    time = np.arange(6 * RATE) / RATE
    for frequency in (50, 60, 100):
        samples = 32768 * 10 ** (-40 / 20) * np.sqrt(2) * np.sin(2 * np.pi * frequency * time)
        assert edges(as_int16(samples)) == []
        spoken = voice(1.0, -23, rng)
        samples[3 * RATE : 4 * RATE] += spoken
        onset, end = edges(as_int16(samples))
        assert abs(onset.position - 3 * RATE) <= RATE // 100
        assert abs(end.position - 4 * RATE) <= RATE // 100


def test_a_click_before_a_voice_is_not_its_onset() -> None:
    rng = np.random.default_rng(43)
    for gap_s in (0.06, 0.15, 0.4):
        samples = noise(4, -65, rng)
        click = 2 * RATE - round(gap_s * RATE)
        samples[click : click + 96] += 15_000
        samples[2 * RATE : 3 * RATE] += voice(1.0, -23, rng)
        onset, _ = edges(as_int16(samples))
        assert abs(onset.position - 2 * RATE) <= RATE // 100


def test_a_clipped_voice_has_its_edges_where_it_has_them_unclipped() -> None:
    rng = np.random.default_rng(47)
    samples = noise(4, -60, rng)
    samples[2 * RATE : 3 * RATE] += voice(1.0, 0, rng) * 2
    onset, end = edges(as_int16(samples))
    assert abs(onset.position - 2 * RATE) <= RATE // 200
    assert abs(end.position - 3 * RATE) <= RATE // 200


@pytest.mark.parametrize("spoken_s", [1.0, 4.0, 12.0])
@pytest.mark.parametrize("stays_s", [0.0, 3.0])
@pytest.mark.parametrize("bed_dbfs", [-50, -42])
def test_a_bed_of_noise_that_comes_with_a_voice_is_not_its_beginning_however_long_it_is(
    spoken_s: float, stays_s: float, bed_dbfs: float
) -> None:
    """The bed sets in 490 ms before the voice, and goes with it or stays."""
    rng = np.random.default_rng(7)
    quiet, before, after = noise(1.0, None, rng), noise(0.49, bed_dbfs, rng), noise(stays_s, bed_dbfs, rng)
    spoken = voice(spoken_s, -20, rng)
    stream = np.concatenate([quiet, before, spoken + noise(spoken_s, bed_dbfs, rng), after, noise(2.5, None, rng)])
    found = edges(as_int16(stream))
    end = found[1]
    at = round(1.49 * RATE)
    assert end.began is not None
    assert abs(end.began - at) <= RATE // 100
    assert abs(end.position - (at + spoken_s * RATE)) <= RATE // 20


@pytest.mark.parametrize("seed", range(5))
def test_a_voice_that_begins_softly_begins_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [noise(1, None, rng), voice(0.6, -38, rng), voice(2, -20, rng), noise(1, None, rng)]
    found = edges(as_int16(np.concatenate(parts)))
    end = next(edge for edge in found if edge.edge == "end")
    assert end.began == found[0].position
