"""Recordings put together from fixtures at known times, and what is measured of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.audio_files.pcm import as_int16
from harness.audio_files.wav import read_wav
from harness.recordings.foreign import MeasuredRecording
from harness.utterances.manifest import load_manifest

FIXTURES = Path(__file__).parents[2] / "audio_fixtures"
RATE = 48_000
Stereo = NDArray[np.float64]


def fixture(name: str) -> tuple[NDArray[np.int16], float, float]:
    """A fixture's samples, and where its voice begins and ends, in ms."""
    entry = load_manifest(FIXTURES).entries[name]
    pcm = as_int16(read_wav(FIXTURES / entry.file).samples)
    return pcm, entry.voiced_start_ms, entry.voiced_end_ms


class Conversation:
    """Two channels in which voices are put at known times (ms of their voiced start)."""

    def __init__(self, seconds: float) -> None:
        self.both = np.zeros((round(seconds * RATE), 2))

    def put(self, side: int, name: str, at_ms: float) -> float:
        """Returns when the voice ends, in ms."""
        pcm, start_ms, end_ms = fixture(name)
        first = round((at_ms - start_ms) * RATE / 1000)
        self.both[first : first + pcm.size, side] += pcm / 32768
        return at_ms + end_ms - start_ms

    def written(self, folder: Path, change: Callable[[Stereo], Stereo] | None = None, rate: int = RATE) -> Path:
        path = folder / "talk.wav"
        both = self.both if change is None else change(self.both)
        soundfile.write(path, np.clip(both[:: RATE // rate], -1, 32767 / 32768), rate, subtype="PCM_16")
        return path


def two_turns() -> tuple[Conversation, float, float]:
    """A question answered after 700 ms, and one after 1,200 ms; the other values are the callers' ends."""
    made = Conversation(14)
    first_ms = made.put(0, "when-do-you-open", 1000)
    answered_ms = made.put(1, "do-you-have-oat-milk", first_ms + 700)
    second_ms = made.put(0, "do-you-have-parking", answered_ms + 1500)
    made.put(1, "thank-you", second_ms + 1200)
    return made, first_ms, second_ms


def ttfas(measured: MeasuredRecording) -> list[float | None]:
    return [turn.ttfa_ms for turn in measured.turns]
