"""Makes a call's recording playable in the report: embedded in the page if it is small enough, otherwise as a link."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.text.plain_text import one_line

BUDGET_BYTES = 10_000_000  # of base64 in the page, for all recordings together
RATE_HZ = 16_000
# FLAC at 12 bits (noise at -74 dBFS): every browser plays it, it is sample-accurate when seeking, and it encodes in a
# twentieth of the time of MP3, at about one and a half times the size.
_DROPPED_BITS = 4
_LEAST_BYTES_PER_S = 500  # for silence; a recording that would not fit even at this size is not encoded
_BLOCK_FRAMES = 65_536


@dataclass(frozen=True)
class Playable:
    """A recording in the page: `src` is a data URI or a relative URL; empty if `problem` says why it is unavailable."""

    src: str = ""
    embedded: bool = False
    problem: str = ""


class Recordings:
    """Makes the recordings of a run's folder playable; embeds them in order of request until the budget is used up."""

    def __init__(self, folder: Path, *, budget_bytes: int = BUDGET_BYTES) -> None:
        self._folder = folder.resolve()
        self._left_bytes = budget_bytes

    def playable(self, recording: str | None) -> Playable | None:
        """The recording at a path relative to the folder; None if the call was not recorded."""
        if not recording:
            return None
        name = one_line(recording)
        try:
            path = (self._folder / recording).resolve()
            if not path.is_relative_to(self._folder):
                return Playable(problem=f"The recording {name} is outside the run's folder and is not shown.")
            if not path.is_file():
                return Playable(problem=f"The recording {name} is missing from the run's folder.")
            data_uri = self._data_uri(path)
        except OSError as problem:
            return Playable(problem=f"The recording {name} cannot be read: {problem.strerror or problem}.")
        except ValueError as problem:  # not an audio file, or not a valid path
            return Playable(problem=f"The recording {name} cannot be read: {one_line(str(problem))}.")
        if data_uri is None:
            self._left_bytes = 0  # full: do not encode any further recordings
            return Playable(src=quote(path.relative_to(self._folder).as_posix()))
        self._left_bytes -= len(data_uri)
        return Playable(src=data_uri, embedded=True)

    def _data_uri(self, path: Path) -> str | None:
        """The recording as a `data:audio/flac` URI, or None if it exceeds the remaining budget.

        Raises:
            ValueError: The file is not readable audio.
        """
        import soundfile

        try:
            with soundfile.SoundFile(path) as wav:
                if not self._left_bytes or wav.frames / wav.samplerate * _LEAST_BYTES_PER_S > self._left_bytes:
                    return None
                encoded = base64.b64encode(_flac(wav.read(dtype="int16", always_2d=True), wav.samplerate))
        except soundfile.LibsndfileError as problem:
            raise ValueError(problem.error_string.rstrip(".")) from problem
        return f"data:audio/flac;base64,{encoded.decode()}" if len(encoded) < self._left_bytes else None


def _flac(pcm: Any, rate_hz: int) -> bytes:
    """Encodes `pcm` ((frames, channels) int16) as FLAC at up to `RATE_HZ`, with the lowest bits dropped."""
    import numpy as np
    import soundfile
    import soxr

    if rate_hz > RATE_HZ and len(pcm):
        pcm, rate_hz = soxr.resample(pcm, rate_hz, RATE_HZ), RATE_HZ
    step = 1 << _DROPPED_BITS
    rounded = np.clip((pcm.astype(np.int32) + step // 2) // step * step, -32768, 32768 - step).astype(np.int16)
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", samplerate=rate_hz, channels=pcm.shape[1], format="FLAC", subtype="PCM_16", compression_level=0.6
    ) as flac:
        for start in range(0, len(rounded), _BLOCK_FRAMES):
            flac.write(rounded[start : start + _BLOCK_FRAMES])
    return file.getvalue()
