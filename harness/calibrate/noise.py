"""Synthetic noises at a known level, which must not trigger a voice detector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.hearing.level import FULL_SCALE

SAMPLE_RATE = 48_000
HUM_HZ = 50.0
HARMONICS = (1.0, 0.5, 0.35, 0.2)  # of a mains hum, by amplitude
LOWEST_HZ = 20.0
PIECE = 1 << 17

KEYS_EVERY_S, KEY_S, KEYS_DB = 0.6, 0.025, (-3.0, 6.0)  # an office: key clicks, relative to the air conditioning
SWELL_S, SWELL_DB, STREET_HZ = 0.5, (-6.0, 8.0), (60.0, 1200.0)  # a street: passing cars, and occasionally a horn
HORN_EVERY_S, HORN_S, HORN_HZ, HORN_TIMES = 6.0, (0.2, 0.8), (420.0, 510.0), 1.5
BEAT_S, CHORD_BEATS, DECAY_S = 0.5, 4, 0.33  # music: chords and a drum
CHORDS_HZ = ((220.0, 277.2, 329.6), (196.0, 246.9, 293.7), (174.6, 220.0, 261.6), (164.8, 207.7, 246.9))
DRUM_S, DRUM_TIMES = 0.015, (0.7, 1.5)

Kind = Literal["white", "pink", "hum", "office", "street", "music"]


def noise(kind: Kind, level_dbfs: float, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise as (size,) samples at 48 kHz in int16 scale, at an RMS level; pink noise falls by 3 dB per octave."""
    if kind == "office":
        wave = _office(size, rng)
    elif kind == "street":
        wave = _street(size, rng)
    elif kind == "music":
        wave = _music(size, rng)
    elif kind == "hum":
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
    """Scales samples to an RMS level, in int16 scale."""
    rms = float(np.sqrt(np.mean(np.square(wave))))
    scaled: NDArray[np.float32] = wave * np.float32(FULL_SCALE * 10 ** (level_dbfs / 20) / rms)
    return scaled


def _pink(white: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shapes white noise to pink, in pieces of 2^17 samples."""
    frequencies = np.fft.rfftfreq(PIECE, 1 / SAMPLE_RATE)
    shape = (1 / np.sqrt(np.maximum(frequencies, LOWEST_HZ))).astype(np.float32)
    padded = np.pad(white, (0, -white.size % PIECE)).reshape(-1, PIECE)
    pink = np.fft.irfft(np.fft.rfft(padded, axis=1) * shape, PIECE, axis=1)
    return pink.reshape(-1)[: white.size].astype(np.float32)


def _office(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    wave = at_level(_pink(rng.standard_normal(size, np.float32)), 0.0) / np.float32(FULL_SCALE)
    length = round(KEY_S * SAMPLE_RATE)
    fades = np.exp(-6 * np.arange(length) / length)
    for at in _now_and_then(size, length, KEYS_EVERY_S, rng):
        wave[at : at + length] += rng.standard_normal(length) * fades * 10 ** (rng.uniform(*KEYS_DB) / 20)
    return wave


def _street(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    from scipy.signal import butter, sosfilt

    band = butter(2, STREET_HZ, "bandpass", fs=SAMPLE_RATE, output="sos")
    wave = sosfilt(band, rng.standard_normal(size))
    every = round(SWELL_S * SAMPLE_RATE)
    swells = 10 ** (rng.uniform(*SWELL_DB, size // every + 2) / 20)
    wave *= np.interp(np.arange(size), every * np.arange(swells.size), swells) / np.std(wave)
    longest = round(HORN_S[1] * SAMPLE_RATE)
    for at in _now_and_then(size, longest, HORN_EVERY_S, rng):
        time = np.arange(round(rng.uniform(*HORN_S) * SAMPLE_RATE)) / SAMPLE_RATE
        wave[at : at + time.size] += HORN_TIMES * sum(np.sin(2 * np.pi * each * time) for each in HORN_HZ)
    loud: NDArray[np.float32] = wave.astype(np.float32)
    return loud


def _music(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    wave = np.zeros(size, np.float32)
    beat, drum = round(BEAT_S * SAMPLE_RATE), round(DRUM_S * SAMPLE_RATE)
    for number, at in enumerate(range(0, size, beat)):
        time = np.arange(min(2 * beat, size - at)) / SAMPLE_RATE
        chord = CHORDS_HZ[number // CHORD_BEATS % len(CHORDS_HZ)]
        tones = sum(np.sin(2 * np.pi * each * part * time) / part for each in chord for part in (1, 2, 3))
        wave[at : at + time.size] += 0.4 * tones * np.exp(-time / DECAY_S)
        hit = np.arange(min(6 * drum, size - at))
        wave[at : at + hit.size] += DRUM_TIMES[number % 2] * rng.standard_normal(hit.size) * np.exp(-hit / drum)
    return wave


def _now_and_then(size: int, length: int, every_s: float, rng: np.random.Generator) -> Iterator[int]:
    """Yields random start positions of events of `length` samples, on average `every_s` apart."""
    at = 0
    while (at := at + int(rng.exponential(every_s * SAMPLE_RATE))) + length <= size:
        yield at
