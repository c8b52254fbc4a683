"""A first pass over a stereo recording, for the properties that must be known before measuring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.sound_file import read_block
from harness.hearing.frames import active_power

if TYPE_CHECKING:
    import soundfile

FRAME_S = 0.02  # a period of 50 Hz mains hum
QUIETEST = 0.2  # the share of frames, the quietest, from which the DC offset is estimated
ALIKE = 0.99  # the correlation from which channels count as identical; with two people's voices it is near 0


@dataclass(frozen=True)
class Survey:
    """Global properties of a recording.

    Attributes:
        frames: How many frames can be read; a damaged compressed file is unreadable beyond that.
        offsets: The DC offset of each channel, (2,), in -1…1.
        peak: The largest absolute sample, in the file's scale.
        active: The power of the voice in each channel, (2,), without pauses and noise, in the file's scale.
        alike: The correlation of the channels, independent of level: 1 if both are the same, 0 if one is silent.
    """

    frames: int
    offsets: NDArray[np.float32]
    peak: float
    active: NDArray[np.float64]
    alike: float


def look_over(file: soundfile.SoundFile) -> Survey:
    """Reads a recording of two channels block by block, up to its end or to where it is damaged."""
    size = round(FRAME_S * file.samplerate)
    frames, peak = 0, 0.0
    means, variances = [], []
    products = np.zeros((3, 3))  # sums of (left, right, 1) by (left, right, 1)
    while True:
        block = finite(read_block(file, 50 * size))
        if not len(block):
            break
        peak = max(peak, float(np.abs(block).max()))
        frames += len(block)
        exact = np.column_stack([block.astype(np.float64), np.ones(len(block))])
        products += exact.T @ exact
        parts = np.pad(block, ((0, -len(block) % size), (0, 0)), mode="edge").reshape(-1, size, 2)
        means.append(parts.mean(axis=1))
        variances.append(parts.var(axis=1))
    return Survey(frames, _offsets(means, variances), peak, _active(variances), _alike(products))


def finite(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """The samples with NaN replaced by silence and infinities by full scale."""
    return np.nan_to_num(block, posinf=1.0, neginf=-1.0)


def _offsets(means: list[NDArray[np.float32]], variances: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    if not means:
        return np.zeros(2, np.float32)
    mean, variance = np.concatenate(means), np.concatenate(variances)
    quiet = variance <= np.quantile(variance, QUIETEST, axis=0)
    return np.array([np.median(mean[quiet[:, side], side]) for side in (0, 1)], np.float32)


def _active(variances: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    if not variances:
        return np.zeros(2)
    return np.array([active_power(side.astype(np.float64)) for side in np.concatenate(variances).T])


def _alike(products: NDArray[np.float64]) -> float:
    count = products[2, 2]
    if not count:
        return 0.0
    sums = products[:2, 2]
    covariance = products[:2, :2] / count - np.outer(sums, sums) / count**2
    scale = float(np.sqrt(max(0.0, covariance[0, 0]) * max(0.0, covariance[1, 1])))
    return abs(float(covariance[0, 1])) / scale if scale > 1e-12 else 0.0
