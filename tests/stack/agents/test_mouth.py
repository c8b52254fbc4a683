from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from harness.clock import NS_PER_MS, SystemClock
from harness.stack.agents.mouth import FRAME, FRAME_NS, Mouth, Talk, WhiteNoise
from harness.stack.agents.trimmed_speech import Pcm, TrimmedSpeech, trimmed

T0 = 1_000 * NS_PER_MS
VOICE = TrimmedSpeech(np.concatenate((np.zeros(960), np.full(4800, 1000), np.zeros(960))).astype(np.int16), 960, 5760)
"""20 ms of quiet, 100 ms of voice, 20 ms of quiet."""


class Spoken:
    """A mouth that is asked frame by frame, and what came out."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []
        self.frames: list[Pcm] = []
        self.mouth = Mouth(SystemClock(), lambda event, **fields: self.log.append({"event": event} | fields))

    async def _push(self, pcm: Pcm | None) -> None:
        raise AssertionError("run() is not used here")

    def frame(self, count: int = 1) -> None:
        for _ in range(count):
            pcm = self.mouth.frame(T0 + len(self.frames) * FRAME_NS)
            self.mouth.left(0)
            self.frames.append(np.zeros(FRAME, np.int16) if pcm is None else pcm)

    @property
    def pcm(self) -> Pcm:
        return np.concatenate(self.frames)

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["event"] == event]


def talk(*parts: TrimmedSpeech, not_before_ns: int = 0, endless: bool = False) -> Talk:
    made = Talk("reply", "x", not_before_ns=not_before_ns, endless=endless)
    for number, part in enumerate(parts, start=1):
        made.add(part, last=number == len(parts))
    return made


async def test_the_first_voiced_sample_leaves_at_the_very_time() -> None:
    spoken = Spoken()
    due_ns = T0 + 53_300_000
    spoken.mouth.say(talk(VOICE, not_before_ns=due_ns))
    spoken.frame(30)
    first = int(np.flatnonzero(spoken.pcm)[0])
    assert 0 <= T0 + first * 1e9 / 48_000 - due_ns < 21_000, "the first sample at or after the time, to a sample"
    [start] = spoken.logged("push_start")
    assert start["at_ns"] == pytest.approx(T0 + first * 1e9 / 48_000, abs=1)
    assert start["what"] == "reply"
    [end] = spoken.logged("push_end")
    assert end["at_ns"] - start["at_ns"] == pytest.approx(100e6, abs=1)
    assert np.count_nonzero(spoken.pcm) == 4800


async def test_what_is_late_begins_with_its_voice() -> None:
    spoken = Spoken()
    spoken.mouth.say(talk(VOICE, not_before_ns=T0 - 500 * NS_PER_MS))
    spoken.frame(20)
    assert spoken.logged("push_start")[0]["at_ns"] == T0
    assert spoken.pcm[0] == 1000


async def test_parts_follow_each_other_and_silence_fills_the_wait() -> None:
    spoken = Spoken()
    first = talk()
    spoken.mouth.say(first)
    first.add(VOICE, last=False)
    spoken.frame(30)
    assert spoken.mouth.speaking, "more is to come"
    assert not first.over.done()
    first.add(VOICE, last=True)
    spoken.frame(30)
    assert first.over.result() == "ended"
    assert np.count_nonzero(spoken.pcm) == 9600
    assert len(spoken.logged("push_start")) == len(spoken.logged("push_end")) == 1


async def test_stop_fades_out_within_a_frame() -> None:
    spoken = Spoken()
    said = talk(VOICE)
    spoken.mouth.say(said)
    spoken.frame(5)
    spoken.mouth.stop("barge_in")
    spoken.frame(5)
    assert said.over.result() == "stopped"
    [stopped] = spoken.logged("stopped")
    assert stopped == {"event": "stopped", "at_ns": T0 + 6 * FRAME_NS, "why": "barge_in"}
    assert np.all(np.diff(spoken.frames[5].astype(int)) <= 0)
    assert not np.any(spoken.frames[6])
    assert not spoken.logged("push_end")


async def test_what_has_not_begun_is_dropped_at_once() -> None:
    spoken = Spoken()
    said = talk(VOICE, not_before_ns=T0 + 10**9)
    spoken.mouth.say(said)
    spoken.frame(3)
    assert not spoken.mouth.speaking
    spoken.mouth.stop("barge_in")
    assert said.over.result() == "dropped"
    spoken.frame(200)
    assert not np.any(spoken.pcm)


async def test_endless_talk_has_no_pause() -> None:
    spoken = Spoken()
    spoken.mouth.say(talk(VOICE, endless=True))
    spoken.frame(500)
    assert np.count_nonzero(spoken.pcm) == len(spoken.pcm)


async def test_one_talk_at_a_time() -> None:
    spoken = Spoken()
    spoken.mouth.say(talk(VOICE))
    with pytest.raises(RuntimeError, match="stop it first"):
        spoken.mouth.say(talk(VOICE))


class LateClock(SystemClock):
    """A clock that jumps by a quarter of a second at the third frame, as when the event loop was held up."""

    def __init__(self) -> None:
        self.ns = T0
        self.slept: list[int] = []

    def now_ns(self) -> int:
        return self.ns

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        self.slept.append(deadline_ns)
        self.ns = max(self.ns, deadline_ns) + (250 * NS_PER_MS if len(self.slept) == 3 else 0)
        if len(self.slept) == 6:
            raise KeyboardInterrupt


async def test_a_long_hold_up_leaves_a_gap_and_is_logged() -> None:
    clock, log = LateClock(), []

    async def push(pcm: Pcm | None) -> None:
        return None

    mouth = Mouth(clock, lambda event, **fields: log.append((event, fields)))
    with pytest.raises(KeyboardInterrupt):
        await mouth.run(push)
    assert log == [("late", {"at_ns": T0 + 2 * FRAME_NS, "late_ms": 250.0})]
    assert clock.slept[3] == T0 + 3 * FRAME_NS + 250 * NS_PER_MS


def test_an_utterance_is_cut_to_its_voice() -> None:
    pcm = np.concatenate((np.zeros(48_000), np.full(4800, 1000), np.zeros(48_000))).astype(np.int16)
    cut = trimmed(pcm)
    assert (cut.voiced_start, cut.voiced_end, len(cut.pcm)) == (960, 5760, 960 + 4800 + 4800)


@pytest.mark.parametrize("dbfs", [-60.0, -50.0])
def test_noise_lies_under_silence_and_voice_alike(dbfs: float) -> None:
    noise = WhiteNoise(dbfs)
    silence = np.concatenate([noise.under(None) for _ in range(100)]).astype(np.float64)
    assert 20 * np.log10(np.sqrt(np.mean(silence**2)) / 32768) == pytest.approx(dbfs, abs=0.1)
    voice = np.full(FRAME, 1000, np.int16)
    under = np.concatenate([noise.under(voice) for _ in range(100)]).astype(np.float64) - 1000
    assert 20 * np.log10(np.sqrt(np.mean(under**2)) / 32768) == pytest.approx(dbfs, abs=0.1)


def test_a_loud_voice_over_noise_is_clipped_and_does_not_wrap() -> None:
    assert WhiteNoise(-30.0).under(np.full(FRAME, 32767, np.int16)).min() > 0


async def test_noise_is_there_from_the_first_frame_on() -> None:
    pushed: list[Pcm | None] = []

    async def push(pcm: Pcm | None) -> None:
        pushed.append(pcm)
        if len(pushed) == 5:
            raise asyncio.CancelledError

    mouth = Mouth(SystemClock(), lambda event, **fields: None, noise_dbfs=-50)
    with pytest.raises(asyncio.CancelledError):
        await mouth.run(push)
    assert all(frame is not None and frame.any() for frame in pushed)
