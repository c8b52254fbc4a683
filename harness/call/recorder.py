"""A call's audio as a stereo WAV: left the caller as sent, right the agent as heard, both by their time on the wire.

Each track is written as one continuous stream and moved to its time only where that changes no metric: in quiet, and
before a voice that sets in after quiet, since the agent's voice is found again in the file later
(`measure/heard_again.py`). So the file has everything that was heard, sample for sample, except quiet samples left out
where the stream moved back in time. If an agent has several tracks, they are mixed when the file is saved: the right
channel is what a person hears.
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

SLIP = SAMPLE_RATE // 100  # 10 ms: if closer than this to its time, a block directly follows the last one
SET_IN = SAMPLE_RATE // 1000  # a voice after quiet is placed closer to its time than this
FAR = 6 * SLIP  # a block further ahead of the stream than this is placed at its time whatever it holds, after silence
QUIET = 18  # -65 dBFS at the peak: below the onset detector's thresholds, so no metric depends on it
CHUNK = SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Stand:
    """The heard stream's sample at `position` is at `place` in the recording, and the rest follows it."""

    position: int
    place: int

    def place_of(self, position: int) -> int:
        """Where a later sample is, as long as the stream is not moved."""
        return self.place + position - self.position


def _lock(file: IO[Any]) -> None:
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(file, fcntl.LOCK_SH)  # for our lifetime: see `remove_abandoned`


class _Channel:
    """One track, spooled to a file of raw samples from its first one on; gaps are filled with silence."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: int | None = None
        self.next = 0
        self._quiet: NDArray[np.int16] = np.zeros(0, np.int16)  # the quiet end of the track so far, not yet written
        self._file = BackgroundFile(path, opened=_lock)

    def place(self, at: int, samples: NDArray[np.int16]) -> int | None:
        """Writes the samples, at `at` if they may be moved there.

        Returns:
            How many of them were left out; None if they simply follow the samples before.
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
        """The sample at which a voice sets in after quiet, to 10 ms; None if none does."""
        if not self._quiet.size or peak(samples) <= QUIET:
            return None
        return next(at for at in range(0, samples.size, SLIP) if peak(samples[at : at + SLIP]) > QUIET)

    def place_voice(self, at: int, samples: NDArray[np.int16], quiet: NDArray[np.int16]) -> int | None:
        """As `place`, for a voice that sets in: the quiet before it is shortened or extended as needed."""
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
        """Holds back the end of the quiet, which a voice may yet shorten."""
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
    """Records from `start_ns` on; `save` or `discard` ends it. A full disk is stored in `broken` and never raised."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left: _Channel | None = None
        self._tracks: dict[str, _Channel] = {}
        self._stands: dict[str, Stand] = {}
        self._start_ns: int | None = None
        self.broken: OwnFailure | None = None

    def start(self, start_ns: int) -> None:
        """Starts recording; the first sample is at `start_ns`."""
        self._start_ns = start_ns
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._left = _Channel(self._spool("left"))
        except OSError as problem:
            self._fail(problem)

    def _spool(self, name: str) -> Path:
        return self._path.with_name(f".{self._path.stem}.{name}.raw")

    def sent(self, left_ns: int, samples: NDArray[np.int16]) -> None:
        """Records the caller's samples, the first of which left at `left_ns`."""
        left = self._left
        if left is not None:
            self._place(left_ns, lambda at: left.place(at, samples))

    def heard(self, heard: Heard) -> Stand | None:
        """Records a block of a track; returns the stream's place in the recording, None if nothing is recorded."""
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
        """Writes the WAV, which is slow for long calls; returns False if nothing could be saved (see `broken`).

        Args:
            is_agents: Whether a track goes to the right channel.
        """
        if self._left is None or self.broken is not None:
            self.discard()
            return False
        sides = ((self._left,), tuple(channel for track, channel in self._tracks.items() if is_agents(track)))
        temporary = self._path.with_name(f".{self._path.name}.part")
        try:
            for channel in self._channels():
                channel.close()
            # Not libsndfile: on a full disk it reports just "System error".
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
        """Deletes the spool files."""
        for channel in self._channels():
            with contextlib.suppress(OSError):
                channel.close()
            with contextlib.suppress(OSError):
                channel.path.unlink(missing_ok=True)
        self._left = None
        self._tracks.clear()


def _mixed(side: Sequence[tuple[_Channel, IO[bytes]]], start: int, count: int) -> NDArray[np.int16]:
    """`count` samples of a side from `start` on: its spools added up, clipped at full scale."""
    mixed = np.zeros(count, np.int32)
    for channel, spool in side:
        skipped = max(0, (channel.first or 0) - start)
        if skipped < count:
            samples = np.frombuffer(spool.read(2 * (count - skipped)), np.int16)
            mixed[skipped : skipped + samples.size] += samples
    return np.clip(mixed, -32768, 32767).astype(np.int16)


def remove_abandoned(folder: Path) -> None:
    """Deletes the spool files of killed recorders in `folder`; those of a running one stay."""
    for path in folder.glob(".*.raw"):
        with contextlib.suppress(OSError), path.open("rb") as spool:
            fcntl.flock(spool, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
