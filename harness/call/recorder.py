"""A call's audio as a stereo WAV: left the caller as sent, right the agent as heard, both by their time on the wire.

Each track is written as one unbroken stream and moved to its time only where that changes no number, which is in quiet
and before a voice that sets in after it: the agent's voice is found again in the file later (`measure/heard_again.py`).
So what was heard is in the file, sample for sample, but for quiet ones that were left out where the stream moved back
in time. Where an agent has several tracks, they are added up when the file is saved: the right channel is what a person
hears.
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
from harness.hearing.level import peak

SLIP = SAMPLE_RATE // 100  # 10 ms: closer than this to its time, a block follows the last one without a seam
SET_IN = SAMPLE_RATE // 1000  # a voice after quiet is put nearer to its time than this
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
        self._quiet: NDArray[np.int16] = np.zeros(0, np.int16)  # what ends the track by now, not yet written
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
        is_quiet = peak(samples) <= QUIET
        moved = begins or ahead > FAR or (abs(ahead) > SLIP and is_quiet)
        left_out = 0
        if moved and ahead > 0:
            self._write(np.zeros(ahead, np.int16))
        elif moved:
            left_out = min(samples.size, -ahead)
            samples = samples[left_out:]
        if is_quiet:
            self._write_quiet(samples)
        else:
            self._write(samples)
        return left_out if moved else None

    def sets_in(self, samples: NDArray[np.int16]) -> int | None:
        """At which sample a voice sets in after quiet, to 10 ms; None where none does."""
        if not self._quiet.size or peak(samples) <= QUIET:
            return None
        return next(at for at in range(0, samples.size, SLIP) if peak(samples[at : at + SLIP]) > QUIET)

    def place_voice(self, at: int, samples: NDArray[np.int16], quiet: NDArray[np.int16]) -> int | None:
        """As `place`, for a voice that sets in: the quiet before it, with what was written last, gives way."""
        self._write_quiet(quiet)
        ahead = at - self.next
        if abs(ahead) < SET_IN:
            self._write(samples)
            return None
        if ahead > 0:
            self._write(np.zeros(ahead, np.int16))
        else:
            stays = max(0, self._quiet.size + ahead)
            self.next -= self._quiet.size - stays
            self._quiet = self._quiet[:stays]
        self._write(samples)
        return 0

    def _write_quiet(self, samples: NDArray[np.int16]) -> None:
        """What may yet give way to a voice is kept back."""
        whole = np.concatenate([self._quiet, samples])
        self._quiet = whole[max(0, whole.size - FAR) :]
        self._file.write(whole[: whole.size - self._quiet.size].tobytes())
        self.next += samples.size

    def _write(self, samples: NDArray[np.int16]) -> None:
        self._flush()
        self._file.write(samples.tobytes())
        self.next += samples.size

    def _flush(self) -> None:
        if self._quiet.size:
            self._file.write(self._quiet.tobytes())
            self._quiet = self._quiet[:0]

    def close(self) -> None:
        try:
            self._flush()
        finally:
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
        left = self._left
        if left is not None:
            self._place(left_ns, lambda at: left.place(at, samples))

    def heard(self, heard: Heard) -> Stand | None:
        """A block of a track. Returns where its stream stands; None where nothing is recorded."""
        channel = self._channel_of(heard.track)
        if channel is None:
            return None
        quiet = channel.sets_in(heard.samples)
        begins = heard.position + (quiet or 0)
        if quiet is None:
            left_out = self._place(heard.wire_ns, lambda at: channel.place(at, heard.samples))
        else:
            voice, before = heard.samples[quiet:], heard.samples[:quiet]
            left_out = self._place(heard.wire_at(begins), lambda at: channel.place_voice(at, voice, before))
        if self.broken is not None:
            return None
        goes_on, next_place = heard.position + heard.samples.size, channel.next
        stand = self._stands.get(heard.track)
        if stand is None or left_out is not None or stand.place_of(goes_on) != next_place:
            first = begins + (left_out or 0)
            stand = self._stands[heard.track] = Stand(first, next_place - (goes_on - first))
        return stand

    def _channel_of(self, track: str) -> _Channel | None:
        if self.broken is not None or self._start_ns is None:
            return None
        if track not in self._tracks:
            self._tracks[track] = _Channel(self._spool(f"right{len(self._tracks)}"))
        return self._tracks[track]

    def _place(self, at_ns: int, place: Callable[[int], int | None]) -> int | None:
        if self.broken is not None or self._start_ns is None:
            return None
        at = max(0, round((at_ns - self._start_ns) * SAMPLE_RATE / NS_PER_S))
        try:
            return place(at)
        except OSError as problem:
            self._fail(problem)
            return None

    def _fail(self, problem: OSError) -> None:
        if self.broken is None:
            self.broken = OwnFailure(
                "harness.disk",
                f"the recording {self._path.parent.name}/{self._path.name} cannot be written: {problem.strerror}",
                hint="free space on the disk, or --record none",
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
