"""What a scenario's `say` means: a fixture by its name, a WAV by its path, or a text for a voice."""

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
LAST_LATIN = "\u024f"  # no fixture's name has a letter beyond it
_PACKAGE = Path(__file__).resolve().parents[1]


class Speaker(Protocol):
    """What speaks a text, such as `harness.stack.speech.Speech`."""

    async def say(self, text: str, *, voice: str = "joe", language: str = "en") -> NDArray[np.int16]:
        """`(frames,)` int16 mono at 48 kHz."""
        ...


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something to be said in a call.

    Attributes:
        name: The fixture's name, the file's name, or the text itself.
        text: What is said; empty where nobody knows (a WAV without a manifest) or nothing is (a cough).
        language: Its language tag.
        pcm: `(frames,)` int16 mono at 48 kHz.
        voiced_start: First voiced sample at 48 kHz.
        voiced_end: The sample after the last voiced one.
        path: The WAV, if it came from one.
        notes: What a person should be told once, such as that it was resampled.
        in_manifest: Whether a manifest tells its text and where its voice is; an empty text is then a sound's.
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
    """Whether a `say` is a text to be spoken: it has a space in it, or letters that are not Latin, and is no `.wav`."""
    return not _is_path(ref) and any(char.isspace() or (char.isalpha() and char > LAST_LATIN) for char in ref.strip())


def load_speech(ref: str, *, base_dir: Path, language: str = "en") -> Utterance:
    """A fixture by name, or a WAV by path; texts are spoken by `speak_text`.

    Args:
        ref: The scenario's `say`.
        base_dir: The scenario's folder.
        language: Of a WAV that no manifest tells about.

    Raises:
        FixtureError: There is none, or it cannot be used.
    """
    if _is_path(ref):
        return load_wav(_existing(Path(ref).expanduser(), base_dir), language=language)
    return find_fixture(ref, base_dir)


def find_fixture(name: str, base_dir: Path) -> Utterance:
    """The fixture of that name: beside the scenario, in the working folder, or one of those that are shipped.

    Raises:
        FixtureError: No manifest has it (the nearest name is offered), or its WAV is not the one of the manifest.
    """
    known: list[str] = []
    for folder in fixture_folders(base_dir):
        manifest = load_manifest(folder)
        if name in manifest.entries:
            return from_manifest(name, manifest)
        known += manifest.entries
    alike = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {alike[0]!r}?" if alike else f"known are: {', '.join(sorted(set(known))) or 'none'}"
    raise FixtureError(
        f"there is no fixture {name!r}; {hint}",
        hint=f"make it: voice-harness fixtures say 'What is said' --name {name} (a text to be spoken has spaces)",
    )


def fixture_folders(base_dir: Path) -> Iterator[Path]:
    """The folders with a manifest, nearest to the scenario first."""
    seen = set()
    for folder in (base_dir / FOLDER_NAME, Path.cwd() / FOLDER_NAME, shipped_folder()):
        if folder.resolve() not in seen and (folder / MANIFEST_NAME).is_file():
            seen.add(folder.resolve())
            yield folder


def shipped_folder() -> Path:
    """The fixtures that come with the harness: in the package, or in the repository it is run from."""
    packaged = _PACKAGE / "_fixtures"
    return packaged if packaged.is_dir() else _PACKAGE.parent / FOLDER_NAME


def load_wav(path: Path, *, language: str = "en") -> Utterance:
    """A WAV by its path; what a manifest beside it says of it is taken, else its voiced part is measured.

    Raises:
        FixtureError: It is a text, stereo, empty or without a voice, with what mends it.
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
            "there is no voice in this WAV: nothing that stands over its own noise for 50 ms",
            where=Place(path),
            hint=f"listen to it (play {path.name}), and record it again",
        )
    notes = []
    if wav.recorded_rate != SAMPLE_RATE:
        lost = f"; it holds nothing above {wav.recorded_rate // 2000} kHz" if wav.recorded_rate < 16_000 else ""
        notes.append(f"{wav.recorded_rate} Hz, resampled to {SAMPLE_RATE} Hz{lost}")
    notes += wav.notes
    notes += [f"where its voice is may be wrong: {doubt}" for doubt in voice.doubts]
    told = [f"{path.name}: {note}" for note in notes]
    return Utterance(path.stem, "", language, as_int16(wav.samples), voice.start, voice.end, path, told)


async def speak_text(text: str, voice: str, language: str, speech: Speaker) -> Utterance:
    """A text of a scenario, spoken.

    Raises:
        FixtureError: Nothing in the text is spoken.
        ConfigError: There is no such voice, or the extra `stack` is not installed.
    """
    pcm = await speech.say(text, voice=voice, language=language)
    voice_place = find_voice(pcm, SAMPLE_RATE)
    if voice_place is None:
        raise FixtureError(f"nothing can be spoken of the text {text!r}", hint="write words")
    return Utterance(text, text, language, pcm, voice_place.start, voice_place.end)


def from_manifest(name: str, manifest: Manifest) -> Utterance:
    """A manifest's fixture, its voice where the manifest tells it.

    Raises:
        FixtureError: Its WAV cannot be read, or is another.
    """
    entry = manifest.entries[name]
    path = manifest.folder / entry.file
    wav = read_wav(path)
    if sha256_of(path) != entry.sha256:
        raise FixtureError(
            f"this WAV is not the one that {MANIFEST_NAME} describes under {name!r}",
            where=Place(path),
            hint=f"make it again: voice-harness fixtures say {entry.text!r} --name {name} --force",
        )
    start = round(entry.voiced_start_ms * SAMPLE_RATE / 1000)
    end = min(round(entry.voiced_end_ms * SAMPLE_RATE / 1000), len(wav.samples))
    return Utterance(name, entry.text, entry.language, as_int16(wav.samples), start, end, path, in_manifest=True)


def _existing(path: Path, base_dir: Path) -> Path:
    """Relative to the scenario's folder, else to the working folder."""
    beside = base_dir / path
    return path if not beside.exists() and path.exists() else beside


def _is_path(ref: str) -> bool:
    return ref.strip().lower().endswith(".wav")
