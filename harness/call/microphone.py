"""Paces the caller's microphone: what leaves when, by absolute deadlines, with silence between utterances."""

from __future__ import annotations

import asyncio
import statistics
from collections import deque
from collections.abc import Awaitable, Callable

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.wav import SAMPLE_RATE
from harness.clock import NS_PER_MS, Clock

FRAME_MS = 10
FRAME = SAMPLE_RATE * FRAME_MS // 1000
FRAME_NS = FRAME_MS * NS_PER_MS
SKIP_AFTER_NS = 200 * NS_PER_MS  # beyond this lag the missed time is skipped instead of sent in a burst

Capture = Callable[[NDArray[np.int16]], Awaitable[None]]
OnSent = Callable[[int, int, NDArray[np.int16] | None], None]


class OutgoingSpeech:
    """An utterance being sent; its k-th frame was due at `due_ns[k]` and handed over at `frame_ns[k]`."""

    def __init__(self, pcm: NDArray[np.int16], not_before_ns: int, look_ahead: int) -> None:
        # Whole frames: a remainder would stay in the encoder and precede the next utterance.
        self.pcm = np.concatenate([pcm, np.zeros(-pcm.size % FRAME, np.int16)])
        self.not_before_ns = not_before_ns
        self.due_ns: list[int] = []
        self.frame_ns: list[int] = []
        self._look_ahead = look_ahead
        self._done = asyncio.Event()

    def end(self) -> None:
        """Ends it; nothing more of it will be sent."""
        self._done.set()

    async def finished(self) -> None:
        """See `Speaking.finished`."""
        await self._done.wait()

    def said_ns(self, position: int) -> int:
        """See `Speaking.said_ns`: departure time minus the encoder's look-ahead."""
        return self.left_ns(position - self._look_ahead)

    def left_ns(self, position: int) -> int:
        """See `Speaking.left_ns`; beyond what was handed over it extrapolates from the last frame.

        It is based on the frame's deadline and the frames' usual lateness: a single late frame is not heard any later,
        as the receiver's jitter buffer absorbs that.
        """
        frame, rest = divmod(position + self._look_ahead, FRAME)
        within_ns = round(rest * FRAME_NS / FRAME)
        if not self.frame_ns:
            return self.not_before_ns + frame * FRAME_NS + within_ns
        last = min(frame, len(self.frame_ns) - 1)
        pairs = zip(self.due_ns, self.frame_ns, strict=True)
        late_ns = round(statistics.median(frame_ns - due_ns for due_ns, frame_ns in pairs))
        return self.due_ns[last] + late_ns + (frame - last) * FRAME_NS + within_ns


class Microphone:
    """Hands a frame of 10 ms to `capture` at each deadline, from `start` to `stop`.

    Args:
        capture: Takes `(480,)` int16 mono at 48 kHz.
        clock: Time source, also used to sleep.
        on_sent: Called for each frame with its deadline, the time it was handed over, and the samples that left then
            (None for silence): those handed over, delayed by the look-ahead.
        look_ahead: The encoder's look-ahead in samples.
    """

    def __init__(self, capture: Capture, clock: Clock, on_sent: OnSent, *, look_ahead: int = 0) -> None:
        self._capture = capture
        self._clock = clock
        self._on_sent = on_sent
        self._look_ahead = look_ahead
        self._queue: deque[OutgoingSpeech] = deque()
        self._silence = np.zeros(FRAME, np.int16)
        self._held: NDArray[np.int16] | None = None  # held back by the encoder; None for silence

    def speak(self, pcm: NDArray[np.int16], *, not_before_ns: int = 0) -> OutgoingSpeech:
        """Queues an utterance; its first frame is sent at the first deadline at or after `not_before_ns`."""
        utterance = OutgoingSpeech(pcm, not_before_ns, self._look_ahead)
        self._queue.append(utterance)
        return utterance

    async def run(self) -> None:
        """Sends until cancelled; unfinished utterances end then."""
        due_ns = self._clock.now_ns()
        try:
            while True:
                await self._clock.sleep_until_ns(due_ns)
                frame, utterance = self._next(due_ns)
                now_ns = self._clock.now_ns()
                await self._capture(self._silence if frame is None else frame)
                if utterance is not None:
                    utterance.due_ns.append(due_ns)
                    utterance.frame_ns.append(now_ns)
                    if len(utterance.frame_ns) * FRAME >= utterance.pcm.size:
                        self._queue.popleft()
                        utterance.end()
                self._on_sent(due_ns, now_ns, self._leaving(frame))
                due_ns += FRAME_NS
                behind_ns = self._clock.now_ns() - due_ns
                if behind_ns > SKIP_AFTER_NS:
                    due_ns += behind_ns // FRAME_NS * FRAME_NS
        finally:
            for utterance in self._queue:
                utterance.end()
            self._queue.clear()

    def _leaving(self, frame: NDArray[np.int16] | None) -> NDArray[np.int16] | None:
        """What leaves when a frame is handed over: the end of the last frame, and this one without its own end."""
        if not self._look_ahead or (frame is None and self._held is None):
            return frame
        held = self._silence[-self._look_ahead :] if self._held is None else self._held
        self._held = None if frame is None else frame[-self._look_ahead :]
        return np.concatenate([held, (self._silence if frame is None else frame)[: -self._look_ahead]])

    def _next(self, due_ns: int) -> tuple[NDArray[np.int16] | None, OutgoingSpeech | None]:
        if not self._queue or due_ns + FRAME_NS // 2 < self._queue[0].not_before_ns:
            return None, None
        utterance = self._queue[0]
        start = len(utterance.frame_ns) * FRAME
        return utterance.pcm[start : start + FRAME], utterance
