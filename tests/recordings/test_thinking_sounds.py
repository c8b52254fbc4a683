"""An agent whose keys are heard while it thinks: its reply is its voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.calibrate.noise import noise
from harness.hearing.level import FULL_SCALE
from harness.recordings.foreign import measure_recording
from tests.recordings.conversation import RATE, Conversation, ttfas


def keys(seconds: float, level: float, every_s: float) -> NDArray[np.float64]:
    """Struck keys: bursts that die away within some milliseconds, most of them close enough to be one sound."""
    rng = np.random.default_rng(5)
    out = np.zeros(round(seconds * RATE))
    ring = np.arange(round(0.03 * RATE))
    for at in np.arange(0.0, seconds - 0.05, every_s):
        first = round((at + rng.uniform(0, every_s / 4)) * RATE)
        out[first : first + ring.size] += rng.normal(0, level, ring.size) * np.exp(-ring / (0.005 * RATE))
    return out


def test_a_recording_of_an_agent_that_types() -> None:
    measured = measure_recording(Path(__file__).parents[1] / "files" / "thinking-key-clicks-made.flac", "left")
    assert ttfas(measured) == pytest.approx([2491, 2986], abs=20)


def test_the_wait_for_an_agent_that_plays_music_is_that_for_its_voice(tmp_path: Path) -> None:
    made = Conversation(20)
    end_ms = made.put(0, "when-do-you-open", 1000)
    made.put(1, "do-you-have-oat-milk", end_ms + 2500)
    music = noise("music", -26, round(1.9 * RATE), np.random.default_rng(8)) / FULL_SCALE
    first = round((end_ms + 300) * RATE / 1000)
    made.both[first : first + music.size, 1] += music
    assert ttfas(measure_recording(made.written(tmp_path), "left")) == pytest.approx([2500], abs=30)


@pytest.mark.parametrize("what", ["a breath", "a beep", "a gate that opens"])
def test_what_comes_right_before_the_words_makes_the_turn_doubtful(tmp_path: Path, what: str) -> None:
    rng = np.random.default_rng(3)
    count = round(0.33 * RATE)
    sound = {
        "a breath": rng.normal(0, 0.012, count) * np.hanning(count),
        "a beep": 0.05 * np.sin(2 * np.pi * 880 * np.arange(count) / RATE),
        "a gate that opens": rng.normal(0, 10 ** (-52 / 20), count),
    }[what]
    made = Conversation(10)
    end_ms = made.put(0, "when-do-you-open", 1000)
    made.put(1, "do-you-have-oat-milk", end_ms + 850)
    first = round((end_ms + 850) * RATE / 1000) - count
    made.both[first : first + count, 1] += sound
    (turn,) = measure_recording(made.written(tmp_path), "left").turns
    assert turn.ttfa_ms == pytest.approx(850, abs=30) or [doubt.kind for doubt in turn.doubtful] == ["before_words"]


@pytest.mark.parametrize("every_s", [0.08, 0.13])
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_the_wait_for_an_agent_that_types_is_that_for_its_voice(tmp_path: Path, every_s: float, level: float) -> None:
    made = Conversation(20)
    first_ms = made.put(0, "when-do-you-open", 1000)
    answered_ms = made.put(1, "do-you-have-oat-milk", first_ms + 2500)
    second_ms = made.put(0, "do-you-have-parking", answered_ms + 1500)
    made.put(1, "thank-you", second_ms + 3000)
    for end_ms, wait_ms in ((first_ms, 2500), (second_ms, 3000)):
        typed = keys((wait_ms - 400) / 1000, level, every_s)
        begins = round((end_ms + 300) * RATE / 1000)
        made.both[begins : begins + typed.size, 1] += typed
    assert ttfas(measure_recording(made.written(tmp_path), "left")) == pytest.approx([2500, 3000], abs=30)
