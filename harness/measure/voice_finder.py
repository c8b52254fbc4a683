"""The agent's or a caller's voice, found in a stream: where it sets in and ends, and how it sounds.

What listens in a call and what reads a recording both use this, so that the same samples give the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.measure.level import is_silence
from harness.measure.onset import SAMPLE_RATE, OnsetDetector, VoiceEdge
from harness.measure.voice_quality import VoiceMeter, VoiceQuality

# 160 ms at a time: with the 400 ms that an onset may be dated back by, the meter keeps no more of what came before it.
STEP = SAMPLE_RATE * 16 // 100


@dataclass(frozen=True, slots=True)
class FoundEdge:
    """An onset, or an end with the quality of the voice that ended.

    `began_later` is true of an end that knows the voice's beginning better than its onset did; see `VoiceEdge.began`.
    """

    edge: VoiceEdge
    quality: VoiceQuality | None = None
    began_later: bool = False


def edge_fields(found: FoundEdge) -> dict[str, Any]:
    """What an `agent.onset` or `agent.end` event says of the sound itself."""
    fields = {"position": found.edge.position, "level_dbfs": found.edge.level_dbfs}
    quality = found.quality
    if quality is not None:
        fields |= {
            "active_dbfs": quality.level_dbfs,
            "active_ms": quality.active_ms,
            "clipped": quality.clipped,
            "dropouts": quality.dropouts,
            "dropout_ms": quality.dropout_ms,
        }
    return fields


class VoiceFinder:
    """Fed a stream of (frames,) int16 mono at 48 kHz in blocks of any size; positions count from its start."""

    def __init__(self) -> None:
        self._detector = OnsetDetector()
        self._meter = VoiceMeter()
        self._onset = 0

    def feed(self, samples: NDArray[np.int16]) -> list[FoundEdge]:
        """The edges that became known by these samples, in order."""
        found: list[FoundEdge] = []
        for start in range(0, samples.size, STEP):
            step = samples[start : start + STEP]
            # Where an agent sends nothing there are exact zeros, for most of a call.
            if not is_silence(step):
                self._meter.feed(step)
                edges = self._detector.feed(step)
            else:
                self._meter.skip(step.size)
                edges = self._detector.skip(step.size)
            found += self._measured(edges)
        return found

    def finish(self) -> list[FoundEdge]:
        """The stream has ended: so has a voice that lasts."""
        return self._measured(self._detector.finish())

    def _measured(self, edges: Iterable[VoiceEdge]) -> list[FoundEdge]:
        found = []
        for edge in edges:
            if edge.edge == "onset":
                self._meter.begin(edge.position)
                self._onset = edge.position
                found.append(FoundEdge(edge))
            else:
                later = edge.began is not None and edge.began != self._onset
                found.append(FoundEdge(edge, self._meter.end(edge.position), later))
        return found
