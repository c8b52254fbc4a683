"""What a scenario's `say` becomes, and what a person is told whose WAV is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.errors import FixtureError
from harness.stack.speech import Speech
from harness.utterances.find import find_fixture, is_text, load_speech, load_wav, speak_text

FILES = Path(__file__).parents[1] / "files"
VOICE = 0.1 * np.sin(2 * np.pi * 300 * np.arange(24_000) / 48_000)


def write(path: Path, samples: np.ndarray, rate: int = 48_000, **form: str) -> Path:
    soundfile.write(path, samples, rate, **form)
    return path


def voice_at(rate: int) -> np.ndarray:
    times_s = np.arange(rate) / rate
    return np.where((times_s >= 0.25) & (times_s < 0.75), 0.1 * np.sin(2 * np.pi * 300 * times_s), 0)


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        ("when-do-you-open", False),
        ("my line.wav", False),
        ("lines/Ask.WAV", False),
        ("Do you open?", True),
        ("你们几点开门", True),
        ("Здравствуйте", True),
        ("l\u00ednea-uno", False),
        ("lines/你好.wav", False),
        ("你好.WAV", False),
    ],
)
def test_a_text_has_a_space_and_is_no_path(ref: str, text: bool) -> None:
    assert is_text(ref) is text


def test_a_wav_is_measured(tmp_path: Path) -> None:
    utterance = load_speech("a.wav", base_dir=write(tmp_path / "a.wav", voice_at(48_000)).parent)
    assert utterance.pcm.dtype == np.int16
    assert utterance.voiced_start == pytest.approx(12_000, abs=96)
    assert utterance.voiced_end == pytest.approx(36_000, abs=96)
    assert (utterance.name, utterance.text, utterance.notes) == ("a", "", [])


def test_eight_kilohertz_are_taken_and_told(tmp_path: Path) -> None:
    utterance = load_wav(write(tmp_path / "a.wav", voice_at(8_000), 8_000))
    assert len(utterance.pcm) == 48_000
    assert utterance.voiced_start == pytest.approx(12_000, abs=96)
    assert utterance.notes == ["a.wav: 8000 Hz, resampled to 48000 Hz; it contains nothing above 4 kHz"]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW"])
def test_every_kind_of_sample_gives_the_same_sound(tmp_path: Path, subtype: str) -> None:
    utterance = load_wav(write(tmp_path / "a.wav", voice_at(48_000), subtype=subtype))
    assert np.abs(utterance.pcm).max() == pytest.approx(3_277, rel=0.03)


def test_what_is_wrong_with_a_wav_is_told_once_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("Do you have parking?\n")
    (tmp_path / "none.wav").write_bytes(b"")
    (tmp_path / "cut.wav").write_bytes(b"RIFF\x24\x00")
    (tmp_path / "lfs.wav").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (tmp_path / "folder.wav").mkdir()
    write(tmp_path / "stereo.wav", np.stack([VOICE, VOICE], axis=1))
    write(tmp_path / "empty.wav", np.zeros(0))
    write(tmp_path / "silent.wav", np.zeros(48_000))
    write(tmp_path / "slow.wav", VOICE, 4_000)
    write(tmp_path / "flac.wav", VOICE, format="FLAC")
    expected = {
        "text.wav": ("a text, not a WAV", "fixtures say"),
        "none.wav": ("this file is empty", "fixtures say"),
        "cut.wav": ("not a WAV", "fixtures say"),
        "lfs.wav": ("Git LFS", "git lfs pull"),
        "folder.wav": ("a folder", "path"),
        "missing.wav": ("no such file", "path"),
        "stereo.wav": ("2 channels", "sox stereo.wav"),
        "empty.wav": ("is empty", "fixtures say"),
        "silent.wav": ("no voice", "play silent.wav"),
        "slow.wav": ("4000 Hz is too low", "48 kHz"),
        "flac.wav": ("FLAC", "sox flac.wav"),
    }
    for name, (what, hint) in expected.items():
        with pytest.raises(FixtureError) as caught:
            load_speech(name, base_dir=tmp_path)
        assert what in caught.value.what, name
        assert hint in (caught.value.hint or ""), name
        assert name in str(caught.value.where)


def form_of(path: Path, form: str) -> Path:
    soundfile.write(path, voice_at(48_000), 48_000, "PCM_16", format=form)
    return path


FORMS = pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64"])


def told(path: Path, form: str, size: int) -> None:
    """Writes another length of the sound into the header."""
    content = path.read_bytes()
    at, width = (content.index(b"ds64") + 16, 8) if form == "RF64" else (content.index(b"data") + 4, 4)
    path.write_bytes(content[:at] + size.to_bytes(width, "little") + content[at + width :])


@FORMS
@pytest.mark.parametrize("left", [0.7, 0.9])
def test_a_wav_that_breaks_off_is_said_as_far_as_it_goes_and_told(tmp_path: Path, form: str, left: float) -> None:
    path = form_of(tmp_path / "a.wav", form)
    content = path.read_bytes()
    assert load_wav(path).notes == []
    path.write_bytes(content[: len(content) - round((1 - left) * 96_000)])
    utterance = load_wav(path)
    assert len(utterance.pcm) == round(left * 48_000)
    missing = round(100 * (1 - left))
    assert utterance.notes[0] == (f"a.wav: it breaks off: {missing} % of the sound that its header declares is missing")


@FORMS
def test_a_wav_with_a_header_alone_is_empty(tmp_path: Path, form: str) -> None:
    path = form_of(tmp_path / "a.wav", form)
    path.write_bytes(path.read_bytes()[:-96_000])
    with pytest.raises(FixtureError, match="empty"):
        load_wav(path)


@FORMS
@pytest.mark.parametrize(("share", "what"), [(0.0, "declares no sound"), (0.5, "declares only 50 % of its sound")])
def test_a_recorder_that_died_leaves_all_its_sound(tmp_path: Path, form: str, share: float, what: str) -> None:
    path = form_of(tmp_path / "a.wav", form)
    told(path, form, round(96_000 * share))
    utterance = load_wav(path)
    assert len(utterance.pcm) == 48_000
    assert utterance.voiced_end == pytest.approx(36_000, abs=480)
    assert len(utterance.notes) == 1
    assert what in utterance.notes[0]
    assert "all 1.0 s in the file were read" in utterance.notes[0]


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_wav_that_was_written_to_a_pipe_is_whole(tmp_path: Path, size: int) -> None:
    path = form_of(tmp_path / "a.wav", "WAV")
    told(path, "WAV", size)
    utterance = load_wav(path)
    assert len(utterance.pcm) == 48_000
    assert utterance.notes == [
        "a.wav: its header does not give its length, as if it was written to a pipe: all 1.0 s in the file were read"
    ]


def test_a_voicemails_gsm_is_read() -> None:
    utterance = load_wav(FILES / "gsm-wav49.wav")
    assert len(utterance.pcm) == round(1.76 * 48_000)
    assert utterance.voiced_start == pytest.approx(4_800, abs=960)
    assert utterance.voiced_end == pytest.approx(73_920, abs=7_200)
    assert utterance.notes == ["gsm-wav49.wav: 8000 Hz, resampled to 48000 Hz; it contains nothing above 4 kHz"]


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_that_are_16_bit_numbers_are_scaled_and_told(tmp_path: Path, subtype: str) -> None:
    right = load_wav(write(tmp_path / "right.wav", voice_at(48_000), subtype=subtype))
    utterance = load_wav(write(tmp_path / "a.wav", voice_at(48_000) * 32_768, subtype=subtype))
    assert np.abs(utterance.pcm.astype(int) - right.pcm).max() <= 1
    assert "16-bit numbers (up to 3,277): they were divided by 32,768" in utterance.notes[0]
    over = load_wav(write(tmp_path / "over.wav", voice_at(48_000) * 15, subtype=subtype))
    assert "go over full scale, up to 1.5: they are clipped" in over.notes[0]
    with pytest.raises(FixtureError, match=r"values go up to 838,861: neither"):
        load_wav(write(tmp_path / "b.wav", voice_at(48_000) * 2**23, subtype=subtype))


def test_numbers_that_are_none_are_no_sound(tmp_path: Path) -> None:
    samples = voice_at(48_000)
    samples[1_000:1_010] = np.nan
    samples[2_000] = -np.inf
    utterance = load_wav(write(tmp_path / "a.wav", samples, subtype="FLOAT"))
    assert utterance.voiced_end == pytest.approx(36_000, abs=96)


def test_chunks_around_the_sound_are_no_part_of_it(tmp_path: Path) -> None:
    path = form_of(tmp_path / "a.wav", "WAV")
    content = path.read_bytes()
    at = content.index(b"data")
    note = b"LIST" + (5).to_bytes(4, "little") + b"INFOx\0"
    path.write_bytes(content[:at] + note + content[at:] + note)
    assert len(load_wav(path).pcm) == 48_000


def test_a_fixture_comes_with_what_the_manifest_says(tmp_path: Path) -> None:
    utterance = find_fixture("when-do-you-open", tmp_path)
    assert utterance.text.startswith("When do you open")
    assert utterance.voiced_start == 4_800
    assert 4_800 < utterance.voiced_end < len(utterance.pcm)
    assert utterance.notes == []


def test_a_wrong_name_gets_the_nearest_right_one(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="did you mean 'when-do-you-open'"):
        find_fixture("when-do-you-opn", tmp_path)
    with pytest.raises(FixtureError, match=r"use one of: .*one-more-thing"):
        find_fixture("zzzz", tmp_path)


def test_a_wav_that_was_changed_is_not_taken_for_the_fixture(tmp_path: Path) -> None:
    shipped = find_fixture("goodbye", tmp_path).path
    assert shipped is not None
    own = tmp_path / "audio_fixtures"
    own.mkdir()
    (own / "manifest.yaml").write_bytes((shipped.parent / "manifest.yaml").read_bytes())
    write(own / "goodbye.wav", VOICE)
    with pytest.raises(FixtureError, match="differs from the one that"):
        find_fixture("goodbye", tmp_path)


async def test_a_text_is_spoken(tmp_path: Path) -> None:
    speech = await Speech.start(cache_dir=tmp_path)
    try:
        utterance = await speak_text("Do you have parking?", "joe", "en", speech)
        assert utterance.text == utterance.name == "Do you have parking?"
        assert 0 < utterance.voiced_start < utterance.voiced_end <= len(utterance.pcm)
        with pytest.raises(FixtureError, match="contains nothing to speak"):
            await speak_text(" ... ", "espeak", "fr", speech)
    finally:
        await speech.close()
