"""Reads a user's WAV, with a specific message for each thing that can be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import resampled
from harness.audio_files.sound_file import UnknownScaleError, length_notes, open_sound, read_block, scale_of
from harness.errors import FixtureError, Place

if TYPE_CHECKING:
    import soundfile

SAMPLE_RATE = 48_000
LOWEST_RATE = 8_000
LONGEST_S = 600.0
BLOCK = 65_536
_WAV_FORMATS = ("WAV", "WAVEX", "RF64")


@dataclass(frozen=True, slots=True)
class Wav:
    """A mono WAV: float samples at 48 kHz, its original rate and subtype, and notes on how it was read."""

    samples: NDArray[np.float32]
    recorded_rate: int
    subtype: str
    notes: list[str] = field(default_factory=list)


def read_wav(path: Path) -> Wav:
    """Reads a WAV and resamples it to 48 kHz.

    Raises:
        FixtureError: The file does not exist, or is not a WAV, empty, not mono, below 8 kHz, longer than ten minutes,
            or of unknown scale.
    """
    import soundfile

    where = Place(path)
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "there is no such file"
        raise FixtureError(what, where=where, hint="check the path; it is relative to the scenario's folder")
    remade = f"convert it: sox {path.name} -c 1 -b 16 -r 48000 out.wav"
    try:
        with open_sound(path) as file:
            if file.format not in _WAV_FORMATS:
                raise FixtureError(f"this is {file.format}, not a WAV", where=where, hint=remade)
            if file.channels != 1:
                raise FixtureError(
                    f"this WAV has {file.channels} channels; the caller's voice needs exactly one",
                    where=where,
                    hint=f"keep the first: sox {path.name} out.wav remix 1; or mix them: sox {path.name} -c 1 out.wav",
                )
            if file.samplerate < LOWEST_RATE:
                raise FixtureError(f"{file.samplerate} Hz is too low for speech", where=where, hint="record at 48 kHz")
            samples = _read_all(file, where)
            rate, subtype = int(file.samplerate), str(file.subtype)
            notes = length_notes(path, file, len(samples))
    except soundfile.LibsndfileError:
        raise FixtureError(_what_instead(path), where=where, hint=_mend_instead(path, remade)) from None
    except OSError as problem:
        raise FixtureError(f"cannot be read: {problem.strerror}", where=where, hint="check its permissions") from None
    if not len(samples):
        raise FixtureError("this WAV is empty: it holds no sample", where=where, hint=_record_again())
    samples = np.nan_to_num(samples, posinf=1.0, neginf=-1.0)
    try:
        scale, scaled = scale_of(subtype, float(np.abs(samples).max()))
    except UnknownScaleError as problem:
        raise FixtureError(f"cannot be read: {problem}", where=where, hint=remade) from None
    return Wav(resampled(samples / np.float32(scale), rate, SAMPLE_RATE), rate, subtype, notes + scaled)


def _read_all(file: soundfile.SoundFile, where: Place) -> NDArray[np.float32]:
    """Reads (frames,) of the first channel, as far as possible.

    Raises:
        FixtureError: The file is longer than ten minutes.
    """
    blocks: list[NDArray[np.float32]] = []
    frames = 0
    while len(block := read_block(file, BLOCK)):
        blocks.append(block[:, 0])
        frames += len(block)
        if frames > LONGEST_S * file.samplerate:
            raise FixtureError("this WAV is longer than ten minutes", where=where, hint="cut out the part to be said")
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _what_instead(path: Path) -> str:
    head = path.read_bytes()[:512]
    if not head:
        return "this file is empty"
    if head.startswith(b"version https://git-lfs"):
        return "this is a Git LFS pointer, not the WAV itself"
    try:
        head[:256].decode("utf-8")
    except UnicodeDecodeError:
        return "this is not a WAV, or a damaged one"
    return "this is not a WAV" if head.startswith(b"RIFF") or b"\0" in head else "this is a text, not a WAV"


def _mend_instead(path: Path, remade: str) -> str:
    head = path.read_bytes()[:512]
    if head.startswith(b"version https://git-lfs"):
        return "fetch it: git lfs pull"
    return remade if head and b"\0" in head and not head.startswith(b"RIFF") else _record_again()


def _record_again() -> str:
    return "record it again, or make it from its text: voice-harness fixtures say 'What is said'"
