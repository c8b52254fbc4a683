"""Measures onset detection in noise, on speech placed at known positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.wav import read_wav
from harness.calibrate.noise import Kind, noise
from harness.calibrate.placed_speech import EdgeErrors, PlacedSpeech, Wave, as_pcm, cut_sharp, error_ms, place
from harness.hearing.level import FULL_SCALE
from harness.hearing.onset import SAMPLE_RATE, OnsetDetector
from harness.record.calibration import OnsetOverNoise
from harness.utterances.find import shipped_folder
from harness.utterances.manifest import load_manifest

LEVELS_DBFS = (-70.0, -60.0, -50.0, -40.0)
NOISES: tuple[Kind, ...] = ("white", "pink")
BLOCK = SAMPLE_RATE // 50
SPEECH_DBFS = -23.0
MOST_SPEECH_S = 2.5
GAPS_S = (0.9, 1.9)
ALONE_S = 600.0
QUICK_ALONE_S = 60.0


def onset_over_noise(*, seed: int, quick: bool) -> list[OnsetOverNoise]:
    """Measures the detector on the shipped fixtures, in silence and in several noise levels. Takes about 1 s per level.

    Args:
        seed: The seed of the noise and the gaps.
        quick: Use one minute of noise alone instead of ten.
    """
    voices = list(shipped_voices(SPEECH_DBFS))
    alone_s = QUICK_ALONE_S if quick else ALONE_S
    rows = [_over(voices, None, None, np.random.default_rng(seed), alone_s)]
    for kind in NOISES:
        rows += [_over(voices, kind, level, np.random.default_rng(seed), alone_s) for level in LEVELS_DBFS]
    return rows


def shipped_voices(level_dbfs: float) -> Iterator[Wave]:
    """The shipped fixtures that contain speech, cut sharp; see `cut_sharp`."""
    manifest = load_manifest(shipped_folder())
    for name in sorted(manifest.entries):
        entry = manifest.entries[name]
        if not entry.text:
            continue  # a cough
        wave = read_wav(manifest.folder / entry.file).samples * np.float32(FULL_SCALE)
        voice = cut_sharp(wave, level_dbfs=level_dbfs, most_s=MOST_SPEECH_S)
        if voice is not None:
            yield voice


def _over(
    voices: Sequence[Wave], kind: Kind | None, level_dbfs: float | None, rng: np.random.Generator, alone_s: float
) -> OnsetOverNoise:
    errors = EdgeErrors()
    alone = PlacedSpeech(np.zeros(round(alone_s * SAMPLE_RATE), np.float32), ())
    for speech in (place(voices, GAPS_S, rng), alone):
        heard = speech.clean
        if kind is not None and level_dbfs is not None:
            heard = heard + noise(kind, level_dbfs, heard.size, rng)
        errors.add(speech, *edges_of(as_pcm(heard)))
    return OnsetOverNoise(
        noise=kind or "none",
        noise_dbfs=level_dbfs,
        utterances=len(voices),
        missed=errors.missed,
        median_ms=error_ms(errors.onsets_ms, 50),
        p95_ms=error_ms(errors.onsets_ms, 95),
        false_per_10min=errors.false_per_10min,
    )


def edges_of(samples: NDArray[np.int16]) -> tuple[list[int], list[int]]:
    """The positions of all onsets and all ends, with samples fed in blocks as in a call."""
    detector = OnsetDetector()
    edges = [edge for start in range(0, samples.size, BLOCK) for edge in detector.feed(samples[start : start + BLOCK])]
    onsets = [edge.position for edge in edges if edge.edge == "onset"]
    return onsets, [edge.position for edge in edges if edge.edge == "end"]
