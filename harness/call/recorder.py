"""A call's audio as a stereo WAV: left the caller as sent, right the agent as heard, both by their time on the wire.

Each side is written as one unbroken stream and moved to its time only where that changes no number: the agent's voice
is found again in the file later (`measure/heard_again.py`). So what was heard is in the file, sample for sample, but
for quiet ones that were left out where the stream moved back in time.
"""

from __future__ import annotations

import contextlib
import fcntl
import wave
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
    """One side, spooled to a file of raw samples; gaps are silence."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.next = 0
        self._file = BackgroundFile(path, opened=_lock)

    def place(self, at: int, samples: NDArray[np.int16]) -> int | None:
        """Writes the samples, at `at` where they may be moved there.

        Returns:
            How many of them were left out; None where they simply follow what is there.
        """
        ahead = at - self.next
        moved = self.next == 0 or ahead > FAR or (abs(ahead) > SLIP and peak(samples) <= QUIET)
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
        self._channels: list[_Channel] = []
        self._start_ns: int | None = None
        self._stand: Stand | None = None
        self.broken: OwnFailure | None = None

    def start(self, start_ns: int) -> None:
        """The recording's first sample is at this time."""
        self._start_ns = start_ns
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for side in ("left", "right"):
                self._channels.append(_Channel(self._path.with_name(f".{self._path.stem}.{side}.raw")))
        except OSError as problem:
            self._fail(problem)

    def sent(self, left_ns: int, samples: NDArray[np.int16]) -> None:
        """The caller's samples, whose first left then."""
        self._place(0, left_ns, samples)

    def heard(self, heard: Heard) -> Stand | None:
        """A block of what the agent sent. Returns where the stream stands; None where nothing is recorded."""
        left_out = self._place(1, heard.wire_ns, heard.samples)
        if self.broken is not None or self._start_ns is None:
            return None
        goes_on, next_place = heard.position + heard.samples.size, self._channels[1].next
        if self._stand is None or left_out is not None or self._stand.place_of(goes_on) != next_place:
            first = heard.position + (left_out or 0)
            self._stand = Stand(first, next_place - (goes_on - first))
        return self._stand

    def _place(self, side: int, at_ns: int, samples: NDArray[np.int16]) -> int | None:
        if self.broken is not None or self._start_ns is None:
            return None
        at = max(0, round((at_ns - self._start_ns) * SAMPLE_RATE / NS_PER_S))
        try:
            return self._channels[side].place(at, samples)
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

    def save(self) -> bool:
        """Writes the WAV, slowly for long calls; False where nothing could be saved (see `broken`)."""
        if not self._channels or self.broken is not None:
            self.discard()
            return False
        temporary = self._path.with_name(f".{self._path.name}.part")
        try:
            for channel in self._channels:
                channel.close()
            sizes = [channel.path.stat().st_size // 2 for channel in self._channels]
            with (
                # Not libsndfile: of a disk that is full it says "System error" and no more.
                temporary.open("wb") as file,
                wave.open(file, "wb") as wav,
                self._channels[0].path.open("rb") as left,
                self._channels[1].path.open("rb") as right,
            ):
                wav.setnchannels(2)
                wav.setsampwidth(2)
                wav.setframerate(SAMPLE_RATE)
                for start in range(0, max(sizes), CHUNK):
                    count = min(CHUNK, max(sizes) - start)
                    both = np.zeros((count, 2), np.int16)
                    for side, spool in enumerate((left, right)):
                        samples = np.frombuffer(spool.read(2 * count), np.int16)
                        both[: samples.size, side] = samples
                    wav.writeframes(both.tobytes())
            temporary.replace(self._path)
        except OSError as problem:
            self._fail(problem)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        finally:
            self.discard()
        return True

    def discard(self) -> None:
        """Removes what was spooled."""
        for channel in self._channels:
            with contextlib.suppress(OSError):
                channel.close()
            with contextlib.suppress(OSError):
                channel.path.unlink(missing_ok=True)
        self._channels.clear()


def remove_abandoned(folder: Path) -> None:
    """Removes what recorders left in `folder` that were killed; what one that lives still writes to stays."""
    for path in folder.glob(".*.raw"):
        with contextlib.suppress(OSError), path.open("rb") as spool:
            fcntl.flock(spool, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
