"""Decodes reference audio: what libsndfile reads, of bounded length."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.audio_files.sound_file import UnknownScaleError, open_sound, read_block, scale_of
from harness.stack.reference_voice.measured import Samples
from harness.stack.reference_voice.refused import RefusedError

if TYPE_CHECKING:
    import soundfile

SHORTEST_S, USED_S = 1.0, 60
SAMPLE_RATES = (8_000, 192_000)
MOST_CHANNELS = 8


def decoded(content: bytes) -> tuple[Samples, int]:
    """The first 60 s as `(frames,)` float mono in -1…1, and their sample rate in Hz.

    Raises:
        RefusedError: It is not audio, or too short.
    """
    import soundfile

    with tempfile.NamedTemporaryFile(suffix=".audio") as file:
        file.write(content)
        file.flush()
        try:
            with open_sound(Path(file.name)) as sound:
                rate = sound.samplerate
                if not SAMPLE_RATES[0] <= rate <= SAMPLE_RATES[1] or sound.channels > MOST_CHANNELS:
                    raise RefusedError("has an unusual sample rate or number of channels.")
                samples = _mono(sound)
                subtype = sound.subtype
        except (soundfile.LibsndfileError, OSError):
            raise RefusedError("is not audio that can be read; use a WAV, FLAC, Ogg or MP3 file.") from None
    samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
    if len(samples) < SHORTEST_S * rate:
        raise RefusedError(f"is shorter than {SHORTEST_S:g} s.")
    try:
        scale, _ = scale_of(subtype, float(np.abs(samples).max()))
    except UnknownScaleError:
        raise RefusedError("holds samples of an unknown scale.") from None
    return np.asarray(samples / scale, np.float32), rate


def _mono(sound: soundfile.SoundFile) -> Samples:
    """The first 60 s with all channels mixed, read second by second, since a small file may hold many channels."""
    parts: list[Samples] = []
    while len(parts) < USED_S and len(block := read_block(sound, sound.samplerate)):
        parts.append(block.mean(axis=1))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
