"""Decides with the Silero VAD network whether a detected sound is speech.

It tells music on hold from a voice, which a pitch cannot (`speech_like.py`), and recognises a whisper, which has no
pitch. It costs about 5 ms per second of audio, so it runs only until it has found speech, and after `WHOLE_S` without
speech only for part of each second; the chunks skipped then are examined once it finds speech.

It is sure of speech 60 to 190 ms after the start of speech, and never of anything shorter than `LEAST_MS`.
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
SPEECH = 0.5  # Silero's default threshold
LEVEL, MOST_GAIN = power_of(-20.0), 100.0  # target power of the loudest 32 ms so far; the largest gain to reach it
LEAST = power_of(-96.0)
LEAST_MS, LEAST_PITCHED_MS = 250, 700
WHOLE_S = 3.0
SURE_FOR = 3  # chunks
LOOKED_AT, EVERY, KEPT = 8, 32, 64  # chunks

# A low-pass at 7.2 kHz with a Hann window, against aliasing from above 8 kHz.
_AT = np.arange(-24, 25)
_TAPS = (0.3 * np.sinc(0.3 * _AT) * np.hanning(_AT.size + 2)[1:-1]).astype(np.float32)
_WHOLE = round(WHOLE_S * SAMPLE_RATE / HOP)


@cache
def has_speech_net() -> bool:
    """Whether the network is available on this machine; there is no package for Macs with an Intel CPU."""
    try:
        SileroNet()
    except ImportError:
        return False
    return True


class SpeechNet:
    """Looks for speech in one stretch of sound, which is fed in blocks of any size.

    Attributes:
        found: The sample at which it was first sure of speech, counted from the start of the stretch; None until then.
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
        """Whether the stretch is long enough to trust the network's "no speech".

        A single word on the telephone may be too short for it, so a stretch with a pitch has to be longer.

        Args:
            pitched: The sample at which a pitch was found; None if there was none.
        """
        least_ms = LEAST_MS if pitched is None else LEAST_PITCHED_MS
        return self._chunks * HOP >= least_ms * SAMPLE_RATE // 1000

    def finish(self) -> int | None:
        """Ends the stretch; returns `found`, after examining the chunks that were skipped."""
        if self.found is None and self._newest:
            first = self._first_sure()
            self.found = None if first is None else (self._chunks - len(self._newest) + first) * HOP
        return self.found

    def feed(self, samples: NDArray[np.int16]) -> None:
        """Adds the next samples, (frames,) int16 mono at 48 kHz."""
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
        """The index of the first kept chunk that starts a run of `SURE_FOR` chunks of speech; None if there is none.

        A run is required because a network that starts in the middle of music may briefly take it for speech.
        """
        self._net = SileroNet()
        sure = [self._is_speech(chunk) for chunk in self._newest]
        return next((at for at in range(len(sure) - SURE_FOR + 1) if all(sure[at : at + SURE_FOR])), None)

    def _is_speech(self, chunk: NDArray[np.float32]) -> bool:
        gain = min(MOST_GAIN, float(np.sqrt(LEVEL / self._loudest)))
        return self._net.hear(np.clip(gain * chunk, -1, 1).astype(np.float32)) > SPEECH
