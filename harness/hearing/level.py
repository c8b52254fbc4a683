"""Levels of 16-bit audio in dBFS, 0 dBFS being the RMS of a full-scale square wave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768.0
SILENCE_DBFS = -96.0  # a 16-bit sample's own resolution: quieter than any 16-bit signal can be


def power_dbfs(power: float) -> float:
    """The level of a mean square of int16 samples."""
    if power <= 0:
        return SILENCE_DBFS
    return max(SILENCE_DBFS, float(10 * np.log10(power / FULL_SCALE**2)))


def peak(samples: NDArray[np.int16]) -> int:
    """The highest absolute sample of (frames,) int16, 0 of none."""
    return max(int(samples.max(initial=0)), -int(samples.min(initial=0)))


def is_silence(samples: NDArray[np.int16]) -> bool:
    """Whether (frames,) int16, contiguous, are all zero; `any` would take four times as long."""
    pcm = samples.tobytes()
    return pcm == bytes(len(pcm))
