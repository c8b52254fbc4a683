"""The truth agent's finder, offline: the fixtures as a call delivers them."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from harness.clock import NS_PER_S
from harness.stack.agents.ear import Began, UtteranceEnded
from harness.stack.agents.finder import RATE_HZ, Bank, Finder, Fixture, FixtureEnded
from harness.stack.agents.fixtures import load_fixtures
from harness.stack.agents.trimmed_speech import Pcm
from harness.stack.agents.truth import TruthEar, tone

FIXTURES = load_fixtures()
BANK = Bank(FIXTURES)
WORDS = [fixture for fixture in FIXTURES if fixture.name != "cough"]


def delivered(
    *fixtures: Fixture, lead: int = 11_111, noise_dbfs: float = -70.0, gain_db: float = 0.0, rate_hz: int | None = None
) -> Pcm:
    """The fixtures one after the other, as they arrive: louder or quieter, in noise, through another sample rate."""
    pieces = []
    for fixture in fixtures:
        samples = fixture.samples * np.float32(10 ** (gain_db / 20))
        if rate_hz is not None:
            samples = soxr.resample(soxr.resample(samples, RATE_HZ, rate_hz), rate_hz, RATE_HZ)[: len(samples)]
            samples = np.pad(samples, (0, len(fixture.samples) - len(samples)))
        pieces += [np.zeros(lead, np.float32), samples]
    whole = np.concatenate([*pieces, np.zeros(RATE_HZ, np.float32)])
    whole += np.random.default_rng(3).normal(0, 32768 * 10 ** (noise_dbfs / 20), len(whole))
    return np.clip(whole, -32768, 32767).astype(np.int16)


def found_in(pcm: Pcm, bank: Bank = BANK) -> list[tuple[int, FixtureEnded]]:
    """(samples received when it was decided, what ended)."""
    finder, found = Finder(bank), []
    for end in range(512, len(pcm) + 1, 512):
        ended = finder.feed(pcm[end - 512 : end])
        if ended is not None:
            found.append((end, ended))
    return found


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
@pytest.mark.parametrize(
    "as_it_comes",
    [{}, {"noise_dbfs": -50.0, "gain_db": -6.0}, {"gain_db": 6.0, "rate_hz": 44_100}, {"rate_hz": 24_000}],
    ids=["clean", "noise", "loud-44k", "24k"],
)
def test_the_end_is_exact_and_known_in_time(fixture: Fixture, as_it_comes: dict[str, float]) -> None:
    pcm = delivered(fixture, **as_it_comes)  # type: ignore[arg-type]
    [(decided, ended)] = found_in(pcm)
    true_end = 11_111 + fixture.voiced_end
    assert ended.fixture.name == fixture.name
    assert abs(ended.end - true_end) <= 0.002 * RATE_HZ
    assert decided - true_end <= 0.1 * RATE_HZ, "too late for an answer after 300 ms"


def test_many_one_after_the_other() -> None:
    found = found_in(delivered(*FIXTURES))
    assert [ended.fixture.name for _, ended in found] == [fixture.name for fixture in FIXTURES]
    at = 0
    for (_, ended), fixture in zip(found, FIXTURES, strict=True):
        assert abs(ended.end - (at + 11_111 + fixture.voiced_end)) <= 0.002 * RATE_HZ
        at += 11_111 + len(fixture.samples)


def test_a_stretched_beginning_does_not_move_the_end() -> None:
    """A jitter buffer that drops 30 ms in the middle of an utterance."""
    fixture = max(WORDS, key=lambda one: one.voiced_end)
    pcm = delivered(fixture)
    cut = 11_111 + fixture.voiced_end - RATE_HZ // 2
    [(_, ended)] = found_in(np.concatenate((pcm[: cut - 480], pcm[cut:])))
    assert abs(ended.end - (11_111 + fixture.voiced_end - 480)) <= 0.002 * RATE_HZ


def test_what_is_no_fixture_is_not_found() -> None:
    seconds = np.arange(4 * RATE_HZ) / RATE_HZ
    hum = (6000 * np.sin(2 * np.pi * 150 * seconds) * np.sin(2 * np.pi * 3 * seconds)).astype(np.int16)
    noise = np.random.default_rng(5).normal(0, 3000, 4 * RATE_HZ).astype(np.int16)
    own_voice = soxr.resample(tone().pcm.astype(np.float32), 48_000, RATE_HZ).astype(np.int16)
    assert found_in(np.concatenate((hum, noise, own_voice))) == []


def test_the_ear_gives_the_end_in_the_time_of_its_arrival() -> None:
    fixture = WORDS[0]
    pcm = delivered(fixture)
    jitter = np.random.default_rng(2).exponential(3e6, len(pcm) // 512)
    ear, events = TruthEar(BANK), []
    for number in range(len(pcm) // 512):
        end = (number + 1) * 512
        at_ns = 7 * NS_PER_S + end * NS_PER_S // RATE_HZ + int(jitter[number])
        events += ear.feed(pcm[end - 512 : end], at_ns)
    began, said = events
    assert isinstance(began, Began)
    assert isinstance(said, UtteranceEnded)
    true_end_ns = 7 * NS_PER_S + (11_111 + fixture.voiced_end) * NS_PER_S // RATE_HZ
    assert abs(said.end_ns - true_end_ns) < 4e6


def test_the_tone_is_at_its_level_from_its_first_millisecond() -> None:
    pcm = tone().pcm.astype(np.float64)
    levels = 10 * np.log10((pcm[: len(pcm) // 48 * 48].reshape(-1, 48) ** 2).mean(axis=1) / 32768**2)
    assert abs(levels[0] - levels.mean()) < 3
    assert levels[:-6].min() > -24
