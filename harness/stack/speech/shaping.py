"""Post-processing of all synthesised speech: one level, silence trimmed at both ends, 48 kHz. Pure functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_int16, levelling_gain, resampled
from harness.hearing.voiced import active_level_dbfs, voiced_bounds

SAMPLE_RATE = 48_000
SPEECH_DBFS = -23.0  # active level of speech in the range of EBU R 128 and of telephone test signals
PEAK_LIMIT = 0.891  # -1 dBFS: headroom for the overshoot of resampling and of Opus
KEPT_BEFORE_MS = 20  # silence kept around the voice, faded
KEPT_AFTER_MS = 60
FADE_MS = 5

Samples = NDArray[np.float32]


def levelled(samples: Samples, sample_rate: int, *, target_dbfs: float = SPEECH_DBFS) -> Samples:
    """The samples at the target active level, or as close to it as their peak allows."""
    peak = float(np.max(np.abs(samples), initial=0.0))
    active_dbfs = active_level_dbfs(samples, sample_rate)
    return samples * np.float32(levelling_gain(active_dbfs, peak, target_dbfs=target_dbfs, peak_limit=PEAK_LIMIT))


def trimmed(
    samples: Samples, sample_rate: int, *, before_ms: float = KEPT_BEFORE_MS, after_ms: float = KEPT_AFTER_MS
) -> Samples:
    """The voice with a little of the silence around it, faded in and out; empty if there is no voice."""
    bounds = voiced_bounds(samples, sample_rate)
    if bounds is None:
        return samples[:0]
    first = max(0, bounds[0] - round(before_ms * sample_rate / 1000))
    last = min(len(samples), bounds[1] + round(after_ms * sample_rate / 1000))
    cut = samples[first:last].copy()
    fade = min(sample_rate * FADE_MS // 1000, len(cut) // 2)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    cut[:fade] *= ramp
    cut[len(cut) - fade :] *= ramp[::-1]
    return cut


def shaped(samples: Samples, sample_rate: int) -> NDArray[np.int16]:
    """A voice's raw output as the agents use it: `(frames,)` int16 mono at 48 kHz."""
    if not len(samples):
        return np.zeros(0, np.int16)
    at_48k = resampled(samples, sample_rate, SAMPLE_RATE)
    return as_int16(trimmed(levelled(at_48k, SAMPLE_RATE), SAMPLE_RATE))
