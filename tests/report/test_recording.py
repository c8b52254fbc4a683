"""Recordings in the report: their sound, their peaks, and what is said of those that cannot be shown."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.report.recording import MOST_PEAKS, Sounds, sounds_of
from harness.report.shown.detailed import DETAILED_FAILED, DETAILED_OTHERS, detailed, spread
from tests.report.sample_run import RATE_HZ, good_call, many_calls, no_reply_call, write_recording


def one(folder: Path, samples: np.ndarray, rate_hz: int = RATE_HZ) -> Sounds:
    soundfile.write(folder / "one.wav", samples, rate_hz, subtype="PCM_16")
    return sounds_of(folder, {"one": "one.wav"})


def test_a_recording_sounds_when_the_caller_and_the_agent_spoke(tmp_path: Path) -> None:
    call = good_call("0001")
    write_recording(tmp_path, call)
    sounds = sounds_of(tmp_path, {"0001": call.recording})
    pcm, rate_hz = soundfile.read(io.BytesIO(sounds.opus["0001"]), dtype="int16")
    assert len(pcm) / rate_hz == pytest.approx(25, abs=0.001)
    for channel, voice in ((0, call.caller_voice), (1, call.agent_voice)):
        loud_s = np.flatnonzero(np.abs(pcm[:, channel].astype(int)) > 1500) / rate_hz
        assert loud_s[0] * 1000 == pytest.approx(voice[0][0], abs=5)
        assert loud_s[-1] * 1000 == pytest.approx(voice[-1][1], abs=5)


def test_peaks_are_where_the_voices_are(tmp_path: Path) -> None:
    call = good_call("0001")
    write_recording(tmp_path, call)
    sound = sounds_of(tmp_path, {"0001": call.recording}).known["0001"]
    for encoded, voice in ((sound.caller, call.caller_voice), (sound.agent, call.agent_voice)):
        peaks = np.frombuffer(base64.b64decode(encoded), np.uint8)
        assert len(peaks) == 25 * sound.peaks_per_s
        loud_s = np.flatnonzero(peaks > 60) / sound.peaks_per_s
        assert loud_s[0] * 1000 == pytest.approx(voice[0][0], abs=11)
        assert loud_s[-1] * 1000 == pytest.approx(voice[-1][1], abs=11)


def test_full_scale_is_the_highest_peak_and_silence_none(tmp_path: Path) -> None:
    samples = np.zeros((RATE_HZ, 2), np.int16)
    samples[RATE_HZ // 2 :, 1] = -32768
    sound = one(tmp_path, samples).known["one"]
    assert set(base64.b64decode(sound.caller)) == {0}
    assert set(base64.b64decode(sound.agent)) == {0, 255}


def test_a_long_recording_has_fewer_peaks_a_second(tmp_path: Path) -> None:
    sound = one(tmp_path, np.zeros((1_000 * 8000, 2), np.int16), 8000).known["one"]
    assert len(base64.b64decode(sound.agent)) == pytest.approx(MOST_PEAKS, abs=2)
    assert sound.peaks_per_s == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100, 48_000])
def test_any_rate_is_encoded_at_its_own_length(tmp_path: Path, rate_hz: int) -> None:
    sounds = one(tmp_path, np.zeros((rate_hz * 2, 2), np.int16), rate_hz)
    info = soundfile.info(io.BytesIO(sounds.opus["one"]))
    assert info.frames / info.samplerate == pytest.approx(2, abs=0.001)


def test_a_missing_or_broken_recording_is_said(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_text("no audio")
    paths = {
        "missing": "gone.wav",
        "broken": "broken.wav",
        "outside": "../elsewhere.wav",
        "none": None,
        "odd": "\0.wav",
    }
    sounds = sounds_of(tmp_path, paths)
    said = {call: sound.problem for call, sound in sounds.known.items()}
    assert said["missing"] == "The recording gone.wav is missing from the run's folder."
    assert said["broken"].startswith("The recording broken.wav cannot be read: ")
    assert said["outside"] == "The recording ../elsewhere.wav is outside the run's folder and is not shown."
    assert said["odd"].startswith("The recording ␀.wav cannot be read: ")
    assert said.keys() == {"missing", "broken", "outside", "odd"}
    assert sounds.opus == {}


def test_an_empty_recording_has_nothing_to_play(tmp_path: Path) -> None:
    sounds = one(tmp_path, np.zeros((0, 2), np.int16))
    assert sounds.opus == {}
    assert not sounds.known["one"].embedded


def test_recordings_beyond_the_budget_are_linked_and_drawn(tmp_path: Path) -> None:
    first, second = good_call("0001"), good_call("a b#2")
    write_recording(tmp_path, first)
    write_recording(tmp_path, second)
    paths = {"first": first.recording, "second": second.recording}
    sounds = sounds_of(tmp_path, paths, budget_bytes=200_000)
    assert sounds.opus.keys() == {"first"}
    beyond = sounds.known["second"]
    assert (beyond.src, beyond.embedded) == ("audio/a%20b%232.wav", False)
    assert beyond.agent


def test_the_recordings_of_failed_calls_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [good_call("0001"), no_reply_call("0002")]
    asked: list[str] = []

    def note(folder: Path, recordings: dict[str, str | None]) -> Sounds:
        asked.extend(recordings)
        return Sounds({}, {})

    monkeypatch.setattr("harness.report.shown.detailed.sounds_of", note)
    assert [call.call for call in detailed(tmp_path, calls).calls] == ["0001", "0002"]
    assert asked == ["0002", "0001"]


def test_of_many_calls_the_first_failed_and_a_sample_of_the_others_have_details(tmp_path: Path) -> None:
    calls = many_calls(tmp_path, 1000).calls
    found = {call.call for call in detailed(tmp_path, calls).calls}
    assert len(found) == DETAILED_FAILED + DETAILED_OTHERS
    failed = [call.call for call in calls if call.ok is False][:DETAILED_FAILED]
    assert set(failed) <= found
    others = spread([call for call in calls if call.ok], DETAILED_OTHERS)
    assert others[0].call < "00010"
    assert others[-1].call > "00950"


def test_recorded_calls_are_preferred_in_the_sample(tmp_path: Path) -> None:
    calls = many_calls(tmp_path, 300).calls
    calls[250].recording = "audio/x.wav"
    assert spread(calls, 50) == [calls[250]]
