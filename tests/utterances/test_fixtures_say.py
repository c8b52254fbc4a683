"""Fixtures are made whole or not at all, and the check finds what was changed afterwards."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.errors import FixtureError
from harness.hearing.voiced import level_dbfs
from harness.stack.speech import Speech
from harness.utterances.check import check_folder
from harness.utterances.manifest import load_manifest
from harness.utterances.say import make_fixture

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make(text: str, folder: Path, speech: Speech | None, **settings: str | bool) -> Path:
    return await make_fixture(text, out_dir=folder, speech=speech, **settings)  # type: ignore[arg-type]


async def test_a_fixture_is_made_with_its_entry(tmp_path: Path, speech: Speech) -> None:
    folder = tmp_path / "new"
    path = await make("Où êtes-vous, s'il vous plaît ?", folder, speech, language="fr")
    entry = load_manifest(folder).entries["ou-etes-vous-sil-vous-plait"]
    assert path.name == entry.file
    assert entry.speaker == "espeak-ng fr"
    assert entry.voiced_start_ms == pytest.approx(100, abs=2)
    assert entry.level_dbfs == pytest.approx(-23, abs=0.5)
    samples, rate = soundfile.read(path, dtype="int16")
    assert (rate, samples.ndim) == (24_000, 1)
    assert len(samples) / 24 == pytest.approx(entry.voiced_end_ms + 200, abs=2)
    assert level_dbfs(samples[: 24 * 80]) < -80
    assert level_dbfs(samples[-24 * 180 :]) < -80
    assert check_folder(folder) == []
    assert sorted(found.name for found in folder.iterdir()) == ["manifest.yaml", path.name]


async def test_a_second_one_keeps_the_rest_of_the_file(tmp_path: Path, speech: Speech) -> None:
    await make("Hello there.", tmp_path, speech)
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text("# ours\n" + manifest.read_text())
    await make("", tmp_path, None, voice="cough")
    assert manifest.read_text().startswith("# ours\n")
    assert list(load_manifest(tmp_path).entries) == ["hello-there", "cough"]
    assert check_folder(tmp_path) == []


async def test_nothing_is_replaced_unless_asked(tmp_path: Path, speech: Speech) -> None:
    path = await make("Hello there.", tmp_path, speech)
    before = path.read_bytes()
    with pytest.raises(FixtureError, match="already"):
        await make("Hello there.", tmp_path, speech)
    assert path.read_bytes() == before
    await make("Hello, you there.", tmp_path, speech, name="hello-there", force=True)
    assert path.read_bytes() != before
    assert check_folder(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "settings", "what"),
    [
        ("Hello.", {"name": "Not Kebab"}, "not a valid fixture name"),
        ("???", {}, "no name can be derived"),
        ("", {"name": "nothing"}, "the text is empty"),
        ("...", {"name": "nothing", "voice": "espeak"}, "contains nothing to speak"),
    ],
)
async def test_what_cannot_be_made_leaves_nothing(
    tmp_path: Path, speech: Speech, text: str, settings: dict[str, str], what: str
) -> None:
    with pytest.raises(FixtureError, match=what):
        await make(text, tmp_path, speech, **settings)
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_takes_nothing_is_told(tmp_path: Path, speech: Speech) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FixtureError, match="cannot be written"):
        await make("Hello there.", tmp_path / "file", speech)


async def test_a_broken_manifest_takes_no_fixture(tmp_path: Path, speech: Speech) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text("fixtures:\n  hello:\n    fil: hello.wav\n")
    with pytest.raises(FixtureError, match="did you mean 'file'") as caught:
        await make("Hello there.", tmp_path, speech, force=True)
    assert str(caught.value.where) == f"{manifest}:3:5"
    assert list(tmp_path.iterdir()) == [manifest]


async def test_the_check_finds_what_was_changed(tmp_path: Path, speech: Speech) -> None:
    for text in ("Good morning.", "Good evening.", "Good night.", "Good day."):
        await make(text, tmp_path, speech)
    manifest = tmp_path / "manifest.yaml"
    soundfile.write(tmp_path / "extra.wav", np.zeros(100), 24_000)
    (tmp_path / "good-morning.wav").unlink()
    (tmp_path / "good-evening.wav").write_text("no sound")
    samples, rate = soundfile.read(tmp_path / "good-night.wav")
    soundfile.write(tmp_path / "good-night.wav", samples * 0.8, rate, subtype="PCM_24")
    text = manifest.read_text()
    cut = text.index("good-day")
    found = re.search(r"voiced_start_ms: (\d+)", text[cut:])
    assert found is not None
    start_ms = int(found[1])
    manifest.write_text(text[:cut] + text[cut:].replace(found[0], f"voiced_start_ms: {start_ms + 50}", 1))
    problems = check_folder(tmp_path)
    for name, what in (
        ("good-morning", "does not exist"),
        ("good-evening", "a text, not a WAV"),
        ("good-night", "differs from sha256"),
        ("good-night", "PCM_24"),
        ("good-night", "level_dbfs"),
        ("good-day", f"voiced_start_ms is {start_ms + 50}, but {start_ms}"),
        ("extra.wav", "has no entry in"),
    ):
        assert any(name in problem and what in problem for problem in problems), (name, what, problems)
    assert len(problems) == 7
    assert all("hint: " in problem for problem in problems)
