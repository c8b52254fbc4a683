"""Where a voice ends in noise that flickers: what reaches over the threshold now and again is no voice that goes on.

The end is where the sum of what lies over and under the noise's highest twentieth, from the last frame that is voice
for certain on, is largest. That is the estimate of `edge_place.py`, over as many frames as the noise held the voice
open.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.hearing.edge_place import FINE, FRAME, FRAME_MS, MOST_OVER, sets_in
from harness.hearing.noise_floor import LOW_LEAST, power_of

TOP = 0.95  # the noise's top is the level that a twentieth of its frames exceed
LIVE_TOP = 0.98  # of 5 s before a voice: what is heard live has no noise from after it
BURST_FRAMES, BURST_GAP, BURST_OVER = 2, 15, 2.5  # a last "t": 20 ms, 150 ms away at most, 4 dB over the noise's top
EDGE_FRAMES, NOISE_FRAMES = 3, 5
CERTAIN_OVER = power_of(12.0)  # over the noise's top: a voice for certain
BELOW_LOUDEST = power_of(-20.0)

Read = Callable[[int, int], NDArray[np.int16]]


def noise_top(noise: NDArray[np.float64], least_frames: int, share: float = TOP) -> float:
    """What a share of the noise's frames do not exceed; the least threshold where they are too few or quieter."""
    return max(LOW_LEAST, float(np.quantile(noise, share))) if noise.size >= least_frames else LOW_LEAST


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open ranges in which `flags` are true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def last_certain(inside: NDArray[np.float64], top: float) -> int | None:
    """The frame after the last of a voice's that is voice for certain; None where it hardly stands over the noise."""
    certain = np.flatnonzero(inside > max(CERTAIN_OVER * top, BELOW_LOUDEST * float(inside.max(initial=0.0))))
    return int(certain[-1]) + 1 if certain.size else None


def end_in_flicker(powers: NDArray[np.float64], last: int, end: int, top: float, read: Read) -> int:
    """The sample at which a voice ends.

    Args:
        powers: Of each frame of 10 ms, full scale 1.
        last: The frame after one that is voice for certain.
        end: The sample at which the detector ends it; it is never later.
        top: See `noise_top`.
        read: Gives the samples from one position to another; none where they are not kept.
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
