"""The caller's own voice in the agent's channel: found by correlation, and taken out of who spoke when.

An agent that plays back what it hears (a loop-back, a speaker beside a microphone) would seem to interrupt every turn.
Where a voice sets in while the caller speaks, what was sent is compared with what was heard meanwhile. A turn with an
echo has no interruption; its reply is the first onset after the echo has died away. Where the reply begins before
that, the two are one stretch of voice, and the turn has no TTFA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from harness.clock import NS_PER_MS
from harness.hearing.voice import Voice, setting_in

RATE = 8000  # of what is compared: a telephone's band is enough to know a voice again
LONGEST_MS = 800  # a later echo would be a reply
ALIKE = 0.5  # of 1,300 pairs of recordings that say different things the most alike reached 0.32
LEAST_MS = 300  # of the caller's voice: less is too like anything
FADE_NS = 300 * NS_PER_MS  # how long an echo rings on


@dataclass(frozen=True, slots=True)
class Echo:
    """The caller is heard `delay_ms` after it spoke, by `gain_db` louder (below zero: softer), by `alike` the same."""

    delay_ms: float
    gain_db: float
    alike: float


def find_echo(sent: NDArray[np.int16], heard: NDArray[np.int16]) -> Echo | None:
    """The echo of `sent` in `heard`, both (samples,) mono at `RATE` from the same moment on; None where there is none.

    By the normalised cross-correlation at delays from 0 to `LONGEST_MS`.
    """
    if sent.size < RATE * LEAST_MS // 1000 or heard.size < sent.size // 2:
        return None
    lags = RATE * LONGEST_MS // 1000
    voice, ear = sent.astype(np.float64), heard[: sent.size + lags].astype(np.float64)
    size = 1 << int(voice.size + ear.size - 1).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(ear, size) * np.conj(np.fft.rfft(voice, size)), size)[:lags]
    power = np.concatenate([[0.0], np.cumsum(np.square(np.pad(ear, (0, voice.size + lags))))])
    covered = power[voice.size : voice.size + lags] - power[:lags]
    whole = float(np.sum(np.square(voice)))
    if whole <= 0 or not covered.any():
        return None
    alike = np.abs(correlation) / np.sqrt(whole * np.maximum(covered, 1.0))
    at = int(np.argmax(alike))
    if alike[at] < ALIKE:
        return None
    gain_db = 20 * np.log10(abs(correlation[at]) / whole)
    return Echo(round(1000 * at / RATE, 1), round(float(gain_db), 1), round(float(alike[at]), 2))


def without_echo(
    voices: Sequence[Voice], start_ns: int, end_ns: int, delay_ms: float, *, known_until_ns: int
) -> Sequence[Voice]:
    """The voices without those that are the echo of what the caller said from `start_ns` to `end_ns`.

    A stretch that set in while the caller spoke and lasts beyond the echo is more than the echo: it stays.
    """
    gone_ns = end_ns + round(delay_ms * NS_PER_MS) + FADE_NS

    def is_echo(voice: Voice) -> bool:
        return (known_until_ns if voice.end_ns is None else voice.end_ns) <= gone_ns

    near = setting_in(voices, start_ns, gone_ns)
    return _Replaced(voices, near, [voices[index] for index in near if not is_echo(voices[index])])


class _Replaced(Sequence[Voice]):
    """Voices of which those at `span` are replaced by others. Nothing is copied: a long call has many, each a turn."""

    def __init__(self, voices: Sequence[Voice], span: range, others: Sequence[Voice]) -> None:
        self._voices = voices
        self._start = span.start
        self._others = others
        self._skipped = len(span) - len(others)

    def __len__(self) -> int:
        return len(self._voices) - self._skipped

    @overload
    def __getitem__(self, index: int) -> Voice: ...

    @overload
    def __getitem__(self, index: slice) -> list[Voice]: ...

    def __getitem__(self, index: int | slice) -> Voice | list[Voice]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        if at < self._start:
            return self._voices[at]
        if at < self._start + len(self._others):
            return self._others[at - self._start]
        return self._voices[at + self._skipped]
