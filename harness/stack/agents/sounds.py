"""Loops of sound that is not speech: for tracks beside an agent's voice, and for hold music."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.stack.agents.mouth import FRAME
from harness.stack.agents.trimmed_speech import RATE_HZ, Pcm

Wave = npt.NDArray[np.float64]
Sound = Literal["silence", "noise", "tone", "hum", "music"]
LOOP_S = 4  # length in seconds; every sound has a whole number of periods in it, so that the loop is seamless
_HUM_HZ = (50, 100, 150, 250)
_TONE_HZ = 440
_CHORDS_HZ = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))  # one chord per second
_FADE_S = 0.05


@cache
def loop(sound: Sound, dbfs: float) -> Pcm:
    """The sound at an RMS level of `dbfs`, `(LOOP_S * 48000,)` int16 mono."""
    wave = _wave(sound)
    rms = float(np.sqrt((wave**2).mean()))
    if rms > 0:
        wave *= 10 ** (dbfs / 20) / rms
    return np.clip(np.rint(wave * 32767), -32768, 32767).astype(np.int16)


def frame_at(pcm: Pcm, number: int) -> Pcm:
    """10 ms frame `number` of the loop repeated for ever."""
    start = number * FRAME % len(pcm)
    return pcm[start : start + FRAME]


def _wave(sound: Sound) -> Wave:
    time_s = np.arange(LOOP_S * RATE_HZ) / RATE_HZ
    wave: Wave = np.zeros(len(time_s))
    if sound == "noise":
        wave = np.random.default_rng(0).normal(size=len(time_s))
    elif sound == "tone":
        wave = np.sin(2 * np.pi * _TONE_HZ * time_s)
    elif sound == "hum":
        wave = _chord(_HUM_HZ, time_s)
    elif sound == "music":
        second_s = time_s[:RATE_HZ]
        swell = np.minimum(1.0, np.minimum(second_s, 1.0 - second_s) / _FADE_S)
        wave = np.concatenate([swell * _chord(chord, second_s) for chord in _CHORDS_HZ])
    return wave


def _chord(tones_hz: Sequence[int], time_s: Wave) -> Wave:
    waves = [np.sin(2 * np.pi * tone_hz * time_s) for tone_hz in tones_hz]
    return np.asarray(np.sum(waves, axis=0), np.float64)
