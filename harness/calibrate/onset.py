"""Onset detection over noise: speech placed at known samples, and what the detector makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.calibrate.model import OnsetOverNoise
from harness.fixtures.find import shipped_folder
from harness.fixtures.manifest import load_manifest
from harness.fixtures.pcm import as_int16
from harness.fixtures.wav import read_wav
from harness.measure.onset import SAMPLE_RATE, OnsetDetector
from harness.measure.percentiles import percentile

LEVELS_DBFS = (-70.0, -60.0, -50.0, -40.0)
NOISES = ("white", "pink")
BLOCK = SAMPLE_RATE // 50
MOST_SPEECH_S = 2.5
GAPS_S = (0.9, 1.9)
NEAR_S = 0.3  # an onset this near to a true one is meant to be it
ALONE_S = 600.0
QUICK_ALONE_S = 60.0
_MS = 1000 / SAMPLE_RATE

Pcm = NDArray[np.int16]


@dataclass
class _Found:
    """What one noise gave."""

    errors_ms: list[float] = field(default_factory=list)
    missed: int = 0
    false: int = 0
    quiet_s: float = 0.0


def onset_over_noise(*, seed: int, quick: bool) -> list[OnsetOverNoise]:
    """The detector over the shipped fixtures, in silence and in noise of several levels. Takes about a second a level.

    Args:
        seed: Of the noise and the gaps.
        quick: A minute of noise alone in place of ten.
    """
    voices = list(_voices())
    alone_s = QUICK_ALONE_S if quick else ALONE_S
    tries: list[tuple[str, float | None]] = [("none", None)]
    tries += [(noise, level) for noise in NOISES for level in LEVELS_DBFS]
    return [_over(voices, noise, level, np.random.default_rng(seed), alone_s) for noise, level in tries]


def _voices() -> Iterator[Pcm]:
    """The fixtures from their first voiced sample on: what lies before it is cut off, so that the truth is sharp."""
    manifest = load_manifest(shipped_folder())
    for name in sorted(manifest.entries):
        entry = manifest.entries[name]
        pcm = as_int16(read_wav(manifest.folder / entry.file).samples)
        start = round(entry.voiced_start_ms * SAMPLE_RATE / 1000)
        end = min(round(entry.voiced_end_ms * SAMPLE_RATE / 1000), start + round(MOST_SPEECH_S * SAMPLE_RATE))
        yield pcm[start:end]


def _over(
    voices: Sequence[Pcm], noise: str, level_dbfs: float | None, rng: np.random.Generator, alone_s: float
) -> OnsetOverNoise:
    found = _Found()
    _speech(voices, noise, level_dbfs, rng, found)
    _alone(noise, level_dbfs, rng, alone_s, found)
    errors = np.abs(found.errors_ms).tolist()
    return OnsetOverNoise(
        noise=noise,
        noise_dbfs=level_dbfs,
        utterances=len(voices),
        missed=found.missed,
        median_ms=round(percentile(errors, 50), 2) if errors else None,
        p95_ms=round(percentile(errors, 95), 2) if errors else None,
        false_per_10min=round(found.false * 600 / found.quiet_s, 2),
    )


def _speech(
    voices: Sequence[Pcm], noise: str, level_dbfs: float | None, rng: np.random.Generator, found: _Found
) -> None:
    """All voices one after the other, with gaps between them."""
    pieces: list[Pcm] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for voice in voices:
        gap = round(rng.uniform(*GAPS_S) * SAMPLE_RATE)
        pieces += [np.zeros(gap, np.int16), voice]
        spans.append((at + gap, at + gap + voice.size))
        at += gap + voice.size
    pieces.append(np.zeros(SAMPLE_RATE, np.int16))
    clean = np.concatenate(pieces)
    onsets = _onsets(_mixed(clean, _noise(noise, level_dbfs, clean.size, rng)))
    near = round(NEAR_S * SAMPLE_RATE)
    for start, end in spans:
        mine = [onset for onset in onsets if start - near <= onset < min(end, start + near)]
        found.missed += not mine
        if mine:
            found.errors_ms.append((mine[0] - start) * _MS)
    found.false += sum(all(not start - near <= onset < end + near for start, end in spans) for onset in onsets)
    found.quiet_s += (clean.size - sum(end - start for start, end in spans)) / SAMPLE_RATE


def _alone(noise: str, level_dbfs: float | None, rng: np.random.Generator, alone_s: float, found: _Found) -> None:
    """Noise and nothing else."""
    size = round(alone_s * SAMPLE_RATE)
    found.false += len(_onsets(_mixed(np.zeros(size, np.int16), _noise(noise, level_dbfs, size, rng))))
    found.quiet_s += alone_s


def _noise(noise: str, level_dbfs: float | None, size: int, rng: np.random.Generator) -> NDArray[np.float32] | None:
    if level_dbfs is None:
        return None
    wave = rng.standard_normal(size, np.float32)
    if noise == "pink":
        wave = _pink(wave)
    wave *= 32768 * 10 ** (level_dbfs / 20) / float(np.sqrt(np.mean(np.square(wave))))
    return wave


def _pink(white: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power falling with frequency from 20 Hz on, made in pieces of 2^17 samples."""
    piece = 1 << 17
    frequencies = np.fft.rfftfreq(piece, 1 / SAMPLE_RATE)
    shape = (1 / np.sqrt(np.maximum(frequencies, 20.0))).astype(np.float32)
    padded = np.pad(white, (0, -white.size % piece)).reshape(-1, piece)
    pink = np.fft.irfft(np.fft.rfft(padded, axis=1) * shape, piece, axis=1)
    return pink.reshape(-1)[: white.size].astype(np.float32)


def _mixed(clean: Pcm, noise: NDArray[np.float32] | None) -> Pcm:
    if noise is None:
        return clean
    mixed: Pcm = np.clip(np.rint(clean + noise), -32768, 32767).astype(np.int16)
    return mixed


def _onsets(samples: Pcm) -> list[int]:
    """Positions of all onsets, the samples fed as a call feeds them."""
    detector = OnsetDetector()
    edges = [edge for start in range(0, samples.size, BLOCK) for edge in detector.feed(samples[start : start + BLOCK])]
    return [edge.position for edge in edges if edge.edge == "onset"]
