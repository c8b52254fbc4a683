"""Locates the start and end of the words in a file of one voice, with or without noise. Pure functions.

Uses the detector of `harness/hearing/onset.py`, with additions that need the whole file:

1. The voice is normalised to one level, 27 dB above the detector's lowest threshold, so that a quiet recording is not
   cut early. The bounds of the shipped fixtures use the same 27 dB.
2. The noise is known before the first sample: at first from the quietest frames, then from those far from any words.
3. Three bands are searched, each with its own noise: the whole band, below 1 kHz, and above 2.5 kHz. A final "s" or
   "m" that is masked by noise in one band stands out in another.
4. Only stretches with a voiced or a loud sound are words. A breath, a click or a bang that stands apart is reported as
   another sound, and a breath that follows closely is cut where it starts.
5. In fluctuating noise each edge is where the cumulative sum of power minus the noise's 95th percentile is largest
   (`harness/hearing/flicker.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_int16, resampled
from harness.hearing.edge_place import FINE, FRAME
from harness.hearing.flicker import TOP, end_in_flicker, noise_top, runs
from harness.hearing.frames import Flags, Floats, active_power, frame_powers, is_level, quiet_frames
from harness.hearing.level import SILENCE_DBFS
from harness.hearing.noise_floor import LEARN_FRAMES, LOW_LEAST, NoiseFloor, power_of
from harness.hearing.onset import HANG_FRAMES, HIGH_OF, SAMPLE_RATE, WINDOW, OnsetDetector
from harness.hearing.vowels import likeness

Samples = NDArray[np.float32]

BELOW_ACTIVE_DB = 27.0
ACTIVE = LOW_LEAST * power_of(BELOW_ACTIVE_DB)  # the voice's power after normalisation
SPLIT_HZ, UPPER_HZ = 1_000.0, 2_500.0
TAPS = 241  # filter length: 5 ms, so that no edge moves

ALIKE = 0.6  # the likeness from which a frame is periodic
VOWEL_FRAMES = 4
VOWEL_LEAST, LOUD_LEAST = power_of(-20.0), power_of(-6.0)  # relative to the active level
VOWEL_OVER_NOISE, LOUD_OVER_NOISE = power_of(6.0), power_of(12.0)

NEAR_BEFORE, NEAR_AFTER = 30, 50  # frames around a vowel that may be words; the rest is noise
MOST_APART = 0.4  # share of the noise frames that other sounds may take up; beyond that they are part of the noise
LEAST_TOP_FRAMES = 20
# A breath follows a vowel within 300 ms, after 40 ms of quiet, lasts 200 ms, and is 12 dB softer than the voice.
BREATH_WITHIN, BREATH_GAP, BREATH_FRAMES, BREATH_MOST = 30, 4, 20, power_of(-12.0)

UNSURE_DB = 22.0  # with a smaller margin over the noise's top, the voice's soft ends may be masked
UNSTEADY_DB, UNSTEADY_UNSURE_DB = 5.0, 32.0  # if the noise's top exceeds its median by the first, the margin required
MOST_SOFT_MS = 80.0  # an "s" may last longer, but is detected above `UPPER_HZ`
SOFT_OVER_NOISE = power_of(15.0)  # anything louder belongs to the voice
NOISE_UNKNOWN = "there is no silence beside the voice to know its noise by"
NO_VOWEL = "nothing in it sounds like a vowel: it was taken by its loudness alone"


@dataclass(frozen=True, slots=True)
class VoicePlace:
    """Where the words are; positions are samples of the file.

    Attributes:
        start: The first sample of the words.
        end: The sample after the last.
        level_dbfs: The voice's active level.
        noise_dbfs: The 95th percentile of the noise's frame levels, at least -96; None if unknown.
        others: Start and end of each sound that is not a word.
        doubts: Messages on why the place may be wrong; empty if it is certain.
    """

    start: int
    end: int
    level_dbfs: float
    noise_dbfs: float | None
    others: tuple[tuple[int, int], ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Band:
    """A frequency band of the file: samples, frame powers, the top of its noise, and the detected stretches."""

    pcm: NDArray[np.int16]
    powers: Floats
    top: float
    stretches: list[tuple[int, int]]


def find_voice(samples: NDArray[Any], sample_rate: int) -> VoicePlace | None:
    """Locates the words in (frames,) int16, or float in -1…1; None if nothing stands out over the noise."""
    wave = samples.astype(np.float32) / np.float32(32768 if samples.dtype == np.int16 else 1)
    if not wave.size:
        return None
    whole = resampled(wave - wave.mean(), sample_rate, SAMPLE_RATE)
    whole = np.pad(whole, (0, -whole.size % FRAME))
    active = active_power(frame_powers(whole))
    if active <= 0:
        return None
    gain = float(np.sqrt(ACTIVE / active))
    found = _find(whole * np.float32(gain))
    if found is None:
        return None

    def at(position: int) -> int:
        return min(wave.size, max(0, round(position * sample_rate / SAMPLE_RATE)))

    def dbfs(power: float) -> float:
        return round(max(SILENCE_DBFS, float(10 * np.log10(max(power / gain**2, 1e-12)))), 1)

    start, end, others, top, doubts = found
    return VoicePlace(
        at(start),
        at(end),
        dbfs(ACTIVE),
        None if top is None else dbfs(top),
        tuple((at(first), at(last)) for first, last in others),
        tuple(doubts),
    )


def _find(wave: Samples) -> tuple[int, int, list[tuple[int, int]], float | None, list[str]] | None:
    """Start, end, other sounds, noise top and doubts for (frames,) at 48 kHz, normalised to the power `ACTIVE`."""
    powers = frame_powers(wave)
    vowels, has_vowel = _vowels(wave, powers)
    if is_level(powers) and not vowels:
        return None
    far = _far_from(vowels, powers.size)
    bands = [_listened(each, far) for each in _split(wave)]
    stretches = _joined([stretch for band in bands for stretch in band.stretches])
    words, others = _words(stretches, vowels)
    apart = np.zeros(powers.size, np.bool_)
    for first, last in others:
        apart[first // FRAME : -(-last // FRAME)] = True
    if vowels and 0 < int((far & apart).sum()) < MOST_APART * int(far.sum()):
        far &= ~apart  # a few other sounds must not count as noise
        bands = [_listened(each, far) for each in _split(wave)]
        stretches = _joined([stretch for band in bands for stretch in band.stretches])
        words, others = _words(stretches, vowels)
    if not words:
        return None
    begins, ends = words[0][0], words[-1][1]
    inside = [run for run in vowels if run[1] * FRAME > begins and run[0] * FRAME < ends]
    first = inside[0][0] if inside else begins // FRAME
    last = inside[-1][1] if inside else min(powers.size, -(-ends // FRAME))
    if inside:
        cut = _before_breath(powers, last, ends)
        if cut < ends:
            others = sorted([*others, (cut, ends)])
            ends = cut
        cut = wave.size - _before_breath(powers[::-1], powers.size - first, wave.size - begins)
        begins = max(begins, cut)
    by_band = [_last_of(band, last, begins, ends) for band in bands]
    end = max(by_band)
    start = wave.size - max(
        _last_of(_turned(band), powers.size - first, wave.size - ends, wave.size - begins) for band in bands
    )
    doubts = [] if has_vowel else [NO_VOWEL]
    known = int(far.sum()) >= LEAST_TOP_FRAMES or bool(quiet_frames(powers).size)
    if not known:
        return start, end, others, None, [*doubts, NOISE_UNKNOWN]
    noise = powers[far] if int(far.sum()) >= LEAST_TOP_FRAMES else quiet_frames(powers)
    top, middle = (float(np.quantile(noise, share)) for share in (TOP, 0.5))
    soft_from = max(by_band[-1], last * FRAME)
    soft = powers[soft_from // FRAME : -(-end // FRAME)]
    if end - soft_from > MOST_SOFT_MS * FINE and float(soft.mean()) < top * SOFT_OVER_NOISE:
        soft_ms = (end - soft_from) / FINE
        doubts.append(f"a soft low sound goes on for {soft_ms:.0f} ms after the last vowel, and is taken for words")
    margin_db, spread_db = _db(ACTIVE, top), _db(top, middle)
    if margin_db < UNSURE_DB:
        doubts.append(f"noise reaches up to {margin_db:.0f} dB below the voice, so its soft ends may lie in it")
    elif margin_db < UNSTEADY_UNSURE_DB and spread_db > UNSTEADY_DB:
        doubts.append(f"noise comes and goes, up to {margin_db:.0f} dB below the voice, so it may be taken for its end")
    return start, end, others, top, doubts


def _vowels(wave: Samples, powers: Floats) -> tuple[list[tuple[int, int]], bool]:
    """The runs of frames that are certainly words (vowels, and the loudest sounds), and whether any is a vowel."""
    quiet = quiet_frames(powers)
    noise = float(np.median(quiet)) if quiet.size else 0.0
    loud = powers > max(ACTIVE * LOUD_LEAST, noise * LOUD_OVER_NOISE)
    if is_level(powers):
        loud[:] = False  # a constant level may be noise alone
    often = np.convolve(loud, np.ones(WINDOW), "same") >= HIGH_OF
    repeats = (likeness(wave) > ALIKE) & (powers > max(ACTIVE * VOWEL_LEAST, noise * VOWEL_OVER_NOISE))
    return _long(repeats | (loud & often)), bool(_long(repeats))


def _long(flags: Flags) -> list[tuple[int, int]]:
    return [run for run in runs(flags) if run[1] - run[0] >= VOWEL_FRAMES]


def _far_from(vowels: Sequence[tuple[int, int]], frames: int) -> Flags:
    far = np.full(frames, bool(vowels))
    for first, last in vowels:
        far[max(0, first - NEAR_BEFORE) : last + NEAR_AFTER] = False
    return far


def _split(wave: Samples) -> Iterator[Samples]:
    """The whole band, the band below `SPLIT_HZ`, and the band above `UPPER_HZ`, by zero-delay filters."""
    from scipy.signal import firwin, oaconvolve

    yield wave
    for cutoff, passes_zero in ((SPLIT_HZ, True), (UPPER_HZ, False)):
        taps = firwin(TAPS, cutoff, fs=SAMPLE_RATE, pass_zero=passes_zero).astype(np.float32)
        yield oaconvolve(wave, taps, mode="same")


def _db(power: float, other: float) -> float:
    return float(10 * np.log10(max(power, 1e-12) / max(other, 1e-12)))


def _listened(wave: Samples, far: Flags) -> _Band:
    powers = frame_powers(wave)
    noise = powers[far] if int(far.sum()) >= LEARN_FRAMES else quiet_frames(powers)
    pcm = as_int16(wave)
    # If the file's noise is unknown, assume silence: every sound is a voice until shown otherwise.
    detector = OnsetDetector(NoiseFloor.known(noise.tolist() if noise.size else [0.0] * LEARN_FRAMES))
    edges = detector.feed(pcm) + detector.feed(np.zeros(SAMPLE_RATE, np.int16)) + detector.finish()
    stretches = [
        (edge.began, min(edge.position, wave.size)) for edge in edges if edge.edge == "end" and edge.began is not None
    ]
    return _Band(pcm, powers, noise_top(noise, LEAST_TOP_FRAMES), stretches)


def _joined(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches of all bands, joined across gaps shorter than the detector's hangover."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if joined and first - joined[-1][1] < HANG_FRAMES * FRAME:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _words(
    stretches: Sequence[tuple[int, int]], vowels: Sequence[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The stretches with a vowel, and those without; if there is no vowel at all, every stretch counts as words."""
    if not vowels:
        return list(stretches), []
    held = [any(run[0] * FRAME < last and run[1] * FRAME > first for run in vowels) for first, last in stretches]
    words = [stretch for stretch, has in zip(stretches, held, strict=True) if has]
    return words, [stretch for stretch, has in zip(stretches, held, strict=True) if not has]


def _before_breath(powers: Floats, last: int, end: int) -> int:
    """The end, moved before a breath that follows the last vowel: soft, long, and after a moment of quiet."""
    tail = powers[last : -(-end // FRAME)]
    for first, stop in reversed(runs(tail < 2 * LOW_LEAST)):
        rest = tail[stop:]
        if first >= BREATH_WITHIN or stop - first < BREATH_GAP or rest.size < BREATH_FRAMES:
            continue
        if float(np.convolve(rest, np.full(HIGH_OF, 1 / HIGH_OF), "valid").max()) < ACTIVE * BREATH_MOST:
            return (last + first + 1) * FRAME
    return end


def _last_of(band: _Band, last: int, begins: int, ends: int) -> int:
    """The sample after the last word in a band, between the start of frame `last` and sample `ends`."""
    own = [stretch[1] for stretch in band.stretches if stretch[1] > (last - 1) * FRAME and begins <= stretch[0] < ends]
    end = min(own[-1], ends) if own else last * FRAME
    return end_in_flicker(band.powers, last, end, band.top, lambda first, stop: band.pcm[first:stop])


def _turned(band: _Band) -> _Band:
    """The band reversed in time, so that the start of the words can be found as their end."""
    size = band.pcm.size
    back = sorted((size - last, size - first) for first, last in band.stretches)
    return _Band(band.pcm[::-1], band.powers[::-1], band.top, back)
