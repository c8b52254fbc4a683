"""Recordings in the report: peaks to draw, and the sound itself as Opus within a budget, otherwise a link."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.formats import Recorded
from harness.text.plain_text import one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BUDGET_BYTES = 6_000_000  # of base64 in the page, for all recordings together: about 20 minutes
# PyAV's encoder at complexity 3 takes an eighth of the time of libsndfile's, whose complexity cannot be set; at this
# rate, half the bytes of FLAC at 16 kHz and 12 bits.
_BITS_PER_S = 32_000
_COMPLEXITY = 3
_BASE64_PER_S = _BITS_PER_S / 8 * 4 / 3
_OPUS_RATES_HZ = (48_000, 24_000, 16_000, 12_000, 8_000)
_FRAMES_AT_ONCE = 65_536
PEAKS_PER_S = 100
MOST_PEAKS = 60_000  # per channel; a longer recording has fewer per second
_MOST_WORKERS = 4


class Sound(Recorded):
    """A call's recording in the page.

    Attributes:
        src: Its URL relative to the page; empty if `problem` says why it cannot be shown.
        problem: Why it cannot be shown.
        duration_s: Its length. Its time 0 is the moment when the caller was connected.
        peaks_per_s: How many peaks a second has.
        caller: The peaks of the caller's channel, base64: a byte for each is 255 times the square root of the largest
            magnitude in its interval, where 1 is full scale. The root keeps quiet voices visible.
        agent: The peaks of the agent's channel.
        embedded: Whether the page holds the sound.
    """

    src: str = ""
    problem: str = ""
    duration_s: float = 0.0
    peaks_per_s: float = PEAKS_PER_S
    caller: str = ""
    agent: str = ""
    embedded: bool = False


@dataclass(frozen=True)
class Sounds:
    """The recordings of calls, by call: what is known of each, and the Ogg/Opus files of those embedded."""

    known: Mapping[str, Sound]
    opus: Mapping[str, bytes]


@dataclass(frozen=True)
class _File:
    call: str
    path: Path
    src: str
    embedded: bool


def sounds_of(folder: Path, recordings: Mapping[str, str | None], *, budget_bytes: int = BUDGET_BYTES) -> Sounds:
    """Reads the recordings of a run's folder. They are embedded in order as long as the budget lasts.

    Args:
        folder: The run's folder.
        recordings: The path of each call's recording, relative to the folder; calls without one are skipped.
        budget_bytes: The most base64 for all embedded recordings together, as estimated from their lengths.
    """
    known: dict[str, Sound] = {}
    files: list[_File] = []
    left_s = budget_bytes / _BASE64_PER_S
    for call, recording in recordings.items():
        if not recording:
            continue
        try:
            path, src = _found(folder.resolve(), recording)
            length_s = _length_s(path)
        except _UnshownError as problem:
            known[call] = Sound(problem=str(problem))
            continue
        files.append(_File(call, path, src, embedded=length_s <= left_s))
        left_s -= length_s if length_s <= left_s else 0.0
    opus: dict[str, bytes] = {}
    with ThreadPoolExecutor(min(_MOST_WORKERS, os.cpu_count() or 1)) as pool:
        for file, (sound, encoded) in zip(files, pool.map(_read, files), strict=True):
            known[file.call] = sound
            if encoded:
                opus[file.call] = encoded
    return Sounds(known, opus)


class _UnshownError(Exception):
    """A recording cannot be shown; the message says why."""


def _found(folder: Path, recording: str) -> tuple[Path, str]:
    name = one_line(recording)
    try:
        path = (folder / recording).resolve()
        if not path.is_relative_to(folder):
            raise _UnshownError(f"The recording {name} is outside the run's folder and is not shown.")
        if not path.is_file():
            raise _UnshownError(f"The recording {name} is missing from the run's folder.")
    except (OSError, ValueError) as problem:  # ValueError: not a valid path
        raise _UnshownError(f"The recording {name} cannot be read: {one_line(str(problem))}.") from problem
    return path, quote(path.relative_to(folder).as_posix())


def _length_s(path: Path) -> float:
    import soundfile

    try:
        info = soundfile.info(str(path))
    except (OSError, soundfile.LibsndfileError) as problem:
        why = getattr(problem, "error_string", None) or getattr(problem, "strerror", None) or str(problem)
        raise _UnshownError(
            f"The recording {one_line(path.name)} cannot be read: {one_line(why).rstrip('.')}."
        ) from problem
    return float(info.frames / info.samplerate)


def _read(file: _File) -> tuple[Sound, bytes]:
    """The recording's peaks, and its sound if it is embedded."""
    import soundfile

    try:
        pcm, rate_hz = soundfile.read(file.path, dtype="int16", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as problem:
        why = f"The recording {one_line(file.path.name)} cannot be read: {one_line(str(problem))}"
        return Sound(problem=why), b""
    length_s = len(pcm) / rate_hz
    per_s = min(PEAKS_PER_S, MOST_PEAKS / length_s) if length_s else PEAKS_PER_S
    sound = Sound(
        src=file.src,
        duration_s=round(length_s, 3),
        peaks_per_s=round(per_s, 3),
        caller=_peaks(pcm[:, 0], rate_hz, round(per_s, 3)),
        agent=_peaks(pcm[:, -1], rate_hz, round(per_s, 3)),
        embedded=file.embedded and length_s > 0,
    )
    return sound, opus(pcm, rate_hz) if sound.embedded else b""


def _peaks(samples: NDArray[np.int16], rate_hz: int, per_s: float) -> str:
    """See `Sound.caller`."""
    import numpy as np

    if not len(samples):
        return ""
    count = int(np.ceil(len(samples) / rate_hz * per_s))
    starts = np.minimum((np.arange(count) * rate_hz / per_s).astype(int), len(samples) - 1)
    largest = np.maximum.reduceat(np.abs(samples.astype(np.int32)), starts)
    return base64.b64encode(np.round(255 * np.sqrt(largest / 32768)).astype(np.uint8).tobytes()).decode()


def opus(pcm: NDArray[np.int16], rate_hz: int) -> bytes:
    """Encodes `pcm` ((frames, channels)) as Opus in Ogg; a player's time 0 is the first frame."""
    import av
    import numpy as np

    if rate_hz not in _OPUS_RATES_HZ:
        import soxr

        pcm, rate_hz = soxr.resample(pcm, rate_hz, _OPUS_RATES_HZ[0]), _OPUS_RATES_HZ[0]
    layout = "mono" if pcm.shape[1] == 1 else "stereo"
    pcm = np.ascontiguousarray(pcm[:, :2])
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as ogg:
        stream: Any = ogg.add_stream("libopus", rate=rate_hz, layout=layout)
        stream.bit_rate = _BITS_PER_S
        stream.options = {"compression_level": str(_COMPLEXITY), "vbr": "constrained"}
        for start in range(0, len(pcm), _FRAMES_AT_ONCE):
            block = pcm[start : start + _FRAMES_AT_ONCE]
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout=layout)
            frame.rate, frame.pts = rate_hz, start
            ogg.mux(stream.encode(frame))
        ogg.mux(stream.encode(None))
    return file.getvalue()


def in_base64(files: Mapping[str, bytes]) -> dict[str, str]:
    """The files as base64."""
    return {name: base64.b64encode(content).decode() for name, content in files.items()}
