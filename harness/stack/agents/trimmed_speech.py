"""A piece of speech, with the positions at which its voice begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

RATE_HZ = 48_000
Pcm = npt.NDArray[np.int16]

# RMS level of a millisecond from which synthetic speech counts as voiced; it is surrounded by digital silence.
VOICED_DBFS = -50.0
LEAD_MS = 20
TAIL_MS = 100
_BLOCK = RATE_HZ // 1000


@dataclass(frozen=True, slots=True)
class TrimmedSpeech:
    """`pcm` is `(frames,)` int16 mono at 48 kHz, voiced in `[voiced_start, voiced_end)`, in frames."""

    pcm: Pcm = field(repr=False)
    voiced_start: int
    voiced_end: int

    @property
    def voiced_s(self) -> float:
        """Seconds from the first to the last voiced sample."""
        return (self.voiced_end - self.voiced_start) / RATE_HZ


def trimmed(pcm: Pcm) -> TrimmedSpeech:
    """Trimmed speech of `pcm`, with silence trimmed to `LEAD_MS` before and `TAIL_MS` after the voice."""
    blocks = pcm[: len(pcm) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float32)
    voiced = np.flatnonzero(np.sqrt((blocks**2).mean(axis=1)) >= 32768 * 10 ** (VOICED_DBFS / 20))
    if not len(voiced):
        return TrimmedSpeech(pcm, 0, len(pcm))
    start, end = int(voiced[0]) * _BLOCK, (int(voiced[-1]) + 1) * _BLOCK
    first = max(0, start - LEAD_MS * _BLOCK)
    cut = pcm[first : end + TAIL_MS * _BLOCK]
    return TrimmedSpeech(cut, start - first, end - first)
