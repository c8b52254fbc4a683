"""The caller's own voice in the agent's channel: known again, and not taken for the agent's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from harness.hearing.echo import RATE, find_echo, without_echo
from harness.metrics.samples import samples_of
from tests.measure.timelines import CallMade, ns, voices

FIXTURES = Path(__file__).parents[2] / "audio_fixtures"
ASKS, SAYS = "when-do-you-open", "tell-me-about-the-cafe"


def spoken(name: str) -> NDArray[np.int16]:
    samples, rate = soundfile.read(FIXTURES / f"{name}.wav", dtype="int16")
    step = rate // RATE
    return np.asarray(samples[: samples.size // step * step].reshape(-1, step).mean(axis=1)).astype(np.int16)


def channel(length: int, *parts: tuple[NDArray[np.int16], float, float], noise: float = 3.0) -> NDArray[np.int16]:
    """What is heard: each part (samples, delay in ms, gain), over noise of that RMS."""
    heard = np.random.default_rng(3).normal(0, noise, length)
    for samples, delay_ms, gain in parts:
        at = round(delay_ms * RATE / 1000)
        count = min(samples.size, length - at)
        heard[at : at + count] += gain * samples[:count]
    return heard.astype(np.int16)


@pytest.mark.parametrize(("delay_ms", "gain"), [(0, 1.0), (40, 0.5), (180, 0.1), (500, 0.03), (180, -0.5)])
def test_an_echo_is_found_with_its_delay_and_its_loss(delay_ms: float, gain: float) -> None:
    asked = spoken(ASKS)
    found = find_echo(asked, channel(asked.size + RATE, (asked, delay_ms, gain)))
    assert found is not None
    assert abs(found.delay_ms - delay_ms) <= 1
    assert abs(found.gain_db - 20 * np.log10(abs(gain))) <= 1


def test_an_echo_of_which_only_the_first_part_has_come_is_found() -> None:
    asked = spoken(ASKS)
    found = find_echo(asked, channel(asked.size, (asked, 300, 0.2)))
    assert found is not None
    assert abs(found.delay_ms - 300) <= 1


@pytest.mark.parametrize("other", [SAYS, "do-you-have-parking", "thank-you", "fr-quels-horaires", "mm-hmm"])
@pytest.mark.parametrize("delay_ms", [0, 250, 700])
def test_another_voice_is_not_ones_own(other: str, delay_ms: float) -> None:
    asked, answer = spoken(ASKS), spoken(other)
    assert find_echo(asked, channel(asked.size + RATE, (answer, delay_ms, 1.0))) is None


def test_silence_noise_and_next_to_nothing_have_no_echo() -> None:
    asked = spoken(ASKS)
    assert find_echo(asked, np.zeros(asked.size, np.int16)) is None
    assert find_echo(asked, channel(asked.size, noise=300)) is None
    assert find_echo(np.zeros(RATE, np.int16), channel(RATE)) is None
    assert find_echo(asked[: RATE // 5], channel(RATE, (asked, 0, 1.0))) is None
    assert find_echo(asked, np.zeros(0, np.int16)) is None


def test_only_what_is_over_when_the_echo_is_over_is_the_echo() -> None:
    def left(*spans: tuple[float, float | None], known: float = 9000) -> list[float]:
        heard = without_echo(voices(*spans), ns(3000), ns(5000), 200, known_until_ns=ns(known))
        return [(voice.onset_ns - ns(0)) / 1e6 for voice in heard]

    assert left((1000, 2000), (3200, 5250), (6000, 7000)) == [1000, 6000]
    assert left((3200, 4000), (4300, 5400), (6000, 7000)) == [6000]
    assert left((3200, 7000)) == [3200]
    assert left((3200, None), known=5400) == []
    assert left((3200, None), known=5600) == [3200]


def echoing(*agent: tuple[float, float], why: str = "replied") -> CallMade:
    call = CallMade(greeting=(500, 900)).say(5000, 7000, 12_000, why=why)
    for span in agent:
        call.agent(*span)
    return call.event(7010, "own_voice", turn=1, delay_ms=200.0, gain_db=-12.0, alike=0.8)


def test_the_reply_is_what_comes_after_the_echo() -> None:
    measured = echoing((5200, 7230), (8000, 9000)).hung_up(12_100).measured()
    (turn,) = measured.turns
    assert (turn.interrupted, turn.ttfa_ms, turn.dead_air_ms, turn.own_voice_db) == (False, 1000, 1000, -12)
    assert "200 ms late and at -12 dB" in measured.notes[0]


def test_what_cannot_be_told_from_the_echo_is_no_number() -> None:
    measured = echoing((5200, 9000), why="interrupted").hung_up(12_100).measured()
    (turn,) = measured.turns
    assert (turn.interrupted, turn.ttfa_ms, turn.talk_over_ms) == (False, None, None)
    assert not {"turn.interrupted", "turn.talk_over", "turn.ttfa"} & {s.metric for s in samples_of([measured])}
