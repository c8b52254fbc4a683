"""Checks that the manifest and the WAVs beside it agree."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

from harness.audio_files.wav import SAMPLE_RATE, read_wav
from harness.errors import FixtureError, Place
from harness.hearing.voice_place import find_voice
from harness.hearing.voiced import active_level_dbfs
from harness.utterances.find import from_manifest
from harness.utterances.manifest import MANIFEST_NAME, Manifest, load_manifest, sha256_of
from harness.utterances.picture import Picture, picture_of

BOUND_TOLERANCE_MS = 20.0
LEVEL_TOLERANCE_DB = 1.0
FILE_RATES = (24_000, 48_000)


def check_folder(folder: Path) -> list[str]:
    """All problems of a directory of fixtures, each a text with its place and remedy; empty if there are none."""
    try:
        manifest = load_manifest(folder)
    except FixtureError as problem:
        return [str(problem)]
    problems = [str(problem) for name in manifest.entries for problem in _check_entry(name, manifest)]
    return problems + [str(problem) for problem in _check_files(manifest)]


def look_over(folder: Path) -> list[tuple[str, Picture]]:
    """The place of the voice in each fixture of a directory, by name; unreadable ones are left out."""
    try:
        manifest = load_manifest(folder)
    except FixtureError:
        return []
    looks = []
    for name in manifest.entries:
        with suppress(FixtureError):
            looks.append((name, picture_of(from_manifest(name, manifest))))
    return looks


def _check_entry(name: str, manifest: Manifest) -> list[FixtureError]:
    entry, place = manifest.entries[name], manifest.places[name]
    path = manifest.folder / entry.file
    again = (
        f"create it again: voice-harness fixtures say {entry.text!r} --name {name} --language {entry.language} --force"
    )
    if not path.is_file():
        return [
            FixtureError(
                f"{name}: the file {entry.file} does not exist", where=place, hint=f"{again}, or remove the entry"
            )
        ]
    try:
        wav = read_wav(path)
    except FixtureError as problem:
        return [problem]
    if wav.notes:
        whole = f"copy or download {entry.file} again; or {again}"
        return [FixtureError(f"{name}: {note}", where=Place(path), hint=whole) for note in wav.notes]
    problems = []
    if sha256_of(path) != entry.sha256:
        problems.append(FixtureError(f"{name}: the hash of {entry.file} differs from sha256", where=place, hint=again))
    if wav.subtype != "PCM_16" or wav.recorded_rate not in FILE_RATES:
        what = f"{name}: {entry.file} must be PCM_16 at 24000 or 48000 Hz (got {wav.subtype} at {wav.recorded_rate} Hz)"
        hint = f"convert it: sox {entry.file} -b 16 -r 24000 out.wav"
        problems.append(FixtureError(what, where=Place(path), hint=hint))
    voice = find_voice(wav.samples, SAMPLE_RATE)
    if voice is None:
        return [*problems, FixtureError(f"{name}: {entry.file} contains no voice", where=Place(path), hint=again)]
    rows = (
        ("voiced_start_ms", entry.voiced_start_ms, voice.start * 1000 / SAMPLE_RATE, BOUND_TOLERANCE_MS),
        ("voiced_end_ms", entry.voiced_end_ms, voice.end * 1000 / SAMPLE_RATE, BOUND_TOLERANCE_MS),
        ("level_dbfs", entry.level_dbfs, active_level_dbfs(wav.samples, SAMPLE_RATE), LEVEL_TOLERANCE_DB),
    )
    return problems + [
        FixtureError(
            f"{name}: {key} is {told:g}, but {measured:.1f} was measured", where=place, hint=f"write {measured:.1f}"
        )
        for key, told, measured, tolerance in rows
        if abs(told - measured) > tolerance
    ]


def _check_files(manifest: Manifest) -> list[FixtureError]:
    """WAVs that are not in the manifest, and files that two names share."""
    told = Counter(entry.file for entry in manifest.entries.values())
    unknown = [
        FixtureError(
            f"{path.name} has no entry in {MANIFEST_NAME}",
            where=Place(path),
            hint="create it with `voice-harness fixtures say`, which adds the entry, or remove the file",
        )
        for path in sorted(manifest.folder.glob("*.wav"))
        if path.name not in told
    ]
    shared = [
        FixtureError(f"{file} is used by {count} entries", where=Place(manifest.path), hint="keep one of them")
        for file, count in told.items()
        if count > 1
    ]
    return unknown + shared
