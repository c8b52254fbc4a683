"""References of known speakers, and other sounds."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.audio_files.pcm import as_float
from harness.stack.reference_voice.measured import Measured, Samples, measured

RATE_HZ = 48_000
TEXT = (
    "The last tram goes at midnight. Breakfast costs eight pounds, coffee is included, and children pay half of it. "
    "Please call again tomorrow if you would like to book a larger table."
)
REPLY = (
    "Good morning, and thank you for calling. We are open every day from nine in the morning until six in the evening. "
    "You can park behind the house, and dogs are welcome in the garden."
)


def of_pcm(pcm: NDArray[np.int16]) -> Measured:
    """The pitch and pace of `(frames,)` int16 at 48 kHz."""
    return measured(as_float(pcm), RATE_HZ)


def as_wav(samples: NDArray[np.int16] | Samples, rate_hz: int = RATE_HZ, **how: str) -> bytes:
    """A sound file's content; a WAV unless `format` says otherwise."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, **{"format": "WAV", **how})
    return file.getvalue()


def hum(pitch_hz: float, seconds: float, *, syllables: float = 0.0) -> Samples:
    """A vowel-like tone with harmonics, loud and soft `syllables` times a second."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * pitch_hz * n * time_s) / n for n in range(1, 13))
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * syllables * time_s) if syllables else 1.0
    return np.asarray(0.2 * wave * swell, np.float32)


def music(seconds: float) -> Samples:
    """Chords of plucked notes, four a second."""
    chords = [(220, 277, 330), (196, 247, 294), (175, 220, 262), (196, 247, 330)]
    length = RATE_HZ // 4
    time_s = np.arange(length) / RATE_HZ
    beats = [
        sum(np.sin(2 * np.pi * hz * n * time_s) / n**2 for hz in chord for n in (1, 2, 3)) * np.exp(-5 * time_s)
        for chord in chords
    ]
    tune = np.concatenate([beats[number // 4 % 4] for number in range(round(seconds * 4))])
    return np.asarray(0.15 * tune, np.float32)


def noise(seconds: float) -> Samples:
    """White noise at -26 dBFS."""
    return np.random.default_rng(1).normal(0, 0.05, round(seconds * RATE_HZ)).astype(np.float32)
