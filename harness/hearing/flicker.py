"""Locates a voice's end in fluctuating noise, which exceeds the threshold now and then and so prolongs the voice.

The end is where the cumulative sum of power minus the noise's 95th percentile, taken from the last frame that is
certainly voice, is largest. This is the estimate of `edge_place.py`, over all frames that noise kept the voice open.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.hearing.edge_place import FINE, FRAME, FRAME_MS, MOST_OVER, sets_in
from harness.hearing.noise_floor import LOW_LEAST, power_of

TOP = 0.95  # quantile of the noise frames that defines the noise's top
LIVE_TOP = 0.98  # the same for live audio, which has only the 5 s of noise before a voice
BURST_FRAMES, BURST_GAP, BURST_OVER = 2, 15, 2.5  # a final "t": 20 ms, at most 150 ms away, 4 dB over the noise's top
EDGE_FRAMES, NOISE_FRAMES = 3, 5
CERTAIN_OVER = power_of(12.0)  # over the noise's top: certainly voice
BELOW_LOUDEST = power_of(-20.0)

Read = Callable[[int, int], NDArray[np.int16]]


def noise_top(noise: NDArray[np.float64], least_frames: int, share: float = TOP) -> float:
    """The noise's quantile at `share`; at least `LOW_LEAST`, which also applies to fewer than `least_frames` frames."""
    return max(LOW_LEAST, float(np.quantile(noise, share))) if noise.size >= least_frames else LOW_LEAST


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open ranges in which `flags` are true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def last_certain(inside: NDArray[np.float64], top: float) -> int | None:
    """The index after the last frame that is certainly voice; None if no frame stands out enough over the noise."""
    certain = np.flatnonzero(inside > max(CERTAIN_OVER * top, BELOW_LOUDEST * float(inside.max(initial=0.0))))
    return int(certain[-1]) + 1 if certain.size else None


def end_in_flicker(powers: NDArray[np.float64], last: int, end: int, top: float, read: Read) -> int:
    """The sample at which a voice ends, never after `end`.

    Args:
        powers: The power of each 10 ms frame, full scale 1.
        last: The index after the last frame that is certainly voice; see `last_certain`.
        end: The sample at which the detector ended the voice.
        top: See `noise_top`.
        read: Returns the samples between two positions; empty if they are no longer buffered.
    """
    stop = min(powers.size, -(-end // FRAME))
    if stop <= last or top <= LOW_LEAST:
        return end
    score = np.cumsum(np.minimum(powers[last:stop], MOST_OVER * top) - top)
    best = int(np.argmax(score))
    after = last + best + 1 if score[best] > 0 else last
    for first, behind in runs(powers[last:stop] > BURST_OVER * top):
        if last + behind > after and behind - first >= BURST_FRAMES and last + first - after <= BURST_GAP:
            after = last + behind
    if after >= end // FRAME - 1:
        return end
    from_frame, noise_frame = max(0, after - EDGE_FRAMES), min(powers.size, after + EDGE_FRAMES)
    to_frame = min(powers.size, noise_frame + NOISE_FRAMES)
    turned = read(from_frame * FRAME, to_frame * FRAME)[::-1].copy()
    if turned.size < (to_frame - from_frame) * FRAME:
        return after * FRAME
    ms = sets_in(turned, (to_frame - noise_frame) * FRAME_MS, top)
    return after * FRAME if ms is None else noise_frame * FRAME - ms * FINE
