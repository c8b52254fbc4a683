"""Scenarios, WAVs and folders that cannot be used: one message with the place and a hint, exit 2, nothing half done."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.utterances.find import shipped_folder
from tests.cli.conftest import KEY, Command, write_scenario

TURNS = "turns:\n  - say: hello\n"


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("name: a\nturn:\n  - say: hello\n", "s.yaml:2:1", "did you mean 'turns'?"),
        (f"name: a\nsession: {{langauge: en}}\n{TURNS}", "s.yaml:2:11", "did you mean 'language'?"),
        (f"name: a\ngreeting: {{withing: 5s}}\n{TURNS}", "s.yaml:2:12", "did you mean 'within'?"),
        (f"name: a\ntimeouts: {{replay: 5s}}\n{TURNS}", "s.yaml:2:12", "did you mean 'reply'?"),
        ("name: a\nturns:\n  - sya: hello\n", "s.yaml:3:5", "did you mean 'say'?"),
        ("name: a\nturns:\n  - say: hello\n    expect: {tffa: <2s}\n", "s.yaml:4:14", "did you mean 'ttfa'?"),
        (f"name: a\n{TURNS}thresholds: {{turn.tffa: [<2s]}}\n", "s.yaml:4:14", "did you mean 'turn.ttfa'?"),
        ("name: a\nturns:\n  - say: helo\n", "s.yaml:3:5", "did you mean 'hello'?"),
        ("name: a\nturns:\n  - say: away.wav\n", "s.yaml:3:5", "there is no such file (away.wav)"),
        ("name: a\nturns: [{say: hello\n", "s.yaml:3:1", "invalid YAML"),
        ("", "s.yaml", "a scenario must be a mapping"),
        (f'name: a\nsession: {{greeting: "${{NOT_SET_ANYWHERE}}"}}\n{TURNS}', "s.yaml:2:11", "NOT_SET_ANYWHERE"),
    ],
)
def test_a_typo_is_told_with_its_place(command: Command, tmp_path: Path, text: str, place: str, told: str) -> None:
    write_scenario(tmp_path, text)
    said = command("validate", "s.yaml")
    assert said.code == 2
    assert said.error.startswith(f"{place}: ")
    assert told in said.error


def test_a_key_of_the_environment_does_not_get_into_a_scenario(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, f'name: a\nsession: {{greeting: "${{VOICE_HARNESS_API_KEY}}"}}\n{TURNS}')
    said = command("validate", "s.yaml", env={"VOICE_HARNESS_API_KEY": KEY})
    assert said.code == 2
    assert KEY not in said.err + said.out


def _voice(seconds: float = 0.5, rate: int = 48_000) -> np.ndarray:
    return (0.3 * np.sin(np.arange(int(seconds * rate)) / rate * 2 * np.pi * 220)).astype(np.float32)


def _broken_off() -> bytes:
    whole = io.BytesIO()
    soundfile.write(whole, _voice(), 48_000, "PCM_16", format="WAV")
    return whole.getvalue()[:20_000]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"this is a text, no audio", "this is a text, not a WAV"),
        (b"", "this file is empty"),
        (np.stack([_voice(), _voice()], 1), "this WAV has 2 channels"),
        (np.zeros(0, np.float32), "it holds no sample"),
        (np.zeros(48_000, np.float32), "the WAV contains no voice"),
        (_broken_off()[:44], "this WAV is empty"),
        ((_voice() * 2**24).astype(np.float32), "neither samples in -1…1 nor 16-bit ones"),
    ],
)
def test_a_wav_that_cannot_be_said(command: Command, tmp_path: Path, content: bytes | np.ndarray, told: str) -> None:
    write_scenario(tmp_path, "name: a\nturns:\n  - say: v.wav\n")
    if isinstance(content, bytes):
        (tmp_path / "v.wav").write_bytes(content)
    else:
        soundfile.write(tmp_path / "v.wav", content, 48_000, "FLOAT" if content.max(initial=0) > 1 else "PCM_16")
    said = command("validate", "s.yaml")
    assert said.code == 2
    assert said.error.startswith("s.yaml:3:5: ")
    assert told in said.error
    assert "\n  hint: " in said.error


def test_validate_shows_where_the_voice_of_an_own_wav_is(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, "name: a\nturns:\n  - say: v.wav\n  - say: v.wav\n  - say: hello\n")
    samples, rate = soundfile.read(shipped_folder() / "when-do-you-open.wav")
    hiss = np.random.default_rng(1).normal(0, 10 ** (-50 / 20), 3 * rate)
    hiss[: samples.size] += samples
    soundfile.write(tmp_path / "v.wav", hiss, rate, "PCM_16")
    said = command("validate", "s.yaml")
    assert said.code == 0
    [line] = [line for line in said.out.splitlines() if line.endswith("  v.wav")]
    assert re.fullmatch(r" +[ ▁▂▃▄▅▆▇█]*\[[ ▁▂▃▄▅▆▇█]+\][ ▁▂▃▄▅▆▇█]* +0\.1\d to 1\.5\d s of 3\.00 s, .*  v\.wav", line)
    assert "doubtful" not in said.out


def test_validate_says_where_a_second_method_hears_otherwise(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, "name: a\nturns:\n  - say: v.wav\n")
    soundfile.write(tmp_path / "v.wav", np.pad(_voice(), 24_000), 48_000, "PCM_16")
    said = command("validate", "s.yaml")
    assert said.code == 0
    assert "doubtful: a second method (Silero) hears no speech in it at all" in said.out


def test_a_wav_of_8_khz_is_resampled_and_that_is_said_once(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, "name: a\nturns:\n  - say: v.wav\n  - say: v.wav\n")
    soundfile.write(tmp_path / "v.wav", _voice(rate=8_000), 8_000, "PCM_16")
    said = command("validate", "s.yaml")
    assert said.code == 0
    assert said.out.count("resampled") == 1


@pytest.mark.parametrize("out", ["file", "file/below", "/proc/nothing"])
def test_an_out_that_cannot_be_written_calls_nobody(command: Command, tmp_path: Path, out: str) -> None:
    write_scenario(tmp_path, f"name: a\n{TURNS}")
    (tmp_path / "file").write_text("mine")
    said = command("run", "s.yaml", "--target", "embedded", "--out", out)
    assert said.code == 2
    assert "the run cannot be written there" in said.error
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("junit", ["file/junit.xml", "/proc/junit.xml"])
def test_a_junit_file_that_cannot_be_written_calls_nobody(command: Command, tmp_path: Path, junit: str) -> None:
    write_scenario(tmp_path, f"name: a\n{TURNS}")
    (tmp_path / "file").write_text("mine")
    said = command("run", "s.yaml", "--target", "embedded", "--out", "run", "--junit", junit)
    assert said.code == 2
    assert said.error.startswith("--junit: ")
    assert not (tmp_path / "run").exists()


def test_the_folder_of_a_junit_file_is_made_with_the_file_and_not_before(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, f"name: a\n{TURNS}")
    words = ("run", "s.yaml", "--target", "embedded", "--dry-run", "--junit")
    assert command(*words, "new/below/x.xml").code == 0
    said = command(*words, "s.yaml/below/x.xml")
    assert (said.code, "Not a directory" in said.error) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


def test_a_dry_run_finds_a_junit_file_that_is_a_folder(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, f"name: a\n{TURNS}")
    (tmp_path / "results").mkdir()
    words = ("run", "s.yaml", "--target", "embedded", "--dry-run", "--junit")
    said = command(*words, "results")
    assert said.code == 2
    assert said.error.startswith("--junit: results cannot be written: Is a directory")
    assert command(*words, "results/x.xml").code == 0
    assert not list((tmp_path / "results").iterdir())
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("text", ["", "{", '{"run": "x", "star'])
def test_a_damaged_run_json_says_so_and_what_to_do(command: Command, tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(text)
    said = command("report", "run")
    assert said.code == 2
    assert said.error.startswith("run/run.json: run.json cannot be read: it is damaged, and no longer JSON")
    assert "hint: restore the file from a copy of the run's folder" in said.error


def test_a_stack_that_cannot_be_started_leaves_no_run(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, f"name: a\n{TURNS}")
    env = {"VOICE_HARNESS_LIVEKIT_SERVER": str(tmp_path / "no-server")}
    said = command("run", "s.yaml", "--target", "embedded", "--out", "run", env=env)
    assert said.code == 2
    assert said.error.startswith("VOICE_HARNESS_LIVEKIT_SERVER: ")
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


def test_what_was_in_the_folder_of_a_run_that_did_not_start_is_left(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, f"name: a\n{TURNS}")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    env = {"VOICE_HARNESS_LIVEKIT_SERVER": str(tmp_path / "no-server")}
    assert command("run", "s.yaml", "--target", "embedded", "--out", "run", env=env).code == 2
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_a_truth_log_that_cannot_be_written_starts_nothing(command: Command) -> None:
    said = command("stack", "up", "--truth", "nowhere/truth.jsonl")
    assert said.code == 2
    assert said.error.startswith("--truth: ")


def test_a_private_host_that_is_none_starts_nothing(command: Command) -> None:
    said = command("stack", "up", "--allow-private-urls", "http://127.0.0.1:8000")
    assert said.code == 2
    assert said.error.startswith("--allow-private-urls: ")


def test_a_folder_that_is_no_run_is_not_reported(command: Command, tmp_path: Path) -> None:
    said = command("report", tmp_path)
    assert said.code == 2
    assert "this is no run directory" in said.error
    assert list(tmp_path.iterdir()) == []


def test_fixtures_check_names_what_is_wrong(command: Command, tmp_path: Path) -> None:
    said = command("fixtures", "check")
    assert said.code == 2
    assert "manifest.yaml: no such file" in said.err


def test_fixtures_check_names_a_wav_that_breaks_off(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "audio_fixtures" / "hello.wav"
    path.parent.mkdir()
    path.write_bytes(_broken_off())
    entry = "text: Hello., language: en, speaker: x, voiced_start_ms: 0, voiced_end_ms: 100, level_dbfs: -20"
    (path.parent / "manifest.yaml").write_text(
        f"fixtures: {{hello: {{file: hello.wav, {entry}, licence: CC0-1.0, sha256: '{64 * '0'}'}}}}\n"
    )
    said = command("fixtures", "check")
    assert said.code == 2
    assert said.error.startswith("audio_fixtures/hello.wav: hello: it breaks off")
