"""Decides whether a detected sound can be a voice; key clicks, breaths and beeps cannot.

Speech contains vowels, which have a sustained pitch. A sound without any pitch, or with only one or two spectral lines,
is certainly not speech. Everything else may be: `speech_net.py` can tell music, and a steady hum with harmonics, which
tests use in place of a voice, counts as one.

- Pitch: the autocorrelation over 40 ms, every 10 ms, at 60 to 400 Hz, of the first differences of the signal, divided
  by the energy of the 40 ms (Rabiner, IEEE Trans. ASSP 25(1), 1977). A struck key rings for a few milliseconds, so a
  pitch counts only if three consecutive frames have it at about the same level.
- Tone: over 97 % of the energy within 2 % of at most two frequencies (a ringing or dial tone has two).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from harness.hearing.level import FULL_SCALE

Floats = NDArray[np.float64]

SAMPLE_RATE = 48_000
DECIMATED = 6
RATE_HZ = SAMPLE_RATE // DECIMATED
HOP = 480  # 10 ms of the stream
WINDOW_HOPS = 4  # 40 ms
LAGS = (RATE_HZ // 400, RATE_HZ // 60)
PITCHED = 0.35
RUN = 3
PERIODIC, SAME_PERIOD, HUM_SHARE = 0.8, 0.03, 0.8
LONGEST_HOPS = 200
ABOUT_THE_SAME = 10 ** (-12 / 10)
LEAST_POWER = FULL_SCALE**2 * 10 ** (-62 / 10)  # anything softer is ignored
TONE_SHARE, TONE_LINES, TONE_WIDTH = 0.97, 2, 0.02
TONE_EDGE, TONE_LEAST = 0.02, 30 * RATE_HZ // 1000
TONE_FFT = 2048

_HOP = HOP // DECIMATED
_WINDOW = WINDOW_HOPS * _HOP
_FFT = 1024  # for 320 samples, so that the correlation does not wrap around


class SpeechSeeker:
    """Looks for a pitch in one stretch of sound, which is fed in blocks of any size.

    Attributes:
        found: The first sample with a pitch, counted from the start of the stretch; None until there is one.
        listens_on: Whether to keep analysing after a pitch was found, for `is_one_hum`.
    """

    def __init__(self) -> None:
        self.found: int | None = None
        self.listens_on = False
        self._periods: list[int] = []
        self._raw = np.zeros(0, np.int16)
        self._signal = np.zeros(0, np.float64)
        self._hops = 0  # hops analysed
        self._heard = 0  # of those, hops that were not silent
        self._run: list[float] = []

    def feed(self, samples: NDArray[np.int16]) -> None:
        """Adds the next samples, (frames,) int16 mono at 48 kHz."""
        if self._is_done:
            return
        raw = np.concatenate([self._raw, samples])
        whole = raw[: raw.size // HOP * HOP]
        self._raw = raw[whole.size :]
        signal = np.concatenate([self._signal, whole.astype(np.float64).reshape(-1, DECIMATED).mean(axis=1)])
        count = max(0, (signal.size - _WINDOW) // _HOP + 1)
        if count:
            # All windows at once: their number per block depends on the block, what is found in each does not.
            windows = np.ascontiguousarray(sliding_window_view(signal, _WINDOW)[::_HOP])
            for window, power, period, alike in zip(windows, *_analysed(windows), strict=True):
                if self._is_done:
                    break
                self._look(window, float(power), int(period), float(alike))
        self._signal = signal[count * _HOP :]

    @property
    def _is_done(self) -> bool:
        return self.found is not None and (not self.listens_on or self._hops >= LONGEST_HOPS)

    @property
    def is_one_hum(self) -> bool:
        """Whether the pitch never changes and each period nearly repeats the last, unlike music or speech.

        This holds for the tone with harmonics that tests play in place of a voice.
        """
        if not self._periods:
            return False
        middle = float(np.median(self._periods))
        same = sum(abs(period - middle) <= SAME_PERIOD * middle for period in self._periods)
        return same >= HUM_SHARE * self._heard

    def _look(self, window: Floats, power: float, period: int, alike: float) -> None:
        self._hops += 1
        if power < LEAST_POWER:
            self._run.clear()
            return
        self._heard += 1
        if alike >= PERIODIC:
            self._periods.append(period)
        if self.found is not None:
            return
        if alike < PITCHED:
            self._run.clear()
            return
        self._run.append(power)
        while min(self._run) < ABOUT_THE_SAME * max(self._run):
            del self._run[0]
        if len(self._run) >= RUN and _is_more_than_a_tone(window):
            self.found = (self._hops - RUN) * HOP
        del self._run[: -RUN + 1]


def _analysed(windows: Floats) -> tuple[Floats, NDArray[np.intp], Floats]:
    """The power of each of (windows, samples), its best period, and how alike its periods are.

    That is the lag in samples with the highest normalised autocorrelation, and that value (1: an exact repetition).
    """
    powers = np.mean((windows - windows.mean(axis=1, keepdims=True)) ** 2, axis=1)
    slopes = np.diff(windows, axis=1)
    slopes -= slopes.mean(axis=1, keepdims=True)
    energies = np.vecdot(slopes, slopes)
    spectra = np.fft.rfft(slopes, _FFT, axis=1)
    alike = np.fft.irfft(spectra * spectra.conj(), _FFT, axis=1)[:, LAGS[0] : LAGS[1]]
    # Fewer samples overlap at a longer lag.
    alike /= 1 - np.arange(LAGS[0], LAGS[1]) / slopes.shape[1]
    best = np.argmax(alike, axis=1)
    most = np.take_along_axis(alike, best[:, None], axis=1)[:, 0]
    return powers, LAGS[0] + best, np.where(energies > 0, most / np.where(energies > 0, energies, 1.0), 0.0)


def _is_more_than_a_tone(window: Floats) -> bool:
    """Whether the window certainly holds more than one or two spectral lines; False if too little of it is filled."""
    signal = window - window.mean()
    loud = np.flatnonzero(np.abs(signal) > TONE_EDGE * np.abs(signal).max())
    signal = signal[loud[0] : loud[-1] + 1]
    if signal.size < TONE_LEAST:
        return False
    power = np.abs(np.fft.rfft(signal * np.hanning(signal.size), TONE_FFT)) ** 2
    lobe = round(2.2 * TONE_FFT / signal.size)  # half the main lobe of the Hann window
    left = power.copy()
    for _ in range(TONE_LINES):
        peak = int(np.argmax(left))
        width = max(lobe, round(TONE_WIDTH * peak))
        left[max(0, peak - width) : peak + width + 1] = 0
    return bool(left.sum() > (1 - TONE_SHARE) * power.sum())
