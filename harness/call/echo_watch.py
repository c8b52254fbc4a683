"""Keeps what is said and heard at the same time, to find the caller's own voice in the agent's audio (echo)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.call.engines.line import SAMPLE_RATE, Heard
from harness.clock import NS_PER_S
from harness.hearing.echo import RATE, Echo, find_echo
from harness.hearing.level import is_silence

STEP = SAMPLE_RATE // RATE
_ONES = np.ones(STEP, np.float32)
KEPT_S = 3  # seconds of an utterance: enough to recognise it, and little enough to search between two packets


class EchoWatch:
    """Keeps one utterance at a time and what was heard since it began."""

    def __init__(self) -> None:
        self._start_ns = 0
        self._sent: list[NDArray[np.int16]] = []
        self._heard: list[NDArray[np.int16]] = []
        self._heard_from_ns = 0

    def begin(self) -> None:
        """Starts a new utterance."""
        self._sent, self._heard, self._start_ns = [], [], 0

    def sent(self, left_ns: int, samples: NDArray[np.int16]) -> None:
        """Records a frame of the utterance that left."""
        if not self._sent:
            self._start_ns = left_ns
        if left_ns - self._start_ns < KEPT_S * NS_PER_S:
            self._sent.append(_thinned(samples))

    def heard(self, heard: Heard) -> None:
        """Records a block of the agent's audio."""
        if not self._sent or heard.wire_ns - self._start_ns > (KEPT_S + 1) * NS_PER_S:
            return
        if not self._heard:
            self._heard_from_ns = heard.wire_ns
        self._heard.append(_thinned(heard.samples))

    def find(self) -> Echo | None:
        """Looks for an echo of the utterance in what was heard since; takes up to 10 ms of CPU."""
        if not self._sent or not self._heard:
            return None
        heard = np.concatenate(self._heard)
        before = round((self._heard_from_ns - self._start_ns) * RATE / NS_PER_S)
        heard = np.pad(heard, (before, 0)) if before >= 0 else heard[-before:]
        return find_echo(np.concatenate(self._sent), heard)


def _thinned(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Downsamples `(frames,)` int16 mono."""
    count = samples.size // STEP
    if is_silence(samples):  # most of what is heard while the caller speaks
        return np.zeros(count, np.int16)
    # Sums of integers below 2^24 are exact; the conversion truncates the fraction.
    sums = samples[: count * STEP].astype(np.float32).reshape(-1, STEP) @ _ONES
    return np.asarray(sums / STEP, np.int16)
