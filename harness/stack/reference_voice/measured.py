"""Pitch and pace of a voice in a recording. Pure functions.

- Pitch: the median of the fundamental frequency over the voiced frames. A frame's period is the first strong peak of
  the normalised cross-correlation of a window with later samples, as in D. Talkin's RAPT ("Speech Coding and
  Synthesis", 1995).
- Pace: syllables a second without the pauses. A syllable is a peak of the level between two dips, as in N. H. de Jong
  and T. Wempe, Behavior Research Methods 41(2), 2009, here of the level of 250 to 1000 Hz, where vowels are loudest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from harness.audio_files.pcm import resampled
from harness.hearing.silero import CHUNK, SileroNet
from harness.hearing.speech_net import SPEECH, has_speech_net

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]

RATE_HZ = 8_000
HOP = RATE_HZ // 100
LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
SHORTEST, LONGEST = int(RATE_HZ / HIGHEST_HZ), int(RATE_HZ / LOWEST_HZ)
WINDOW = 240  # 30 ms: two periods of a low voice
VOICED = 0.7
FIRST_OF = 0.9  # the first peak that is this close to the highest: a multiple of the period repeats as well
PIECE = 2_000  # frames processed at a time, to bound memory
OCTAVE = 1.7  # pitches further than this factor from the median are octave errors or another voice

SPOKEN_DB = 25.0  # below the loudest frames
VOWELS_HZ = (250.0, 1000.0)
STEP = RATE_HZ // 200  # 5 ms
PAUSE_STEPS = 30
DIP_DB = 2.5
SMOOTHED = np.hanning(RATE_HZ // 20 + 2)[1:-1] / np.hanning(RATE_HZ // 20 + 2).sum()  # 50 ms

NET_RATE_HZ = 16_000
LEAST_VOICED_S = 0.3
LEAST_SPEECH_SHARE = 0.5
LEAST_DBFS = -55.0
LEAST_SYLLABLES = 3


class NoVoiceError(ValueError):
    """A recording holds no voice that could be measured; the message says what it holds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A voice: its median pitch in Hz, and its pace in syllables a second."""

    pitch_hz: float
    pace: float


def measured(samples: Samples, sample_rate: int) -> Measured:
    """Measures the voice in `(frames,)` float samples in -1…1.

    Raises:
        NoVoiceError: There is no voice in it, or mostly something else.
    """
    low = resampled(samples, sample_rate, RATE_HZ).astype(np.float64)
    levels_db = _levels_db(low, HOP)
    if not levels_db.size or float(np.quantile(levels_db, 0.99)) < LEAST_DBFS:
        raise NoVoiceError("it is silent")
    pitches_hz = _pitches_hz(low)
    spoken = levels_db > np.quantile(levels_db, 0.95) - SPOKEN_DB
    voiced = spoken & (pitches_hz > 0)
    if voiced.sum() * HOP < LEAST_VOICED_S * RATE_HZ:
        raise NoVoiceError("there is too little voice in it")
    if has_speech_net() and _speech_share(samples, sample_rate) < LEAST_SPEECH_SHARE:
        raise NoVoiceError("it is mostly music or noise, not speech")
    syllables, spoken_s = _syllables(low)
    if syllables < LEAST_SYLLABLES:
        raise NoVoiceError("there are too few syllables in it")
    return Measured(_median(pitches_hz[voiced]), syllables / spoken_s)


def _median(pitches_hz: Floats) -> float:
    middle = float(np.median(pitches_hz))
    near = pitches_hz[(pitches_hz > middle / OCTAVE) & (pitches_hz < middle * OCTAVE)]
    return float(np.median(near))


def _levels_db(low: Floats, step: int) -> Floats:
    """The level in dBFS at each `step` samples, smoothed over 50 ms."""
    if low.size < SMOOTHED.size:
        return np.zeros(0)
    powers = np.convolve(np.square(low), SMOOTHED, "same")[step // 2 :: step][: low.size // step]
    return np.asarray(10 * np.log10(np.maximum(powers, 1e-12)))


def _pitches_hz(low: Floats) -> Floats:
    """The pitch of each 10 ms in Hz, 0 where there is none."""
    frames = low.size // HOP
    before = (WINDOW + LONGEST - HOP) // 2
    padded = np.pad(low, (before, WINDOW + LONGEST))
    parts = [_piece(padded[first * HOP :], min(PIECE, frames - first)) for first in range(0, frames, PIECE)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _piece(padded: Floats, frames: int) -> Floats:
    lags = LONGEST + 2
    seen = sliding_window_view(padded, WINDOW + lags)[: frames * HOP : HOP]
    size = 1 << (2 * WINDOW + lags).bit_length()
    own = seen[:, :WINDOW] - seen[:, :WINDOW].mean(axis=1, keepdims=True)
    product = np.fft.irfft(np.fft.rfft(seen, size) * np.conj(np.fft.rfft(own, size)), size)[:, :lags]
    sums = np.cumsum(np.pad(np.square(seen), ((0, 0), (1, 0))), axis=1)
    later = sums[:, WINDOW : WINDOW + lags] - sums[:, :lags]
    both = np.square(own).sum(axis=1, keepdims=True) * later
    alike = product / np.sqrt(np.maximum(both, 1e-18))
    return np.array([_pitch_hz(row) for row in alike])


def _pitch_hz(alike: Floats) -> float:
    """The pitch of a frame from its likeness to itself at each lag; 0 if it has none."""
    inner = alike[SHORTEST : LONGEST + 1]
    is_peak = (inner >= alike[SHORTEST - 1 : LONGEST]) & (inner >= alike[SHORTEST + 1 : LONGEST + 2])
    peaks = np.flatnonzero(is_peak)
    if not peaks.size or inner[peaks].max() < VOICED:
        return 0.0
    lag = SHORTEST + int(peaks[inner[peaks] >= FIRST_OF * inner[peaks].max()][0])
    left, middle, right = alike[lag - 1 : lag + 2]
    bend = left - 2 * middle + right
    return float(RATE_HZ / (lag + (0.5 * (left - right) / bend if bend < 0 else 0.0)))


def _syllables(low: Floats) -> tuple[int, float]:
    """The number of syllables, and the seconds in which they were spoken, without the pauses."""
    from scipy import signal

    band = signal.butter(2, VOWELS_HZ, "bandpass", fs=RATE_HZ, output="sos")
    levels_db = _levels_db(np.asarray(signal.sosfilt(band, low)), STEP)
    least_db = float(np.quantile(levels_db, 0.95)) - SPOKEN_DB
    at = np.flatnonzero(levels_db > least_db)
    gaps = np.diff(at)
    steps = at.size + int((gaps[gaps <= PAUSE_STEPS] - 1).sum())
    return _peaks(np.maximum(levels_db, least_db)), steps * STEP / RATE_HZ


def _peaks(levels_db: Floats) -> int:
    """Counts the peaks that have a dip of at least `DIP_DB` on either side."""
    count, floor, top = 0, float(levels_db[0]), -np.inf
    for level in levels_db.tolist():
        top = max(top, level)
        if top - level >= DIP_DB:
            count += top - floor >= DIP_DB
            floor, top = level, -np.inf
        elif level < floor:
            floor = top = level
    return count


def _speech_share(samples: Samples, sample_rate: int) -> float:
    """The share of the audible chunks that the Silero network takes for speech."""
    at_16k = resampled(samples, sample_rate, NET_RATE_HZ)
    chunks = at_16k[: at_16k.size // CHUNK * CHUNK].reshape(-1, CHUNK)
    powers = np.square(chunks).mean(axis=1)
    audible = powers > np.quantile(powers, 0.95) * 10 ** (-SPOKEN_DB / 10)
    gain = np.float32(0.1 / max(1e-4, float(np.sqrt(np.quantile(powers, 0.95)))))
    net = SileroNet()
    sure = np.array([net.hear(np.clip(chunk * gain, -1, 1)) for chunk in chunks]) >= SPEECH
    return float(sure[audible].mean()) if audible.any() else 0.0
