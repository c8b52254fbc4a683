"""Resolves a scenario's `say`: a fixture by name, a WAV by path, or a text for a voice."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_int16
from harness.audio_files.wav import SAMPLE_RATE, read_wav
from harness.errors import FixtureError, Place
from harness.hearing.voice_place import find_voice
from harness.utterances.manifest import MANIFEST_NAME, Manifest, load_manifest, sha256_of

FOLDER_NAME = "audio_fixtures"
LAST_LATIN = "\u024f"  # fixture names have no letter beyond it
_PACKAGE = Path(__file__).resolve().parents[1]


class Speaker(Protocol):
    """Speaks a text; `harness.stack.speech.Speech` is one."""

    async def say(self, text: str, *, voice: str = "joe", language: str = "en") -> NDArray[np.int16]:
        """Synthesises `(frames,)` int16 mono at 48 kHz."""
        ...


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something to be said in a call.

    Attributes:
        name: The fixture's name, the file's name, or the text itself.
        text: What is said; empty if unknown (a WAV without a manifest) or if there are no words (a cough).
        language: Its language tag.
        pcm: `(frames,)` int16 mono at 48 kHz.
        voiced_start: First voiced sample at 48 kHz.
        voiced_end: The sample after the last voiced one.
        path: The WAV, if it came from one.
        notes: Messages to show once, such as that it was resampled.
        in_manifest: Whether a manifest gives its text and the place of its voice; an empty text is then a sound's.
    """

    name: str
    text: str
    language: str
    pcm: NDArray[np.int16]
    voiced_start: int
    voiced_end: int
    path: Path | None = None
    notes: list[str] = field(default_factory=list)
    in_manifest: bool = False


def is_text(ref: str) -> bool:
    """Whether a `say` is a text to speak: it contains a space or non-Latin letters, and is no `.wav`."""
    return not _is_path(ref) and any(char.isspace() or (char.isalpha() and char > LAST_LATIN) for char in ref.strip())


def load_speech(ref: str, *, base_dir: Path, language: str = "en") -> Utterance:
    """Loads a fixture by name, or a WAV by path; texts are for `speak_text`.

    Args:
        ref: The scenario's `say`.
        base_dir: The scenario's directory.
        language: The language of a WAV that is in no manifest.

    Raises:
        FixtureError: There is none, or it is not usable.
    """
    if _is_path(ref):
        return load_wav(_existing(Path(ref).expanduser(), base_dir), language=language)
    return find_fixture(ref, base_dir)


def find_fixture(name: str, base_dir: Path) -> Utterance:
    """Finds a fixture by name: beside the scenario, in the working directory, or among those shipped.

    Raises:
        FixtureError: It is in no manifest (suggests the closest name), or its WAV does not match the manifest.
    """
    known: list[str] = []
    for folder in fixture_folders(base_dir):
        manifest = load_manifest(folder)
        if name in manifest.entries:
            return from_manifest(name, manifest)
        known += manifest.entries
    alike = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {alike[0]!r}?" if alike else f"use one of: {', '.join(sorted(set(known))) or 'none'}"
    raise FixtureError(
        f"unknown fixture {name!r}; {hint}",
        hint=f"create it: voice-harness fixtures say 'What is said' --name {name} (a text to speak needs a space)",
    )


def fixture_folders(base_dir: Path) -> Iterator[Path]:
    """The directories with a manifest, those nearest to the scenario first."""
    seen = set()
    for folder in (base_dir / FOLDER_NAME, Path.cwd() / FOLDER_NAME, shipped_folder()):
        if folder.resolve() not in seen and (folder / MANIFEST_NAME).is_file():
            seen.add(folder.resolve())
            yield folder


def shipped_folder() -> Path:
    """The shipped fixtures: in the package, or in the repository it runs from."""
    packaged = _PACKAGE / "_fixtures"
    return packaged if packaged.is_dir() else _PACKAGE.parent / FOLDER_NAME


def load_wav(path: Path, *, language: str = "en") -> Utterance:
    """Loads a WAV by path; uses the entry in a manifest beside it, otherwise measures its voiced part.

    Raises:
        FixtureError: It is a text, stereo, empty or without a voice; the hint says how to fix that.
    """
    if (path.parent / MANIFEST_NAME).is_file():
        manifest = load_manifest(path.parent)
        for name, entry in manifest.entries.items():
            if entry.file == path.name:
                return from_manifest(name, manifest)
    wav = read_wav(path)
    voice = find_voice(wav.samples, SAMPLE_RATE)
    if voice is None:
        raise FixtureError(
            "the WAV contains no voice: nothing is louder than its noise for 50 ms",
            where=Place(path),
            hint=f"listen to it (play {path.name}) and record it again",
        )
    notes = []
    if wav.recorded_rate != SAMPLE_RATE:
        lost = f"; it contains nothing above {wav.recorded_rate // 2000} kHz" if wav.recorded_rate < 16_000 else ""
        notes.append(f"{wav.recorded_rate} Hz, resampled to {SAMPLE_RATE} Hz{lost}")
    notes += wav.notes
    notes += [f"the place of the voice may be wrong: {doubt}" for doubt in voice.doubts]
    told = [f"{path.name}: {note}" for note in notes]
    return Utterance(path.stem, "", language, as_int16(wav.samples), voice.start, voice.end, path, told)


async def speak_text(text: str, voice: str, language: str, speech: Speaker) -> Utterance:
    """Synthesises a scenario's text.

    Raises:
        FixtureError: Nothing in the text can be spoken.
        ConfigError: There is no such voice, or the extra `stack` is not installed.
    """
    pcm = await speech.say(text, voice=voice, language=language)
    voice_place = find_voice(pcm, SAMPLE_RATE)
    if voice_place is None:
        raise FixtureError(f"the text {text!r} contains nothing to speak", hint="write words")
    return Utterance(text, text, language, pcm, voice_place.start, voice_place.end)


def from_manifest(name: str, manifest: Manifest) -> Utterance:
    """Loads a fixture of a manifest, which gives the place of its voice.

    Raises:
        FixtureError: Its WAV cannot be read, or does not match.
    """
    entry = manifest.entries[name]
    path = manifest.folder / entry.file
    wav = read_wav(path)
    if sha256_of(path) != entry.sha256:
        raise FixtureError(
            f"this WAV differs from the one that {MANIFEST_NAME} describes as {name!r}",
            where=Place(path),
            hint=f"create it again: voice-harness fixtures say {entry.text!r} --name {name} --force",
        )
    start = round(entry.voiced_start_ms * SAMPLE_RATE / 1000)
    end = min(round(entry.voiced_end_ms * SAMPLE_RATE / 1000), len(wav.samples))
    return Utterance(name, entry.text, entry.language, as_int16(wav.samples), start, end, path, in_manifest=True)


def _existing(path: Path, base_dir: Path) -> Path:
    """Resolves a path relative to the scenario's directory, else to the working directory."""
    beside = base_dir / path
    return path if not beside.exists() and path.exists() else beside


def _is_path(ref: str) -> bool:
    return ref.strip().lower().endswith(".wav")
