"""A call's audio as a stereo WAV: left the caller as sent, right the agent as heard, both by their time on the wire.

Each track is written as one unbroken stream and moved to its time only where that changes no number: the agent's voice
is found again in the file later (`measure/heard_again.py`). So what was heard is in the file, sample for sample, but
for quiet ones that were left out where the stream moved back in time. Where an agent has several tracks, they are added
up when the file is saved: the right channel is what a person hears.
"""

from __future__ import annotations

import contextlib
import fcntl
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from harness.call.background_file import BackgroundFile
from harness.call.engines.line import SAMPLE_RATE, Heard
from harness.clock import NS_PER_S
from harness.errors import OwnFailure
from harness.measure.level import peak

SLIP = SAMPLE_RATE // 100  # 10 ms: closer than this to its time, a block follows the last one without a seam
FAR = 6 * SLIP  # so long before its time no block is written, whatever it holds: silence goes before it
QUIET = 18  # -65 dBFS at the peak: below the onset detector's thresholds, so no number changes without it
CHUNK = SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Stand:
    """The heard stream's sample at `position` stands at `place` in the recording, and what follows stands after it."""

    position: int
    place: int

    def place_of(self, position: int) -> int:
        """Where a later sample stands, as long as the stream is not moved."""
        return self.place + position - self.position


def _lock(file: IO[Any]) -> None:
    with contextlib.suppress(OSError):  # a disk without locks
        fcntl.flock(file, fcntl.LOCK_SH)  # as long as we live: see `remove_abandoned`


class _Channel:
    """One track, spooled to a file of raw samples from its first one on; gaps are silence."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: int | None = None
        self.next = 0
        self._file = BackgroundFile(path, opened=_lock)

    def place(self, at: int, samples: NDArray[np.int16]) -> int | None:
        """Writes the samples, at `at` where they may be moved there.

        Returns:
            How many of them were left out; None where they simply follow what is there.
        """
        begins = self.first is None
        if self.first is None:
            self.first = self.next = at
        ahead = at - self.next
        moved = begins or ahead > FAR or (abs(ahead) > SLIP and peak(samples) <= QUIET)
        left_out = 0
        if moved and ahead > 0:
            self._file.write(bytes(2 * ahead))
            self.next += ahead
        elif moved:
            left_out = min(samples.size, -ahead)
            samples = samples[left_out:]
        self._file.write(samples.tobytes())
        self.next += samples.size
        return left_out if moved else None

    def close(self) -> None:
        self._file.close()


class Recorder:
    """Records from `start_ns` on; `save` or `discard` ends it. A full disk is kept as `broken` and never raised."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left: _Channel | None = None
        self._tracks: dict[str, _Channel] = {}
        self._stands: dict[str, Stand] = {}
        self._start_ns: int | None = None
        self.broken: OwnFailure | None = None

    def start(self, start_ns: int) -> None:
        """The recording's first sample is at this time."""
        self._start_ns = start_ns
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._left = _Channel(self._spool("left"))
        except OSError as problem:
            self._fail(problem)

    def _spool(self, name: str) -> Path:
        return self._path.with_name(f".{self._path.stem}.{name}.raw")

    def sent(self, left_ns: int, samples: NDArray[np.int16]) -> None:
        """The caller's samples, whose first left then."""
        if self._left is not None:
            self._place(self._left, left_ns, samples)

    def heard(self, heard: Heard) -> Stand | None:
        """A block of a track. Returns where its stream stands; None where nothing is recorded."""
        channel = self._channel_of(heard.track)
        if channel is None:
            return None
        left_out = self._place(channel, heard.wire_ns, heard.samples)
        if self.broken is not None:
            return None
        goes_on, next_place = heard.position + heard.samples.size, channel.next
        stand = self._stands.get(heard.track)
        if stand is None or left_out is not None or stand.place_of(goes_on) != next_place:
            first = heard.position + (left_out or 0)
            stand = self._stands[heard.track] = Stand(first, next_place - (goes_on - first))
        return stand

    def _channel_of(self, track: str) -> _Channel | None:
        if self.broken is not None or self._start_ns is None:
            return None
        if track not in self._tracks:
            self._tracks[track] = _Channel(self._spool(f"right{len(self._tracks)}"))
        return self._tracks[track]

    def _place(self, channel: _Channel, at_ns: int, samples: NDArray[np.int16]) -> int | None:
        if self.broken is not None or self._start_ns is None:
            return None
        at = max(0, round((at_ns - self._start_ns) * SAMPLE_RATE / NS_PER_S))
        try:
            return channel.place(at, samples)
        except OSError as problem:
            self._fail(problem)
            return None

    def _fail(self, problem: OSError) -> None:
        if self.broken is None:
            self.broken = OwnFailure(
                "harness.disk",
                f"the recording {self._path.parent.name}/{self._path.name} cannot be written: {problem.strerror}",
                mend="free space on the disk, or --record none",
            )

    def save(self, is_agents: Callable[[str], bool] = lambda track: True) -> bool:
        """Writes the WAV, slowly for long calls; False where nothing could be saved (see `broken`).

        Args:
            is_agents: Which tracks the right channel holds.
        """
        if self._left is None or self.broken is not None:
            self.discard()
            return False
        sides = ((self._left,), tuple(channel for track, channel in self._tracks.items() if is_agents(track)))
        temporary = self._path.with_name(f".{self._path.name}.part")
        try:
            for channel in self._channels():
                channel.close()
            # Not libsndfile: of a disk that is full it says "System error" and no more.
            with temporary.open("wb") as file, wave.open(file, "wb") as wav, contextlib.ExitStack() as opened:
                spools = [
                    [(channel, opened.enter_context(channel.path.open("rb"))) for channel in side] for side in sides
                ]
                wav.setnchannels(2)
                wav.setsampwidth(2)
                wav.setframerate(SAMPLE_RATE)
                end = max((channel.next for side in sides for channel in side), default=0)
                for start in range(0, end, CHUNK):
                    both = [_mixed(side, start, min(CHUNK, end - start)) for side in spools]
                    wav.writeframes(np.stack(both, axis=1).tobytes())
            temporary.replace(self._path)
        except OSError as problem:
            self._fail(problem)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        finally:
            self.discard()
        return True

    def _channels(self) -> list[_Channel]:
        return [*([self._left] if self._left is not None else []), *self._tracks.values()]

    def discard(self) -> None:
        """Removes what was spooled."""
        for channel in self._channels():
            with contextlib.suppress(OSError):
                channel.close()
            with contextlib.suppress(OSError):
                channel.path.unlink(missing_ok=True)
        self._left = None
        self._tracks.clear()


def _mixed(side: Sequence[tuple[_Channel, IO[bytes]]], start: int, count: int) -> NDArray[np.int16]:
    """`count` samples of a side from `start` on: its spools added up, at full scale where that is too loud."""
    mixed = np.zeros(count, np.int32)
    for channel, spool in side:
        skipped = max(0, (channel.first or 0) - start)
        if skipped < count:
            samples = np.frombuffer(spool.read(2 * (count - skipped)), np.int16)
            mixed[skipped : skipped + samples.size] += samples
    return np.clip(mixed, -32768, 32767).astype(np.int16)


def remove_abandoned(folder: Path) -> None:
    """Removes what recorders left in `folder` that were killed; what one that lives still writes to stays."""
    for path in folder.glob(".*.raw"):
        with contextlib.suppress(OSError), path.open("rb") as spool:
            fcntl.flock(spool, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
