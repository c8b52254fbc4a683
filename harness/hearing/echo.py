"""Finds the caller's echo in the agent's channel by cross-correlation, and removes it from the detected voices.

An agent that plays back what it hears (a loopback, a speaker next to a microphone) would seem to interrupt every turn.
Where a voice starts while the caller speaks, the audio sent is compared with the audio received meanwhile. A turn with
an echo has no interruption; its reply is the first onset after the echo has decayed. If the reply begins before that,
echo and reply are one stretch of voice, and the turn has no TTFA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from harness.clock import NS_PER_MS
from harness.hearing.voice import Voice, setting_in

RATE = 8000  # sample rate for the comparison, in Hz: telephone bandwidth is enough to recognise a voice
LONGEST_MS = 800  # a longer delay would be a reply
ALIKE = 0.5  # the highest of 1,300 pairs of recordings with different words was 0.32
LEAST_MS = 300  # of the caller's voice: anything shorter correlates with too much
FADE_NS = 300 * NS_PER_MS  # how long an echo takes to decay


@dataclass(frozen=True, slots=True)
class Echo:
    """An echo of the caller: its delay, its gain (negative if softer than sent), and the normalised correlation."""

    delay_ms: float
    gain_db: float
    alike: float


def find_echo(sent: NDArray[np.int16], heard: NDArray[np.int16]) -> Echo | None:
    """Finds the echo of `sent` in `heard` by normalised cross-correlation, at delays from 0 to `LONGEST_MS`.

    Args:
        sent: (samples,) int16 mono at `RATE`.
        heard: The same format, starting at the same time.

    Returns:
        The echo, or None if there is none.
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
    """The voices without the echoes of what the caller said from `start_ns` to `end_ns`.

    A stretch that started while the caller spoke and lasts longer than the echo is kept: it holds more than the echo.
    """
    gone_ns = end_ns + round(delay_ms * NS_PER_MS) + FADE_NS

    def is_echo(voice: Voice) -> bool:
        return (known_until_ns if voice.end_ns is None else voice.end_ns) <= gone_ns

    near = setting_in(voices, start_ns, gone_ns)
    return _Replaced(voices, near, [voices[index] for index in near if not is_echo(voices[index])])


class _Replaced(Sequence[Voice]):
    """A view of `voices` with those at `span` replaced; a copy per turn would be expensive in a long call."""

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
