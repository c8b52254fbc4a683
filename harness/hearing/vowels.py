"""Finds frames with a vowel or another voiced sound, which are periodic, unlike breath and clicks.

The measure is the normalised cross-correlation of a window with later samples, as in D. Talkin's RAPT ("Speech Coding
and Synthesis", 1995). It does not depend on level.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from harness.audio_files.pcm import resampled
from harness.hearing.edge_place import FRAME
from harness.hearing.onset import SAMPLE_RATE

Floats = NDArray[np.float64]

RATE = 4_000  # the first formants and all pitches lie below 2 kHz
HOP = FRAME * RATE // SAMPLE_RATE
WINDOW = 3 * HOP
SHORTEST, LONGEST = RATE // 500, RATE // 60  # periods of pitches from 500 down to 60 Hz
PIECE = 3_000  # frames processed at a time, to bound memory


def likeness(wave: NDArray[np.float32]) -> Floats:
    """The periodicity, 0 to 1, of each frame of (samples,) at 48 kHz; noise reaches about 0.5."""
    frames = wave.size // FRAME
    low = resampled(wave, SAMPLE_RATE, RATE).astype(np.float64)
    low = np.pad(low, ((WINDOW + LONGEST) // 2, 2 * (WINDOW + LONGEST)))
    parts = [
        _likeness(low[first * HOP :], min(PIECE, frames - first)) for first in range(0, frames, PIECE)
    ]  # each piece starts at its own first frame
    return np.concatenate(parts) if parts else np.zeros(0)


def _likeness(low: Floats, frames: int) -> Floats:
    seen = sliding_window_view(low, WINDOW + LONGEST)[: frames * HOP : HOP]
    size = 1 << (2 * WINDOW + LONGEST).bit_length()
    own = seen[:, :WINDOW] - seen[:, :WINDOW].mean(axis=1, keepdims=True)
    product = np.fft.irfft(np.fft.rfft(seen, size) * np.conj(np.fft.rfft(own, size)), size)[:, :LONGEST]
    sums = np.cumsum(np.pad(np.square(seen), ((0, 0), (1, 0))), axis=1)
    later = sums[:, WINDOW : WINDOW + LONGEST] - sums[:, :LONGEST]
    both = np.square(own).sum(axis=1, keepdims=True) * later
    alike: Floats = (product / np.sqrt(np.maximum(both, 1e-24)))[:, SHORTEST:].max(axis=1)
    return alike
