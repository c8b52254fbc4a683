"""Clicks, breaths and tones are no voice; a voice of any length is one, and sounds before it do not prolong it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import istft, stft

from harness.audio_files.pcm import as_int16
from harness.audio_files.wav import read_wav
from harness.calibrate.noise import noise
from harness.hearing.speech_like import SpeechSeeker
from harness.hearing.voice_finder import FoundEdge, VoiceFinder
from tests.measure.timelines import CallMade, ns

RATE = 48_000
FOLDER = Path(__file__).parents[2] / "audio_fixtures"
SPOKEN = sorted(path.name for path in FOLDER.glob("*.wav") if path.stem != "cough")


def silence(seconds: float) -> NDArray[np.float64]:
    return np.zeros(round(seconds * RATE))


def typing(seconds: float, every_s: float = 0.12) -> NDArray[np.float64]:
    """Keys that are struck: bursts that die away within some milliseconds."""
    rng = np.random.default_rng(3)
    out = silence(seconds)
    for at in np.arange(0, seconds - 0.05, every_s):
        ring = np.arange(round(0.04 * RATE))
        first = round((at + rng.uniform(0, 0.02)) * RATE)
        out[first : first + ring.size] += rng.normal(0, 5000, ring.size) * np.exp(-ring / (0.004 * RATE))
    return out


def breath(seconds: float) -> NDArray[np.float64]:
    count = round(seconds * RATE)
    return np.random.default_rng(4).normal(0, 1500, count) * np.hanning(count)


def tones(seconds: float, *pitches_hz: float) -> NDArray[np.float64]:
    time = np.arange(round(seconds * RATE)) / RATE
    return 3000 * np.sum([np.sin(2 * np.pi * pitch_hz * time) for pitch_hz in pitches_hz], axis=0)


def music(seconds: float) -> NDArray[np.float64]:
    """Chords, each with a pitch and harmonics, and a drum."""
    return np.asarray(noise("music", -23, round(seconds * RATE), np.random.default_rng(6)), np.float64)


def whispered(spoken: NDArray[np.float64]) -> NDArray[np.float64]:
    """A voice of which the harmonics are gone: noise with its spectrum."""
    _, _, spectrum = stft(spoken, RATE, nperseg=1024)
    envelope = uniform_filter1d(np.abs(spectrum), 9, axis=0)
    turned = np.exp(2j * np.pi * np.random.default_rng(7).random(envelope.shape))
    whisper = np.asarray(istft(envelope * turned, RATE)[1])
    return whisper / np.sqrt(np.mean(whisper**2)) * 2000


def fixture(name: str) -> NDArray[np.float64]:
    return np.asarray(as_int16(read_wav(FOLDER / name).samples), np.float64)


def edges(*parts: NDArray[np.float64], block: int = 960) -> list[FoundEdge]:
    stream = np.concatenate([silence(1), *parts, silence(1)]).astype(np.int16)
    finder = VoiceFinder()
    return [edge for start in range(0, stream.size, block) for edge in finder.feed(stream[start : start + block])]


def ends(found: list[FoundEdge]) -> list[FoundEdge]:
    return [edge for edge in found if edge.quality is not None]


@pytest.mark.parametrize("name", SPOKEN)
@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_what_people_say_is_no_sound(name: str, gain: float) -> None:
    assert [end for end in ends(edges(gain * fixture(name))) if end.sound] == []


SOUNDS = {
    "keys": typing(2.0),
    "one key": typing(0.1),
    "a breath": breath(0.5),
    "a beep": tones(0.3, 880.0),
    "a ringing tone": tones(1.0, 440.0, 480.0),
    "music on hold": music(3.0),
    "music on hold for long": music(12.0),
}


@pytest.mark.parametrize("what", SOUNDS)
def test_what_is_no_speech_is_known_for_it_at_its_end(what: str) -> None:
    found = ends(edges(SOUNDS[what]))
    assert all(end.sound and end.edge.began is None for end in found), found


@pytest.mark.parametrize("what", ["keys", "a breath", "music on hold", "music on hold for long"])
@pytest.mark.parametrize("name", ["when-do-you-open.wav", "thank-you.wav"])
def test_a_voice_begins_after_the_sounds_before_it(what: str, name: str) -> None:
    spoken = fixture(name)
    alone = edges(spoken)[0].edge.position - RATE
    before = np.concatenate([SOUNDS[what], silence(0.03)])
    found = [end for end in ends(edges(before, spoken)) if not end.sound]
    began = found[0].edge.began
    assert began is not None
    assert abs(began - (RATE + before.size + alone)) <= 0.03 * RATE


@pytest.mark.parametrize("name", ["goodbye.wav", "thank-you.wav"])
@pytest.mark.parametrize("gap_ms", [0, 100])
def test_a_word_after_long_music_is_heard(name: str, gap_ms: int) -> None:
    """Between two looks at the music, so to speak."""
    spoken = fixture(name)
    began = [end.edge.began for end in ends(edges(music(12.0), silence(gap_ms / 1000), spoken)) if not end.sound]
    assert began
    assert began[0] is not None
    assert began[0] == pytest.approx((13.0 + gap_ms / 1000) * RATE, abs=0.35 * RATE)


@pytest.mark.parametrize("name", SPOKEN[::4])
def test_a_whisper_is_a_voice(name: str) -> None:
    assert any(not end.sound for end in ends(edges(whispered(fixture(name)))))


@pytest.mark.parametrize("block", [480, 777, 7680, 30_000])
def test_the_size_of_the_blocks_does_not_matter(block: int) -> None:
    parts = (typing(1.0), silence(0.4), breath(0.4), silence(0.5), fixture("thank-you.wav"), silence(0.5), typing(0.5))
    told = [(edge.edge.edge, edge.edge.position, edge.edge.began, edge.sound) for edge in edges(*parts)]
    other = [(edge.edge.edge, edge.edge.position, edge.edge.began, edge.sound) for edge in edges(*parts, block=block)]
    assert other == told


def test_a_hum_with_harmonics_may_be_a_voice() -> None:
    seeker = SpeechSeeker()
    seeker.feed(tones(0.5, *(150.0 * k for k in range(1, 12))).astype(np.int16))
    assert seeker.found is not None


@pytest.mark.parametrize(
    ("reply", "lasts_ms", "doubted"), [("At nine.", 1700, True), ("", 1700, False), ("Hm", 200, False)]
)
def test_a_written_reply_that_came_with_a_sound_alone_is_not_held_against_the_agent(
    reply: str, lasts_ms: int, doubted: bool
) -> None:
    call = CallMade().type(3000, 9000, why="no_reply")
    told = {"level_dbfs": -20.0, "found": ns(3400)}
    call.event(3300, "agent.onset", ear=None, read_late_ms=0.0, **told)
    call.event(3300 + lasts_ms, "agent.end", began=None, sound=True, **told)
    if reply:
        call.text(3350, "reply", reply)
    measured = call.failure(9000, "agent.no_reply", turn=1).hung_up(9500).measured()
    assert [doubt.kind for doubt in measured.turns[0].doubtful] == (["sound"] if doubted else [])
    assert [failure.fit for failure in measured.failures] == [not doubted]


def test_the_wait_for_the_voice_and_for_the_first_sound_are_two_numbers() -> None:
    call = CallMade().type(3000, 9000)
    told = {"level_dbfs": -20.0, "found": ns(3400)}
    call.event(3300, "agent.onset", ear=None, read_late_ms=0.0, **told)
    call.event(5000, "agent.end", began=None, sound=True, **told)
    (turn,) = call.agent(5500, 7000).hung_up(9500).measured().turns
    assert (turn.ttfa_ms, turn.first_sound_ms) == (2500, 300)
