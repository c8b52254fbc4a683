from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from harness.stack.reference_voice.decode import decoded

from .voices import as_wav, hum


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_the_usual_kinds_of_files_are_read(kind: str) -> None:
    samples, rate_hz = decoded(as_wav(hum(120, 2), format=kind))
    assert rate_hz == 48_000
    assert len(samples) == pytest.approx(96_000, abs=3_000)


def test_a_small_file_of_an_hour_is_read_for_a_minute() -> None:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8_000, 1, format="FLAC") as sound:
        for _ in range(60):
            sound.write(np.zeros(8_000 * 60, np.int16))
    assert len(file.getvalue()) < 1_000_000
    samples, rate_hz = decoded(file.getvalue())
    assert len(samples) == 60 * rate_hz
