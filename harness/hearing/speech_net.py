"""Whether what was found is speech at all, by Silero's network, which has learnt what people sound like.

It tells music on hold from a voice, which a pitch does not (`speech_like.py`), and knows a whisper, which has none. It
costs some 15 ms a second of audio, so it is asked only until it has heard speech, and after `WHOLE_S` without any only
for a part of each second; what it did not look at then is looked at once it hears speech.

It is sure of speech 60 to 190 ms after that begins, and never of what is shorter than `LEAST_MS`.
"""

from __future__ import annotations

from collections import deque
from functools import cache

import numpy as np
from numpy.typing import NDArray

from harness.hearing.level import FULL_SCALE
from harness.hearing.noise_floor import power_of
from harness.hearing.silero import CHUNK, SileroNet

SAMPLE_RATE = 48_000
DECIMATED = 3
HOP = CHUNK * DECIMATED
SPEECH = 0.5  # its own threshold
LEVEL, MOST_GAIN = power_of(-20.0), 100.0  # of the loudest 32 ms so far; and how much softer a voice may be
LEAST = power_of(-96.0)
LEAST_MS, LEAST_PITCHED_MS = 250, 700
WHOLE_S = 3.0
SURE_FOR = 3  # chunks
LOOKED_AT, EVERY, KEPT = 8, 32, 64  # chunks

# A low-pass at 7.2 kHz, windowed by Hann's: what lies above 8 kHz would be folded down.
_AT = np.arange(-24, 25)
_TAPS = (0.3 * np.sinc(0.3 * _AT) * np.hanning(_AT.size + 2)[1:-1]).astype(np.float32)
_WHOLE = round(WHOLE_S * SAMPLE_RATE / HOP)


@cache
def has_speech_net() -> bool:
    """Whether the network can be had on this machine: there is none for Macs with an Intel CPU."""
    try:
        SileroNet()
    except ImportError:
        return False
    return True


class SpeechNet:
    """Fed the samples of one stretch in blocks of any size.

    Attributes:
        found: Where it first was sure of speech, in samples from the beginning; None while it was not.
    """

    def __init__(self) -> None:
        self._net = SileroNet()
        self.found: int | None = None
        self._raw = np.zeros(0, np.int16)
        self._before = np.zeros(_TAPS.size - 1, np.float32)
        self._loudest = LEAST
        self._chunks = 0
        self._newest: deque[NDArray[np.float32]] = deque(maxlen=KEPT)

    def knows_better_than(self, pitched: int | None) -> bool:
        """Whether what it takes for no speech is none, where a pitch was found at a sample, or none was.

        A word on the telephone may be too short for it.
        """
        least_ms = LEAST_MS if pitched is None else LEAST_PITCHED_MS
        return self._chunks * HOP >= least_ms * SAMPLE_RATE // 1000

    def finish(self) -> int | None:
        """The stretch has ended: `found`, also where that lies between two looks."""
        if self.found is None and self._newest:
            first = self._first_sure()
            self.found = None if first is None else (self._chunks - len(self._newest) + first) * HOP
        return self.found

    def feed(self, samples: NDArray[np.int16]) -> None:
        """The next samples, (frames,) int16 mono at 48 kHz."""
        if self.found is not None:
            return
        raw = np.concatenate([self._raw, samples])
        count = raw.size // HOP
        self._raw = raw[count * HOP :]
        for piece in raw[: count * HOP].astype(np.float32).reshape(count, HOP) / np.float32(FULL_SCALE):
            whole = np.concatenate([self._before, piece])
            self._before = piece[-_TAPS.size + 1 :]
            self._look(np.convolve(whole, _TAPS, "valid")[::DECIMATED])
            if self.found is not None:
                break

    def _look(self, chunk: NDArray[np.float32]) -> None:
        number = self._chunks
        self._chunks += 1
        self._loudest = max(self._loudest, float(np.mean(chunk * chunk)))
        if number >= _WHOLE:
            self._newest.append(chunk)
        if (number < _WHOLE or number % EVERY < LOOKED_AT) and self._is_speech(chunk):
            first = self._first_sure() if self._newest else None
            self.found = (number if first is None else number + 1 - len(self._newest) + first) * HOP

    def _first_sure(self) -> int | None:
        """The first of the newest chunks from which on it would have been sure, had it looked at all of them.

        One that begins in the middle of music may be sure of it for a moment.
        """
        self._net = SileroNet()
        sure = [self._is_speech(chunk) for chunk in self._newest]
        return next((at for at in range(len(sure) - SURE_FOR + 1) if all(sure[at : at + SURE_FOR])), None)

    def _is_speech(self, chunk: NDArray[np.float32]) -> bool:
        gain = min(MOST_GAIN, float(np.sqrt(LEVEL / self._loudest)))
        return self._net.hear(np.clip(gain * chunk, -1, 1).astype(np.float32)) > SPEECH
