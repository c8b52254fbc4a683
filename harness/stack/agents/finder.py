"""Finds known recordings in a stream by correlation: which one is playing, and at which position."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.stack.agents.trimmed_speech import Pcm

Samples = npt.NDArray[np.float32]

RATE_HZ = 16_000
WINDOW = RATE_HZ * 4 // 10  # samples of the stream (0.4 s) that are searched for in all fixtures
# The last 0.2 s before the voiced end decide its position: a jitter buffer may have stretched what came before.
END_WINDOW = RATE_HZ // 5
STEP = RATE_HZ * 16 // 100  # samples between searches (0.16 s) while there is sound and no fixture has been recognised
REACH = RATE_HZ * 60 // 1000  # furthest that the position may move between two looks, in samples (60 ms)
MARGIN = RATE_HZ // 100  # the end is decided once 10 ms of audio after it have arrived
# Normalised correlation from which a window matches: unrelated audio stays under 0.2, coded audio is near 0.9.
ALIKE = 0.5
AUDIBLE_DBFS = -45.0
_BLOCK = 1 << 15
_AUDIBLE_POWER = (32768 * 10 ** (AUDIBLE_DBFS / 20)) ** 2
_PRE_EMPHASIS = 0.5


@dataclass(frozen=True, slots=True)
class Fixture:
    """A WAV the caller may play: `(frames,)` at 16 kHz, voiced in `[voiced_start, voiced_end)`, in frames."""

    name: str
    samples: Samples = field(repr=False)
    voiced_start: int
    voiced_end: int


@dataclass(frozen=True, slots=True)
class Match:
    """A window of the stream matches `fixture`, whose first sample lies at stream position `origin`."""

    fixture: Fixture
    origin: int
    likeness: float


class Bank:
    """All fixtures, prepared for searching."""

    def __init__(self, fixtures: Sequence[Fixture]) -> None:
        self.fixtures = {fixture.name: fixture for fixture in fixtures}
        gap = np.zeros(WINDOW, np.float32)
        pieces: list[Samples] = []
        self._starts: list[tuple[int, Fixture]] = []
        at = 0
        for fixture in fixtures:
            pieces += [gap, sharpened(fixture.samples)]
            self._starts.append((at + WINDOW, fixture))
            at += WINDOW + len(fixture.samples)
        bank = np.concatenate([*pieces, gap]) if pieces else np.zeros(2 * WINDOW, np.float32)
        self._hop = _BLOCK - WINDOW
        blocks = -(-len(bank) // self._hop)
        padded = np.zeros(blocks * self._hop + WINDOW, np.float32)
        padded[: len(bank)] = bank
        rows = np.lib.stride_tricks.sliding_window_view(padded, _BLOCK)[:: self._hop]
        self._spectra = np.fft.rfft(rows, axis=1).astype(np.complex64)
        self._energy = _running_energy(padded, WINDOW)[: blocks * self._hop]

    def find(self, window: Samples, window_at: int) -> Match | None:
        """The fixture that contains `window`, if any; `window_at` is the window's position in the stream."""
        heard = sharpened(window)
        norm = float(np.sqrt(heard @ heard))
        if norm == 0.0 or not self._starts:
            return None
        spectrum = np.conj(np.fft.rfft(heard, _BLOCK)).astype(np.complex64)
        products = np.fft.irfft(self._spectra * spectrum, _BLOCK, axis=1)[:, : self._hop].reshape(-1)
        # A stretch with less than a thousandth of the loudest window's energy is silence between words and cannot
        # match.
        floor = float(self._energy.max()) * 1e-3
        likeness = np.where(self._energy > floor, products / (norm * np.sqrt(np.maximum(self._energy, floor))), 0.0)
        best = int(likeness.argmax())
        if likeness[best] < ALIKE:
            return None
        start, fixture = next((s, f) for s, f in reversed(self._starts) if best >= s - WINDOW)
        return Match(fixture, window_at - (best - start), float(likeness[best]))


def align(heard: Samples, template: Samples, reach: int) -> tuple[int, float]:
    """Offset of `template` from the middle of `heard`, in samples, and the correlation there.

    `heard` is `reach` samples longer than the template on either side; the offset is within ± `reach`.
    """
    wanted, stream = sharpened(template), sharpened(heard)
    norm = float(np.sqrt(wanted @ wanted))
    size = 1 << (len(stream) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(stream, size) * np.conj(np.fft.rfft(wanted, size)), size)[: 2 * reach + 1]
    energy = _running_energy(stream, len(wanted))[: 2 * reach + 1]
    likeness = products / (norm * np.sqrt(np.maximum(energy, 1.0)) + 1e-9)
    best = int(likeness.argmax())
    return best - reach, float(likeness[best])


def sharpened(samples: Samples) -> Samples:
    """Emphasises high frequencies: speech then correlates with itself at one lag, not at every pitch period."""
    out = samples.astype(np.float32)
    out[1:] -= np.float32(_PRE_EMPHASIS) * samples[:-1]
    return out


def _running_energy(samples: Samples, width: int) -> npt.NDArray[np.float64]:
    sums = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    energy: npt.NDArray[np.float64] = np.maximum(sums[width:] - sums[:-width], 0.0)
    return energy


@dataclass(frozen=True, slots=True)
class FixtureEnded:
    """The fixture's voice, in samples `[start, end)` of the stream, has been heard to its end."""

    fixture: Fixture
    start: int
    end: int
    likeness: float


class Finder:
    """Tracks which fixture is playing in the stream, and at which position.

    Args:
        bank: The fixtures.
        executor: Runs the searches (about 20 ms of numpy each), which must not delay the voice. Without it they run
            inline.
    """

    def __init__(self, bank: Bank, executor: Executor | None = None) -> None:
        self._bank = bank
        self._executor = executor
        self._kept = np.zeros(0, np.float32)
        self._kept_from = 0
        self._received = 0
        self._searched_until = 0
        self._not_before = 0
        self._search: Future[Match | None] | None = None
        self._match: Match | None = None
        self._confirmed_until = 0

    @property
    def match(self) -> Match | None:
        """The fixture that is playing, as far as it is known."""
        return self._match

    def feed(self, frame: Pcm) -> FixtureEnded | None:
        """Processes the next samples, `(n,)` int16 mono at 16 kHz; returns the fixture that has just ended, if any."""
        self._kept = np.concatenate((self._kept, frame.astype(np.float32)))
        self._received += len(frame)
        keep = 4 * RATE_HZ
        if len(self._kept) > 2 * keep:
            self._kept_from += len(self._kept) - keep
            self._kept = self._kept[-keep:]
        self._collect()
        if self._match is None:
            self._look()
            self._collect()
        return self._follow() if self._match is not None else None

    def _look(self) -> None:
        """Starts a search over the last window if one is due and there is sound."""
        start = max(self._received - WINDOW, self._not_before)
        if self._search is not None or self._received - self._searched_until < STEP or self._received - start < STEP:
            return
        window = self._heard(start, self._received)
        newest = window[-STEP:]
        if float(newest @ newest) / len(newest) < _AUDIBLE_POWER:
            return
        self._searched_until = self._received
        padded = np.zeros(WINDOW, np.float32)
        padded[WINDOW - len(window) :] = window
        window_at = self._received - WINDOW
        if self._executor is not None:
            self._search = self._executor.submit(self._bank.find, padded, window_at)
            return
        self._search = Future()
        self._search.set_result(self._bank.find(padded, window_at))

    def _collect(self) -> None:
        if self._search is None or not self._search.done():
            return
        found, self._search = self._search.result(), None
        if found is not None and found.origin + found.fixture.voiced_end > self._not_before:
            self._match = found
            self._confirmed_until = self._received

    def _follow(self) -> FixtureEnded | None:
        match = self._match
        assert match is not None  # noqa: S101 - the caller has checked
        end = match.origin + match.fixture.voiced_end
        if self._received >= end + MARGIN + REACH // 4:
            return self._conclude(match)
        if self._received - self._confirmed_until >= STEP:
            self._confirmed_until = self._received
            self._match = self._moved(match, self._received - REACH, REACH)
            if self._match is None:
                self._searched_until = 0
        return None

    def _conclude(self, match: Match) -> FixtureEnded | None:
        end = match.origin + match.fixture.voiced_end
        final = self._moved(match, end, min(REACH, self._received - end))
        self._match = None
        if final is None:
            # It was another fixture with the same beginning, or the caller broke off: search again.
            self._searched_until = 0
            return None
        self._not_before = final.origin + final.fixture.voiced_end
        return FixtureEnded(final.fixture, final.origin + final.fixture.voiced_start, self._not_before, final.likeness)

    def _moved(self, match: Match, until: int, reach: int) -> Match | None:
        """The match with its position corrected by the audio before `until`; None if it is no longer there.

        The shortest stretch that matches decides: noise may hide a final "s", but hardly half a second.
        """
        for width in (END_WINDOW, 3 * END_WINDOW):
            moved = self._moved_by(match, until, reach, width)
            if moved is not None:
                return moved
        return None

    def _moved_by(self, match: Match, until: int, reach: int, width: int) -> Match | None:
        last = until - match.origin
        first = max(0, last - width)
        template = match.fixture.samples[first:last]
        if len(template) < MARGIN or reach <= 0:
            return None
        if float(template @ template) / len(template) < _AUDIBLE_POWER / 100:
            return match  # silence between words: it may still be playing
        heard = self._heard(match.origin + first - reach, match.origin + first + len(template) + reach)
        if len(heard) < len(template) + 2 * reach:
            return match
        moved, likeness = align(heard, template, reach)
        return Match(match.fixture, match.origin + moved, likeness) if likeness >= ALIKE else None

    def _heard(self, start: int, end: int) -> Samples:
        return self._kept[max(0, start - self._kept_from) : max(0, end - self._kept_from)]
