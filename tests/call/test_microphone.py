"""What leaves the microphone when: absolute deadlines, catching up, and leaving out what was missed for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.call.microphone import FRAME, FRAME_NS, Microphone
from harness.clock import NS_PER_MS
from harness.testing import FakeClock

Sent = tuple[int, int, bool]  # due and left (ms), whether it was speech


async def sent_by(
    speak: Callable[[Microphone], object], *, frames: int, stalls: dict[int, float] | None = None
) -> tuple[list[Sent], NDArray[np.int16]]:
    """The first `frames` frames, and all their samples; before frame N the process stalls `stalls[N]` ms."""
    clock = FakeClock()
    sent: list[Sent] = []
    samples: list[NDArray[np.int16]] = []

    async def capture(frame: NDArray[np.int16]) -> None:
        samples.append(frame)
        clock.advance((stalls or {}).get(len(samples), 0) / 1000)

    def on_sent(due_ns: int, left_ns: int, frame: NDArray[np.int16] | None) -> None:
        sent.append((due_ns // NS_PER_MS, left_ns // NS_PER_MS, frame is not None))
        if len(sent) == frames:
            running.cancel()

    microphone = Microphone(capture, clock, on_sent)
    speak(microphone)
    running = asyncio.ensure_future(microphone.run())
    await asyncio.gather(running, return_exceptions=True)
    return sent, np.concatenate(samples)


async def test_silence_flows_at_absolute_deadlines() -> None:
    sent, samples = await sent_by(lambda _: None, frames=5)
    assert sent == [(due, due, False) for due in (0, 10, 20, 30, 40)]
    assert not samples.any()


async def test_an_utterance_leaves_whole_and_padded_to_a_frame() -> None:
    speech = np.arange(1, FRAME * 2 + 100, dtype=np.int16)
    sent, samples = await sent_by(lambda microphone: microphone.speak(speech), frames=5)
    assert [speaking for _, _, speaking in sent] == [True, True, True, False, False]
    assert (samples[: speech.size] == speech).all()
    assert not samples[speech.size :].any()


async def test_one_utterance_follows_the_other_and_none_leaves_before_its_time() -> None:
    ones, twos = np.full(FRAME, 1, np.int16), np.full(FRAME, 2, np.int16)

    def speak(microphone: Microphone) -> None:
        microphone.speak(ones)
        microphone.speak(twos, not_before_ns=30 * NS_PER_MS)

    _, samples = await sent_by(speak, frames=5)
    assert list(samples[::FRAME]) == [1, 0, 0, 2, 0]


async def test_a_short_stall_is_caught_up_so_that_later_frames_are_on_time_again() -> None:
    sent, _ = await sent_by(lambda _: None, frames=8, stalls={2: 35})
    assert sent[:3] == [(0, 0, False), (10, 10, False), (20, 45, False)]
    assert sent[3:] == [(30, 45, False), (40, 45, False), (50, 50, False), (60, 60, False), (70, 70, False)]


async def test_a_long_stall_is_left_out_and_not_sent_in_a_burst() -> None:
    speech = np.repeat(np.arange(1, 7, dtype=np.int16), FRAME)
    sent, samples = await sent_by(lambda microphone: microphone.speak(speech), frames=6, stalls={2: 1000})
    assert [due for due, _, _ in sent] == [0, 10, 1010, 1020, 1030, 1040]
    assert all(left - due < 20 for due, left, _ in sent[2:])
    assert list(samples[::FRAME]) == [1, 2, 3, 4, 5, 6], "no word of the caller is lost"


async def test_where_a_sample_left_is_told_by_its_frame_with_the_encoders_look_ahead() -> None:
    clock = FakeClock()

    async def capture(frame: NDArray[np.int16]) -> None:
        if frame.any():
            clock.advance(0.004)

    microphone = Microphone(capture, clock, lambda *_: None, look_ahead=312)
    speaking = microphone.speak(np.ones(FRAME * 4, np.int16), not_before_ns=20 * NS_PER_MS)
    assert speaking.left_ns(0) == 26_500_000, "before it left: by when it may leave"
    running = asyncio.ensure_future(microphone.run())
    await speaking.finished()
    running.cancel()
    assert speaking.frame_ns == [20 * NS_PER_MS + frame * FRAME_NS for frame in range(4)]
    assert speaking.left_ns(0) == 26_500_000
    assert speaking.left_ns(FRAME - 312) == 30 * NS_PER_MS, "the encoder puts it into the next frame"
    assert speaking.left_ns(FRAME * 4) == 66_500_000, "the end counts on from the last frame"


async def test_one_frame_that_was_late_moves_no_sample() -> None:
    clock = FakeClock()
    handed = 0

    async def capture(frame: NDArray[np.int16]) -> None:
        nonlocal handed
        handed += 1
        clock.advance(0.008 if handed == 4 else 0)

    microphone = Microphone(capture, clock, lambda *_: None)
    speaking = microphone.speak(np.ones(FRAME * 8, np.int16))
    running = asyncio.ensure_future(microphone.run())
    await speaking.finished()
    running.cancel()
    assert [speaking.left_ns(FRAME * frame) // NS_PER_MS for frame in range(8)] == list(range(0, 80, 10))


async def test_hanging_up_ends_what_was_still_to_be_said() -> None:
    microphone = Microphone(_nothing, FakeClock(), lambda *_: None)
    speaking = microphone.speak(np.ones(FRAME * 1000, np.int16))
    running = asyncio.ensure_future(microphone.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait_for(speaking.finished(), 1)
    with pytest.raises(asyncio.CancelledError):
        await running


async def _nothing(_frame: NDArray[np.int16]) -> None:
    return
