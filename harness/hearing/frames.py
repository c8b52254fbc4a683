"""Frame powers of a whole file: the level of its voice, and the frames that hold only noise. Pure functions.

Frames are those of the detector (`harness/hearing/onset.py`): 10 ms at 48 kHz, the mean of the variances of both 5 ms
halves, full scale 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.hearing.edge_place import FRAME
from harness.hearing.noise_floor import power_of
from harness.hearing.onset import HALF

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PIECE = 6_000  # frames processed at a time, to bound memory for long files
QUIET_WINDOW = 5  # frames: short enough to fit a pause of any sentence, long enough to average noise
QUIETEST = 0.02  # the share of these windows that is certainly noise
NOISE_RANGE = power_of(6.0)  # other frames up to this much louder may be noise too
LEAST_FRAMES = 15
OVER_NOISE = power_of(6.0)
BELOW_LOUDEST = power_of(-35.0)
LEAST_RANGE = power_of(-8.0)  # relative to the loudest frames: anything louder than this is not noise under a voice
LOUDEST = 0.995  # quantile that clicks do not reach


def frame_powers(wave: NDArray[np.floating[Any]]) -> Floats:
    """The power of each whole frame of (samples,) float in -1…1."""
    frames = wave.size // FRAME
    parts = [_powers(wave[first * FRAME : min(frames, first + PIECE) * FRAME]) for first in range(0, frames, PIECE)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _powers(wave: NDArray[np.floating[Any]]) -> Floats:
    powers: Floats = wave.astype(np.float64).reshape(-1, HALF).var(axis=1).reshape(-1, 2).mean(axis=1)
    return powers


def quiet_frames(powers: Floats) -> Floats:
    """The powers of the frames that hold only noise, judged by level; empty if the file is too short to tell."""
    if powers.size < 2 * QUIET_WINDOW:
        return powers[:0]
    windows = np.convolve(powers, np.full(QUIET_WINDOW, 1 / QUIET_WINDOW), "valid")
    lowest = float(np.quantile(windows, QUIETEST, method="higher"))
    near = powers[powers <= lowest * NOISE_RANGE]
    if near.size:
        near = powers[powers <= float(np.median(near)) * NOISE_RANGE]
    known = near.size >= LEAST_FRAMES and float(np.median(near)) <= loudest(powers) * LEAST_RANGE
    return near if known else powers[:0]


def loudest(powers: Floats) -> float:
    """The power of the voice's loudest frames, robust against clicks; 0 for no frames."""
    if not powers.size:
        return 0.0
    return float(np.quantile(powers, LOUDEST, method="lower" if powers.size > 1 / (1 - LOUDEST) else "higher"))


def is_level(powers: Floats) -> bool:
    """Whether the level never drops: the file is only noise, or a voice that was cut without any pause."""
    if powers.size < 2 * QUIET_WINDOW:
        return False
    windows = np.convolve(powers, np.full(QUIET_WINDOW, 1 / QUIET_WINDOW), "valid")
    return float(windows.min()) > loudest(powers) * LEAST_RANGE


def active_power(powers: Floats) -> float:
    """The power of the voice, excluding pauses and noise; 0 if nothing stands out over the noise."""
    most = loudest(powers)
    if most <= 0:
        return 0.0
    quiet = quiet_frames(powers)
    noise = float(np.median(quiet)) if quiet.size else 0.0
    active = powers[powers >= max(most * BELOW_LOUDEST, noise * OVER_NOISE)]
    return max(0.0, float(active.mean()) - noise) if active.size else 0.0
