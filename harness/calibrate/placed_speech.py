"""Speech placed at known positions, as the ground truth for a detector.

The natural beginning of a recording is not a sharp ground truth: breath and a first consonant rise over tens of
milliseconds. So a recording is cut at its first millisecond that is within 25 dB of its active level and stays there,
and after its last one. The ground truth is the sample of the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.hearing.level import FULL_SCALE
from harness.hearing.voice_quality import active_level
from harness.metrics.percentiles import percentile

SAMPLE_RATE = 48_000
FINE = SAMPLE_RATE // 1000
CUT_BELOW_ACTIVE_DB = 25.0
GOES_ON_MS, GOES_ON_SHARE = 50, 0.6  # anything shorter is a click or a breath
NEAR_S = 0.3  # an edge this close to a true one is matched with it
PEAK = 0.99 * FULL_SCALE

Wave = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlacedSpeech:
    """Speech without noise, in int16 scale at 48 kHz, and the start and end of each voice in samples (half-open)."""

    clean: Wave
    spans: Sequence[tuple[int, int]]

    @property
    def silence_s(self) -> float:
        """The total silence in seconds."""
        return (self.clean.size - sum(end - start for start, end in self.spans)) / SAMPLE_RATE


@dataclass
class EdgeErrors:
    """Detection results on placed speech. Errors in ms, detected minus true."""

    onsets_ms: list[float] = field(default_factory=list)
    ends_ms: list[float] = field(default_factory=list)
    missed: int = 0
    false: int = 0
    silence_s: float = 0.0

    def add(self, speech: PlacedSpeech, onsets: Sequence[int], ends: Sequence[int]) -> None:
        """Compares detected edges, in samples, with the true ones; edges at pauses within a voice are ignored."""
        near = round(NEAR_S * SAMPLE_RATE)
        for start, end in speech.spans:
            mine = [onset for onset in onsets if start - near <= onset < min(end, start + near)]
            self.missed += not mine
            self.onsets_ms += [(onset - start) / FINE for onset in mine[:1]]
            mine = [one for one in ends if end - near <= one < end + near]
            self.ends_ms += [(one - end) / FINE for one in mine[-1:]]
        inside = [(start - near, end + near) for start, end in speech.spans]
        self.false += sum(all(not first <= onset < stop for first, stop in inside) for onset in onsets)
        self.silence_s += speech.silence_s

    @property
    def false_per_10min(self) -> float:
        """False onsets per 10 minutes of silence."""
        return round(self.false * 600 / self.silence_s, 2) if self.silence_s else 0.0


def error_ms(errors: Sequence[float], share: float) -> float | None:
    """A percentile of the absolute errors in ms; None if there are none."""
    return round(percentile([abs(error) for error in errors], share), 2) if errors else None


def cut_sharp(wave: Wave, *, level_dbfs: float, most_s: float) -> Wave | None:
    """Cuts (frames,) speech at 48 kHz to its voice and scales it to an active level (ITU-T P.56); None if no voice."""
    powers = np.mean(np.square(wave[: wave.size // FINE * FINE].reshape(-1, FINE), dtype=np.float64), axis=1)
    active_dbfs, active_ms = active_level(powers)
    if not active_ms:
        return None
    loud = powers > FULL_SCALE**2 * 10 ** ((active_dbfs - CUT_BELOW_ACTIVE_DB) / 10)
    first = _goes_on(loud)
    last = _goes_on(loud[::-1])
    if first is None or last is None:
        return None
    cut = wave[first * FINE : (loud.size - last) * FINE]
    whole = cut.size <= most_s * SAMPLE_RATE
    gain = min(10 ** ((level_dbfs - active_dbfs) / 20), PEAK / float(np.abs(cut).max()))
    scaled: Wave = (cut * np.float32(gain)).astype(np.float32)
    return scaled if whole else cut_sharp(scaled[: round(most_s * SAMPLE_RATE)], level_dbfs=level_dbfs, most_s=most_s)


def _goes_on(loud: NDArray[np.bool_]) -> int | None:
    """The first loud millisecond that is followed by enough others; None if there is none."""
    for first in np.flatnonzero(loud):
        if np.mean(loud[first : first + GOES_ON_MS]) >= GOES_ON_SHARE:
            return int(first)
    return None


def place(voices: Sequence[Wave], gaps_s: tuple[float, float], rng: np.random.Generator) -> PlacedSpeech:
    """Places all voices one after the other, with random gaps before them and a second of silence at the end."""
    pieces: list[Wave] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for voice in voices:
        gap = round(rng.uniform(*gaps_s) * SAMPLE_RATE)
        pieces += [np.zeros(gap, np.float32), voice]
        spans.append((at + gap, at + gap + voice.size))
        at += gap + voice.size
    return PlacedSpeech(np.concatenate([*pieces, np.zeros(SAMPLE_RATE, np.float32)]), spans)


def as_pcm(wave: Wave) -> NDArray[np.int16]:
    """Rounds and clips samples in int16 scale to int16."""
    pcm: NDArray[np.int16] = np.clip(np.rint(wave), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return pcm
