"""The agent's voice: a continuous stream of 10 ms frames in which the time of each sample is known.

The frame of deadline D holds the samples of [D, D + 10 ms). Speech starts at the exact sample that was asked for, not
at the next frame. Two frames make up a packet, whose middle sample leaves on time on either line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

import numpy as np

from harness.clock import NS_PER_MS, NS_PER_S, Clock, ms
from harness.stack.agents.trimmed_speech import RATE_HZ, Pcm, TrimmedSpeech

FRAME_MS = 10
FRAME = RATE_HZ * FRAME_MS // 1000
FRAME_NS = FRAME_MS * NS_PER_MS
# Lateness (ns) from which the stream leaves a gap; below, it catches up and the jitter buffer absorbs it.
SKIP_NS = 100 * NS_PER_MS

How = Literal["ended", "stopped", "dropped"]


class Log(Protocol):
    """Writes one event to the agent's truth log."""

    def __call__(self, event: str, **fields: Any) -> None:
        """Writes one event with its fields."""
        ...


class Talk:
    """One reply or greeting on its way out, in one or more parts.

    Args:
        what: Greeting or reply, for the truth log.
        text: The text spoken.
        not_before_ns: No voiced sample leaves before this time.
        endless: Repeat it for ever; it cannot be interrupted.
    """

    def __init__(
        self, what: Literal["greeting", "reply"], text: str, *, not_before_ns: int, endless: bool = False
    ) -> None:
        self.what = what
        self.text = text
        self.not_before_ns = not_before_ns
        self.endless = endless
        self.started_ns: int | None = None
        self.over: asyncio.Future[How] = asyncio.get_running_loop().create_future()
        self.parts: deque[TrimmedSpeech] = deque()
        self.complete = False

    def add(self, part: TrimmedSpeech, *, last: bool) -> None:
        """Appends a part; `last` marks the final one."""
        self.parts.append(part)
        self.complete = last

    def finish(self, how: How) -> None:
        """Resolves `over`."""
        if not self.over.done():
            self.over.set_result(how)


class WhiteNoise:
    """Stationary white noise: different in each frame, the same in each call."""

    def __init__(self, dbfs: float) -> None:
        self._deviation = 32768 * 10 ** (dbfs / 20)
        self._rng = np.random.default_rng(0)

    def under(self, frame: Pcm | None) -> Pcm:
        """The frame (None for silence) with noise added, `(480,)` int16."""
        noisy = self._rng.normal(0.0, self._deviation, FRAME)
        if frame is not None:
            noisy += frame
        return np.clip(np.rint(noisy), -32768, 32767).astype(np.int16)


class Mouth:
    """Produces the agent's audio: what it says, and silence in between.

    Args:
        clock: Time source, also used to sleep.
        log: Receives `push_start`, `push_end`, `stopped` and `late`.
        noise_dbfs: RMS level of white noise added to all output, silence included; None for no noise.
        in_whole_frames: Start speech on a frame boundary, up to 10 ms late: the same words then always give the same
            frames, which need encoding only once.
    """

    def __init__(
        self, clock: Clock, log: Log, *, noise_dbfs: float | None = None, in_whole_frames: bool = False
    ) -> None:
        self.in_whole_frames = in_whole_frames and noise_dbfs is None
        self._clock = clock
        self._log = log
        self._noise = None if noise_dbfs is None else WhiteNoise(noise_dbfs)
        self._talk: Talk | None = None
        self._part: TrimmedSpeech | None = None
        self._position = 0
        self._stopping: str | None = None
        self._begun: list[tuple[str, dict[str, Any]]] = []

    @property
    def talk(self) -> Talk | None:
        """What is being said, or is waiting to start."""
        return self._talk

    @property
    def speaking(self) -> bool:
        """Whether voiced audio has started to leave."""
        return self._talk is not None and self._talk.started_ns is not None

    def say(self, talk: Talk) -> None:
        """Queues `talk` to start once `talk.not_before_ns` allows.

        Raises:
            RuntimeError: Another talk is active; stop it first.
        """
        if self._talk is not None:
            raise RuntimeError("the mouth is speaking; stop it first")
        self._talk, self._part, self._position, self._stopping = talk, None, 0, None

    def stop(self, why: str) -> None:
        """Fades out within 10 ms and drops the rest; a talk that has not started is dropped as a whole."""
        if self._talk is None:
            return
        if self.speaking:
            self._stopping = why
        else:
            self._log("stopped", at_ns=self._clock.now_ns(), why=why)
            self._finish("dropped")

    async def run(self, push: Callable[[Pcm | None], Awaitable[None]]) -> None:
        """Pushes the 10 ms frames of `sound` by absolute deadlines until cancelled."""
        deadline_ns = self._clock.now_ns()
        while True:
            await self._clock.sleep_until_ns(deadline_ns)
            late_ns = self._clock.now_ns() - deadline_ns
            if late_ns > SKIP_NS:
                self._log("late", at_ns=deadline_ns, late_ms=ms(late_ns))
                deadline_ns += late_ns
            sound = self.sound(deadline_ns)
            self.left(late_ns)
            await push(sound)
            deadline_ns += FRAME_NS

    def sound(self, deadline_ns: int) -> Pcm | None:
        """The samples of `[deadline_ns, deadline_ns + 10 ms)` including noise; None for silence."""
        frame = self.frame(deadline_ns)
        return frame if self._noise is None else self._noise.under(frame)

    def left(self, late_ns: int) -> None:
        """Called when the output of `sound` has left, `late_ns` after its deadline; logs what started in it."""
        for event, fields in self._begun:
            self._log(event, **fields, late_ms=ms(late_ns))
        self._begun.clear()

    def frame(self, deadline_ns: int) -> Pcm | None:
        """The samples of `[deadline_ns, deadline_ns + 10 ms)` without noise; None for silence."""
        talk = self._talk
        if talk is None:
            return None
        if self._stopping is not None:
            return self._fade(deadline_ns)
        filled = self._lead_in(talk, deadline_ns) if self._part is None else 0
        if filled >= FRAME:
            return None
        frame = np.zeros(FRAME, np.int16)
        while filled < FRAME and self._part is not None:
            taken = self._part.pcm[self._position : self._position + FRAME - filled]
            frame[filled : filled + len(taken)] = taken
            self._mark(talk, self._part, deadline_ns, filled, len(taken))
            filled += len(taken)
            self._position += len(taken)
            if self._position >= self._end(talk, self._part):
                self._next(talk)
        return frame

    def _lead_in(self, talk: Talk, deadline_ns: int) -> int:
        """Number of silent samples in this frame before the next part, which becomes current if it is due."""
        if not talk.parts:
            return FRAME
        part = talk.parts[0]
        wait = 0
        if talk.started_ns is None:
            wait = -(-(talk.not_before_ns - deadline_ns) * RATE_HZ // NS_PER_S) - part.voiced_start
        if wait >= FRAME or (self.in_whole_frames and wait > 0):
            return FRAME
        self._part = talk.parts.popleft()
        # If it is already late, skip as much of the silence before the voice as it is late.
        self._position = min(max(0, -wait), part.voiced_start) if talk.started_ns is None else 0
        if self.in_whole_frames:
            self._position -= self._position % FRAME
        return max(0, wait)

    def _mark(self, talk: Talk, part: TrimmedSpeech, deadline_ns: int, filled: int, taken: int) -> None:
        """Logs the first and the last voiced sample if they fall in this frame."""
        first, after_last = part.voiced_start, part.voiced_end
        if talk.started_ns is None and self._position <= first < self._position + taken:
            talk.started_ns = _sample_ns(deadline_ns, filled + first - self._position)
            fields = {"at_ns": talk.started_ns, "what": talk.what, "text": talk.text}
            self._begun.append(("push_start", fields))
        ends_here = self._position < after_last <= self._position + taken
        if ends_here and talk.complete and not talk.parts and not talk.endless:
            self._log("push_end", at_ns=_sample_ns(deadline_ns, filled + after_last - self._position))

    def _end(self, talk: Talk, part: TrimmedSpeech) -> int:
        return part.voiced_end if talk.endless else len(part.pcm)

    def _next(self, talk: Talk) -> None:
        """Takes the next part, waits for it, or ends the talk."""
        if talk.endless and self._part is not None:
            talk.parts.append(self._part)
        self._part, self._position = None, 0
        if talk.parts:
            self._part = talk.parts.popleft()
            self._position = self._part.voiced_start if talk.endless else 0
        elif talk.complete:
            self._finish("ended")

    def _fade(self, deadline_ns: int) -> Pcm | None:
        why, self._stopping = self._stopping, None
        rest = (
            self._part.pcm[self._position : self._position + FRAME] if self._part is not None else np.zeros(0, np.int16)
        )
        faded = np.zeros(FRAME, np.int16)
        faded[: len(rest)] = rest * np.linspace(1.0, 0.0, FRAME, dtype=np.float32)[: len(rest)]
        self._log("stopped", at_ns=deadline_ns + (FRAME_NS if len(rest) else 0), why=why)
        self._finish("stopped")
        return faded

    def _finish(self, how: How) -> None:
        talk, self._talk, self._part = self._talk, None, None
        if talk is not None:
            talk.finish(how)


def _sample_ns(deadline_ns: int, sample: int) -> int:
    return deadline_ns + sample * NS_PER_S // RATE_HZ
