"""Endpointing: where a caller's utterance begins and ends, from the speech probability of each 32 ms chunk."""

from __future__ import annotations

from dataclasses import dataclass

CHUNK = 512  # samples in one Silero chunk at 16 kHz: 32 ms
RATE_HZ = 16_000
CHUNK_MS = CHUNK * 1000 // RATE_HZ

SPEECH = 0.5
STILL_SPEECH = 0.35  # Silero's own two thresholds: the first starts an utterance, the second, lower one keeps it going
# A pause this long starts the recogniser. Most such pauses are the end, so its text is ready by then.
RECOGNISE_AFTER_MS = 200
# A pause this long resets the count of continuous speech: two short sounds are no sentence, "Wait, one" is.
RUN_GAP_MS = 350
# Continuous speech that takes the turn (a barge-in). A cough or an "mm-hmm" (450 to 500 ms) is shorter.
BARGE_IN_MS = 550
SHORTEST_MS = 96  # an utterance with less speech than this in total is a click


@dataclass(frozen=True, slots=True)
class VoiceBegan:
    """The caller's voice set in at sample `start`."""

    start: int


@dataclass(frozen=True, slots=True)
class VoiceGoesOn:
    """The caller has spoken for `BARGE_IN_MS` without a break; emitted once per utterance."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Silence since sample `end`; possibly the end of the utterance that began at `start`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The caller went on after the pause."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance in samples `[start, end)` has ended; `longest_run_ms`: its longest continuous speech."""

    start: int
    end: int
    longest_run_ms: int

    @property
    def took_turn(self) -> bool:
        """Whether it was longer than a cough or a backchannel ("mm-hmm")."""
        return self.longest_run_ms >= BARGE_IN_MS


TurnEvent = VoiceBegan | VoiceGoesOn | Paused | Resumed | Ended


class Endpointer:
    """Counts speech and silence in the chunks' speech probabilities and emits turn events.

    Args:
        endpointing_s: Seconds of silence that end an utterance.
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
        """Whether an utterance is in progress."""
        return self._start is not None

    def chunk(self, probability: float) -> list[TurnEvent]:
        """Processes the next `CHUNK` samples by their speech probability; returns the events they cause."""
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
        assert self._start is not None  # noqa: S101 - only called during an utterance
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
