"""Noises that a detector of voices must not fall for, made at a known level."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.measure.level import FULL_SCALE

SAMPLE_RATE = 48_000
HUM_HZ = 50.0
HARMONICS = (1.0, 0.5, 0.35, 0.2)  # of a mains hum, by amplitude
LOWEST_HZ = 20.0
PIECE = 1 << 17

Kind = Literal["white", "pink", "hum"]


def noise(kind: Kind, level_dbfs: float, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(size,) samples at 48 kHz on the scale of int16, of that RMS level; pink falls by 3 dB an octave."""
    if kind == "hum":
        time = np.arange(size, dtype=np.float64) / SAMPLE_RATE
        phases = rng.uniform(0, 2 * np.pi, len(HARMONICS))
        parts = zip(HARMONICS, range(1, len(HARMONICS) + 1), phases, strict=True)
        wave = np.zeros(size, np.float32)
        for amplitude, multiple, phase in parts:
            wave += (amplitude * np.sin(2 * np.pi * HUM_HZ * multiple * time + phase)).astype(np.float32)
    else:
        wave = rng.standard_normal(size, np.float32)
        if kind == "pink":
            wave = _pink(wave)
    return at_level(wave, level_dbfs)


def at_level(wave: NDArray[np.float32], level_dbfs: float) -> NDArray[np.float32]:
    """The samples at an RMS level, on the scale of int16."""
    rms = float(np.sqrt(np.mean(np.square(wave))))
    scaled: NDArray[np.float32] = wave * np.float32(FULL_SCALE * 10 ** (level_dbfs / 20) / rms)
    return scaled


def _pink(white: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shaped in pieces of 2^17 samples."""
    frequencies = np.fft.rfftfreq(PIECE, 1 / SAMPLE_RATE)
    shape = (1 / np.sqrt(np.maximum(frequencies, LOWEST_HZ))).astype(np.float32)
    padded = np.pad(white, (0, -white.size % PIECE)).reshape(-1, PIECE)
    pink = np.fft.irfft(np.fft.rfft(padded, axis=1) * shape, PIECE, axis=1)
    return pink.reshape(-1)[: white.size].astype(np.float32)
