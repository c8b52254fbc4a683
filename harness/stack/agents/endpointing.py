"""Where a caller's utterance begins and ends, decided from the voice activity of one 32 ms chunk after the other."""

from __future__ import annotations

from dataclasses import dataclass

CHUNK = 512
"""Samples of one Silero chunk at 16 kHz: 32 ms."""
RATE_HZ = 16_000
CHUNK_MS = CHUNK * 1000 // RATE_HZ

SPEECH = 0.5
STILL_SPEECH = 0.35
"""Silero's own two thresholds: what begins an utterance, and what keeps one going."""
RECOGNISE_AFTER_MS = 200
"""A pause of this length starts the recogniser; most are the end, and then its text is ready at the end."""
RUN_GAP_MS = 350
"""A pause this long starts the count of unbroken speech anew: two short sounds are no sentence, "Wait, one" is."""
BARGE_IN_MS = 550
"""So much unbroken speech takes the turn; a cough and an "mm-hmm" (450 to 500 ms) are shorter."""
SHORTEST_MS = 96
"""Less speech than this, in all, is a click."""


@dataclass(frozen=True, slots=True)
class VoiceBegan:
    """The caller's voice set in at sample `start`."""

    start: int


@dataclass(frozen=True, slots=True)
class VoiceGoesOn:
    """The caller has spoken for `BARGE_IN_MS` without a break; said once an utterance."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Silence since sample `end`, perhaps the end of what began at `start`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause was none: the caller goes on."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance of samples `[start, end)` is over; `longest_run_ms` is its longest unbroken speech."""

    start: int
    end: int
    longest_run_ms: int

    @property
    def took_turn(self) -> bool:
        """Whether it was more than a cough or an "mm-hmm"."""
        return self.longest_run_ms >= BARGE_IN_MS


TurnEvent = VoiceBegan | VoiceGoesOn | Paused | Resumed | Ended


class Endpointer:
    """Counts speech and silence; the probability of each chunk goes in, what it means comes out.

    Args:
        endpointing_s: The silence that ends an utterance, in seconds.
    """

    def __init__(self, endpointing_s: float) -> None:
        self._silence_ms_to_end = endpointing_s * 1000
        self._at = 0
        self._start: int | None = None
        self._end = 0
        self._speech_ms = self._run_ms = self._longest_run_ms = self._silence_ms = 0
        self._paused = self._took_turn = False

    @property
    def in_utterance(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return self._start is not None

    def chunk(self, probability: float) -> list[TurnEvent]:
        """What the next `CHUNK` samples decide."""
        start, self._at = self._at, self._at + CHUNK
        if self._start is None:
            if probability < SPEECH:
                return []
            self._start = start
            self._speech_ms = self._run_ms = self._longest_run_ms = self._silence_ms = 0
            self._paused = self._took_turn = False
            return [VoiceBegan(start), *self._speech()]
        if probability >= (SPEECH if self._paused else STILL_SPEECH):
            return self._speech()
        return self._silence()

    def _speech(self) -> list[TurnEvent]:
        events: list[TurnEvent] = []
        if self._paused:
            self._paused = False
            events.append(Resumed())
        self._run_ms = CHUNK_MS if self._silence_ms >= RUN_GAP_MS else self._run_ms + self._silence_ms + CHUNK_MS
        self._longest_run_ms = max(self._longest_run_ms, self._run_ms)
        self._speech_ms += CHUNK_MS
        self._silence_ms = 0
        self._end = self._at
        if self._run_ms >= BARGE_IN_MS and not self._took_turn:
            self._took_turn = True
            events.append(VoiceGoesOn())
        return events

    def _silence(self) -> list[TurnEvent]:
        assert self._start is not None  # noqa: S101 - only called within an utterance
        self._silence_ms += CHUNK_MS
        start, end = self._start, self._end
        enough = self._speech_ms >= SHORTEST_MS
        if self._silence_ms >= self._silence_ms_to_end:
            self._start = None
            return [Ended(start, end, self._longest_run_ms)] if enough else []
        if self._silence_ms >= RECOGNISE_AFTER_MS and not self._paused:
            self._paused = True
            return [Paused(start, end)] if enough else []
        return []
