"""Voice onset and end detection to the millisecond, in audio that arrives block by block.

An energy detector with hysteresis over an adaptive noise floor (`noise_floor.py`). The same code runs live and over a
recording, and the block size does not matter, so both give the same edges.

- Power is the variance of each 5 ms. That removes a DC offset exactly and acts as a high-pass (-7 dB at 50 Hz, -3 dB
  at 89 Hz) without memory: nothing rings, so no edge moves.
- An edge is placed to 1 ms by a cumulative sum (`edge_place.py`).
- Noise that starts after silence counts as a voice until it has been steady for 1.5 s. Its end is then at its onset and
  `began` is None: there was no voice. If a voice follows the noise, `began` is where that voice starts, however long it
  is and whether or not the noise outlasts it.

Limits: sound below -62 dBFS or below the noise is not detected; in noise a voice starts late and ends early. A steady
tone below -30 dBFS is noise. Background voices count if they rise by 9 dB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.hearing.edge_place import FINE, FRAME, FRAME_MS, sets_in
from harness.hearing.flicker import LIVE_TOP, end_in_flicker, last_certain, noise_top
from harness.hearing.level import FULL_SCALE, power_dbfs
from harness.hearing.noise_floor import (
    CAP,
    HIGH_LEAST,
    HIGH_OVER_FLOOR,
    LEARN_FRAMES,
    LOW_MOST_OVER_FLOOR,
    STEADY_BLOCK,
    STEADY_BLOCKS,
    STEADY_FRAMES,
    STEADY_RANGE,
    NoiseFloor,
    is_steady_noise,
)

SAMPLE_RATE = 48_000
HALF = FRAME // 2

HIGH_OF, WINDOW = 5, 8  # 5 of 8 frames high: 50 ms of voice within 80 ms; a click is shorter
BACK_FRAMES = 30  # an onset is backdated by at most 300 ms
HANG_FRAMES = 20  # hangover: 200 ms below the low threshold end a voice; longer than a stop consonant
LOOK_FRAMES = 2  # an edge may lie this far outside the frames above the low threshold
NOISE_FRAMES = 5  # frames next to those, used to estimate the local noise
STEADY_EVERY = 10  # frames between two checks for steady noise within a voice

PIECE_FRAMES = 100  # frames of a long block processed at a time, to bound memory
KEPT_FRAMES = 500  # powers kept, to place an onset in hindsight
LONGEST_FRAMES = 6000  # powers kept during a voice: up to a minute, as long as an agent may talk
LEAD_FRAMES = 40  # 80 % of them within 3 dB, before a voice 9 dB above them: no speech sound lasts that long
KEPT_PCM_FRAMES = 100  # frames of samples kept, to place an edge
TRIM_FRAMES = 10
SETTLED_FRAMES = KEPT_FRAMES + TRIM_FRAMES  # after this much digital silence, more of it changes nothing

_UNIT = 2 * HALF * HALF * FULL_SCALE**2
_ONES = np.ones(HALF)
_NOTHING = np.zeros(0, np.int16)


@dataclass(frozen=True, slots=True)
class VoiceEdge:
    """A voice's onset or end.

    Attributes:
        edge: Which of the two.
        position: The sample at which it happened.
        found_at: The sample at which it was detected.
        level_dbfs: The level of the voice's loudest frame so far.
        began: At an end, the sample at which the voice really began: the onset's position, or later if noise preceded
            the voice. None if there was only noise; the end is then at the onset.
        noise_dbfs: At an end, the level that the noise before the voice rarely exceeds (`LIVE_TOP`); None if unknown.
    """

    edge: Literal["onset", "end"]
    position: int
    found_at: int
    level_dbfs: float
    began: int | None = None
    noise_dbfs: float | None = None


class OnsetDetector:
    """Finds onsets and ends in a stream of (frames,) int16 mono at 48 kHz; positions count from the stream's start.

    Args:
        floor: The noise floor if it is known in advance, as for a file; then no steady sound is treated as noise. By
            default it is learnt from the stream.
    """

    def __init__(self, floor: NoiseFloor | None = None) -> None:
        self.voiced = False
        self.position = 0
        self._knows_noise = floor is not None
        self._floor = NoiseFloor() if floor is None else floor
        self._rest = _NOTHING
        self._powers: list[float] = []  # of the newest frames
        self._pcm = bytearray()  # samples of the newest frames, fewer than in `_powers`
        self._pcm_first = 0  # index of the first frame in `_pcm`
        self._frames = 0
        self._silent = 0  # how many of the newest frames are digital silence
        self._below = 0
        self._loudest = 0.0
        self._onset = 0
        self._onset_frame = 0
        self._last_end_frame = -1

    @property
    def low_dbfs(self) -> float:
        """The level in dBFS that a frame must exceed for a voice to continue."""
        return power_dbfs(self._floor.low * FULL_SCALE**2)

    def feed(self, samples: NDArray[np.int16]) -> list[VoiceEdge]:
        """Adds samples; returns the edges detected with them, in order."""
        if self._rest.size:
            samples = np.concatenate([self._rest, samples])
        count = samples.size // FRAME
        left = samples.size - count * FRAME
        self._rest = samples[count * FRAME :].copy() if left else _NOTHING
        edges: list[VoiceEdge] = []
        for first in range(0, count, PIECE_FRAMES):
            self._feed(samples[first * FRAME : min(count, first + PIECE_FRAMES) * FRAME], edges)
        return edges

    def skip(self, count: int) -> list[VoiceEdge]:
        """Same as `feed` with `count` zeros, at almost constant cost."""
        edges: list[VoiceEdge] = []
        if self._rest.size:
            head = min(count, FRAME - self._rest.size)
            edges += self.feed(np.zeros(head, np.int16))
            count -= head
        frames = count // FRAME
        if count % FRAME:
            self._rest = np.zeros(count % FRAME, np.int16)
        self._skip(frames, edges)
        return edges

    def finish(self) -> list[VoiceEdge]:
        """Ends the stream; a voice in progress ends with its last frame above the low threshold."""
        if not self.voiced:
            return []
        return [self._end(self._frames - 1 - self._below, self._began_after_noise())]

    def _skip(self, frames: int, edges: list[VoiceEdge]) -> None:
        known = min(frames, max(0, SETTLED_FRAMES - self._silent))
        # Skipping a multiple of STEADY_EVERY leaves the schedule of the periodic checks unchanged.
        known += min(frames - known, (frames - known) % STEADY_EVERY)
        self._pcm += bytes(2 * FRAME * known)
        self._steps([0.0] * known, edges)
        self._trim()
        left_out = frames - known  # the buffers hold only silence by now, which stands for the newest frames
        self._frames += left_out
        self._pcm_first += left_out
        self.position = self._frames * FRAME
        self._silent = min(SETTLED_FRAMES, self._silent + frames)

    def _feed(self, samples: NDArray[np.int16], edges: list[VoiceEdge]) -> None:
        pcm = samples.tobytes()
        if pcm == bytes(len(pcm)):
            self._skip(samples.size // FRAME, edges)
            return
        self._silent = 0
        self._pcm += pcm
        # Integers below 2^53 add up exactly in any order, so the result does not depend on the block size.
        exact = samples.astype(np.float64)
        frames = exact.reshape(-1, FRAME)
        sums = np.vecdot(exact.reshape(-1, HALF), _ONES).reshape(-1, 2)
        powers = ((HALF * np.vecdot(frames, frames) - np.vecdot(sums, sums)) / _UNIT).tolist()
        self._steps(powers, edges)
        self._trim()

    def _trim(self) -> None:
        spoken = min(LONGEST_FRAMES, self._frames - self._onset_frame) if self.voiced else 0
        surplus = len(self._powers) - max(KEPT_FRAMES, spoken)
        if surplus > TRIM_FRAMES:
            del self._powers[:surplus]
        surplus = len(self._pcm) // (2 * FRAME) - KEPT_PCM_FRAMES
        if surplus > TRIM_FRAMES:
            del self._pcm[: surplus * 2 * FRAME]
            self._pcm_first += surplus

    def _steps(self, powers: Sequence[float], edges: list[VoiceEdge]) -> None:
        """Processes the next frames. How far they look back does not depend on how much is buffered."""
        done = 0
        while done < len(powers):
            if self.voiced:
                done = self._go_on(powers, done, edges)
            else:
                self._step_unvoiced(powers[done], edges)
                done += 1

    def _step_unvoiced(self, power: float, edges: list[VoiceEdge]) -> None:
        self._powers.append(power)
        self._frames += 1
        self.position = self._frames * FRAME
        floor = self._floor
        was_armed = floor.armed
        floor.learn(power)
        if not floor.armed:
            return
        if not was_armed:
            # A voice that started while the floor was being learnt is found as soon as it has been.
            window = self._high_window(0)
        elif power > floor.high:
            window = self._high_window(self._frames - WINDOW)
        else:
            return
        if window is not None:
            edges.append(self._begin(window[0]))

    def _power_at(self, frame: int) -> float:
        return self._powers[frame - self._frames]

    def _high_window(self, first: int, *, last: bool = False) -> tuple[int, int] | None:
        """The first and last high frame of the first (or last) window from `first` on that indicates a voice."""
        high = self._floor.high
        flags = [power > high for power in self._powers[first - self._frames :]]
        starts = range(len(flags) - WINDOW + 1)
        for start in reversed(starts) if last else starts:
            window = flags[start : start + WINDOW]
            if sum(window) >= HIGH_OF:
                newest = start + WINDOW - 1 - window[::-1].index(True)
                return first + start + window.index(True), first + newest
        return None

    def _begin(self, first: int) -> VoiceEdge:
        oldest = max(0, self._last_end_frame + 1, self._frames - WINDOW - BACK_FRAMES)
        self._onset_frame, self._onset = self._set_in(first, oldest)
        self.voiced = True
        self._below = 0
        self._loudest = max(self._powers[self._onset_frame - self._frames :])
        self._floor.take_back(self._frames - self._onset_frame)
        return VoiceEdge("onset", self._onset, self.position, self._level_dbfs())

    def _set_in(self, frame: int, oldest: int) -> tuple[int, int]:
        """The frame and the sample at which the voice that is present in `frame` started."""
        low = self._floor.low
        while frame > oldest and self._power_at(frame - 1) > low:
            frame -= 1
        first = max(oldest, frame - LOOK_FRAMES)
        noise = max(0, first - NOISE_FRAMES)
        if noise < self._frames - KEPT_PCM_FRAMES:
            return frame, frame * FRAME
        after_ms = sets_in(self._samples(noise, frame + 1), (first - noise) * FRAME_MS, low)
        return frame, frame * FRAME if after_ms is None else first * FRAME + after_ms * FINE

    def _died_away(self, frame: int) -> int:
        """The sample after the end of a voice whose last frame is `frame`."""
        if frame < self._frames - KEPT_PCM_FRAMES:
            return (frame + 1) * FRAME
        last = min(self._frames - 1, frame + LOOK_FRAMES)
        noise = min(self._frames - 1, last + NOISE_FRAMES)
        turned = self._samples(frame, noise + 1)[::-1]
        after_ms = sets_in(turned, (noise - last) * FRAME_MS, self._floor.low)
        return (frame + 1) * FRAME if after_ms is None else (last + 1) * FRAME - after_ms * FINE

    def _samples(self, first: int, stop: int) -> NDArray[np.int16]:
        pcm = np.frombuffer(self._pcm, np.int16)[(first - self._pcm_first) * FRAME : (stop - self._pcm_first) * FRAME]
        return pcm.copy()

    def _go_on(self, powers: Sequence[float], done: int, edges: list[VoiceEdge]) -> int:
        """Processes frames of a voice until it ends; returns how many are done. Hot path: most of a call runs here."""
        low, below, first = self._floor.low, self._below, done
        ended = steady = False
        for power in powers[first:]:
            self._powers.append(power)
            done += 1
            self._frames += 1
            if power > low:
                below = 0
            else:
                below += 1
                ended = below >= HANG_FRAMES
            steady = not ended and self._frames % STEADY_EVERY == 0 and self._has_been_steady()
            if ended or steady:
                break
        self.position, self._below = self._frames * FRAME, below
        self._loudest = max(self._loudest, *powers[first:done])
        if ended:
            edges.append(self._end(self._frames - HANG_FRAMES - 1, self._began_after_noise()))
        elif steady:
            edges.append(self._end_in_noise())
        return done

    def _has_been_steady(self) -> bool:
        return (
            not self._knows_noise
            and self._frames - self._onset_frame >= STEADY_FRAMES
            and is_steady_noise(self._powers)
        )

    def _began_after_noise(self) -> int:
        """The sample at which the ending voice began: after its onset if steady noise preceded it."""
        first = self._onset_frame
        if self._knows_noise or self._frames - first > LONGEST_FRAMES:
            return self._onset
        powers = self._powers[first - self._frames :]
        lead = sorted(powers[:LEAD_FRAMES])
        floor = sum(lead) / LEAD_FRAMES
        tenth = LEAD_FRAMES // 10
        if len(lead) < LEAD_FRAMES or lead[-1 - tenth] > STEADY_RANGE * lead[tenth] or floor > CAP:
            return self._onset
        high, low = max(HIGH_LEAST, floor * HIGH_OVER_FLOOR), floor * LOW_MOST_OVER_FLOOR
        flags = [power > high for power in powers]
        starts = (start for start in range(len(flags) - WINDOW + 1) if sum(flags[start : start + WINDOW]) >= HIGH_OF)
        window = next(starts, None)
        if window is None:
            return self._onset
        frame = window + flags[window:].index(True)
        while frame > 0 and powers[frame - 1] > low:
            frame -= 1
        return (first + frame) * FRAME if frame else self._onset

    def _end(self, last_frame: int, began: int | None) -> VoiceEdge:
        self.voiced = False
        self._last_end_frame = last_frame
        end, noise_dbfs = self._died_away(last_frame), None
        if not self._knows_noise:
            top = noise_top(np.array(self._floor.recent()), LEARN_FRAMES, LIVE_TOP)
            noise_dbfs = round(power_dbfs(top * FULL_SCALE**2), 1)
            end = self._without_flicker(end, began, top)
        return VoiceEdge("end", end, self.position, self._level_dbfs(), began, noise_dbfs)

    def _without_flicker(self, end: int, began: int | None, top: float) -> int:
        """The voice's end, corrected for noise that kept it open; see `flicker.py`."""
        first = max(self._onset_frame if began is None else began // FRAME, self._frames - len(self._powers))
        if end // FRAME <= first:
            return end
        powers = np.array(self._powers[first - self._frames :])
        certain = last_certain(powers[: -(-end // FRAME) - first], top)
        if certain is None:
            return end

        def read(start: int, stop: int) -> NDArray[np.int16]:
            start_frame = first + start // FRAME
            return self._samples(start_frame, first + stop // FRAME) if start_frame >= self._pcm_first else _NOTHING

        return first * FRAME + end_in_flicker(powers, certain, end - first * FRAME, top, read)

    def _end_in_noise(self) -> VoiceEdge:
        """Handles steady noise that continues: the voice, if there was one, ended earlier."""
        oldest = max(self._onset_frame, self._frames - LONGEST_FRAMES)
        self._floor.restart(self._powers[-STEADY_BLOCK * STEADY_BLOCKS :])
        first, last = self._high_window(oldest), self._high_window(oldest, last=True)
        if first is None or last is None:
            if oldest > self._onset_frame:
                return self._end(oldest, self._onset)
            self.voiced = False
            self._last_end_frame = self._frames - 1
            return VoiceEdge("end", self._onset, self.position, self._level_dbfs(), None)
        began = self._onset
        if oldest == self._onset_frame:
            frame, sample = self._set_in(first[0], oldest)
            began = self._onset if frame == oldest else sample
        last_frame = last[1]
        while last_frame + 1 < self._frames and self._power_at(last_frame + 1) > self._floor.low:
            last_frame += 1
        return self._end(last_frame, began)

    def _level_dbfs(self) -> float:
        return round(power_dbfs(self._loudest * FULL_SCALE**2), 1)
