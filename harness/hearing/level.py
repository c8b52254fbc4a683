"""Levels of 16-bit audio in dBFS, 0 dBFS being the RMS of a full-scale square wave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768.0
SILENCE_DBFS = -96.0  # the resolution of 16 bits: below any 16-bit signal


def power_dbfs(power: float) -> float:
    """The level in dBFS of `power`, a mean square of int16 samples; at least `SILENCE_DBFS`."""
    if power <= 0:
        return SILENCE_DBFS
    return max(SILENCE_DBFS, float(10 * np.log10(power / FULL_SCALE**2)))


def peak(samples: NDArray[np.int16]) -> int:
    """The largest absolute value in (frames,) int16; 0 if empty."""
    return max(int(samples.max(initial=0)), -int(samples.min(initial=0)))


def is_silence(samples: NDArray[np.int16]) -> bool:
    """Whether contiguous (frames,) int16 are all zero; `any` takes four times as long."""
    pcm = samples.tobytes()
    return pcm == bytes(len(pcm))
