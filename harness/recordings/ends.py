"""Refines the ends of a recording's voices in fluctuating noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.hearing.edge_place import FRAME
from harness.hearing.flicker import Read, end_in_flicker, last_certain, noise_top
from harness.hearing.frames import frame_powers
from harness.hearing.level import FULL_SCALE
from harness.hearing.noise_floor import LOW_LEAST
from harness.hearing.voice_finder import FoundEdge

BESIDE = 20  # frames around a voice that may still belong to it
LEAST_FRAMES = 100  # frames of noise needed: one second
TOP = 0.99  # quantile that defines the noise's top; high because noise drifts in a long recording
USUAL_TOP = 0.95


class FramePowers:
    """Collects the frame powers of a channel that is fed block by block, computed as the detector does."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.int16)
        self._parts: list[NDArray[np.float64]] = []

    def feed(self, samples: NDArray[np.int16]) -> None:
        """Adds the next samples, (frames,) int16 mono at 48 kHz."""
        samples = np.concatenate([self._rest, samples])
        count = samples.size // FRAME * FRAME
        self._rest = samples[count:]
        self._parts.append(frame_powers(samples[:count] / FULL_SCALE))

    def powers(self) -> NDArray[np.float64]:
        """The powers of all whole frames so far."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0)


def looked_at_again(edges: Sequence[FoundEdge], powers: NDArray[np.float64], read: Read) -> list[FoundEdge]:
    """The edges, with each end moved to where the voice ends rather than the noise that prolonged it.

    Args:
        edges: The edges that the detector found, in order.
        powers: The power of each 10 ms frame of the whole channel, full scale 1.
        read: Returns the samples between two positions of the channel, int16 at 48 kHz.
    """
    top = noise_top(_beside(edges, powers), LEAST_FRAMES, TOP)
    if top <= LOW_LEAST:
        return list(edges)
    return [found if found.edge.began is None else _again(found, powers, top, read) for found in edges]


def _beside(edges: Sequence[FoundEdge], powers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The powers of the frames that are far from any voice."""
    noise = np.full(powers.size, True)
    onset = 0
    for found in edges:
        if found.quality is None:
            onset = found.edge.position
        else:
            noise[max(0, onset // FRAME - BESIDE) : -(-found.edge.position // FRAME) + BESIDE] = False
    beside: NDArray[np.float64] = powers[noise]
    return beside


def noise_margin_db(edges: Sequence[FoundEdge], powers: NDArray[np.float64], active: float) -> float | None:
    """How far the voice's active power is above the 95th percentile of the noise, in dB; None if unknown."""
    noise = _beside(edges, powers)
    if noise.size < LEAST_FRAMES or active <= 0:
        return None
    return float(10 * np.log10(active / max(1e-12, float(np.quantile(noise, USUAL_TOP)))))


def _again(found: FoundEdge, powers: NDArray[np.float64], top: float, read: Read) -> FoundEdge:
    began, end = found.edge.began or 0, found.edge.position
    inside = powers[began // FRAME : -(-end // FRAME)]
    if not inside.size:
        return found
    certain = last_certain(inside, top)
    if certain is None:
        return found  # its end cannot be refined
    last = began // FRAME + certain
    return replace(found, edge=replace(found.edge, position=end_in_flicker(powers, last, end, top, read)))
