"""What was heard is found again in the recording: the same voices at the same times, however the stream moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from world import LoopClock, in_virtual_time

from harness.audio_files.pcm import as_int16
from harness.audio_files.wav import read_wav
from harness.call.anchors import HeardAnchors
from harness.call.ear import Ear
from harness.call.engines.line import Heard
from harness.call.recorder import Recorder
from harness.clock import NS_PER_MS
from harness.hearing.onset import OnsetDetector, VoiceEdge
from harness.measure.heard_again import HeardStream
from harness.timeline.events import AgentEnd, AgentOnset, Event, StreamAnchor
from harness.timeline.spans import gather
from harness.timeline.timeline import Timeline

BLOCK = 960
START_NS = 7_000_000_000
FIXTURES = Path(__file__).parents[2] / "audio_fixtures"

Offset = Callable[[int, np.random.Generator], float]  # ms by which a block (of 20 ms) is off its time


def speech(*, noise: float) -> NDArray[np.int16]:
    """Two questions with pauses between, over white noise of that many steps (0: the silence is digital)."""
    parts = [np.zeros(48_000, np.int16)]
    for name in ("when-do-you-open", "do-you-have-parking"):
        pcm = as_int16(read_wav(FIXTURES / f"{name}.wav").samples)
        parts += [pcm, np.zeros(100_000, np.int16)]
    voice = np.concatenate(parts)
    hiss = np.random.default_rng(3).normal(0, noise, voice.size) if noise else 0
    return np.asarray(np.clip(voice + hiss, -32768, 32767).astype(np.int16))[: voice.size // BLOCK * BLOCK]


def heard_and_recorded(
    folder: Path, stream: NDArray[np.int16], off_ms: Offset
) -> tuple[list[Event], NDArray[np.int16]]:
    """The timeline of a stream heard live, and its recording, right channel."""

    async def live() -> list[Event]:
        timeline, recorder = Timeline(), Recorder(folder / "x.wav")
        ear, anchors, rng = Ear(LoopClock(), timeline), HeardAnchors(timeline), np.random.default_rng(1)
        recorder.start(START_NS)
        for number in range(stream.size // BLOCK):
            wire_ns = START_NS + round((200 + number * 20 + off_ms(number, rng)) * NS_PER_MS)
            samples = stream[number * BLOCK : (number + 1) * BLOCK]
            heard = Heard("TR_1", samples, number * BLOCK, wire_ns, wire_ns + 40 * NS_PER_MS)
            ear.hear(heard)
            anchors.heard(heard, recorder.heard(heard))
        anchors.end()
        assert recorder.save()
        return timeline.events

    events = in_virtual_time(live())
    both, _ = soundfile.read(folder / "x.wav", dtype="int16")
    return events, both[:, 1]


def voices(events: list[Event]) -> list[AgentOnset | AgentEnd]:
    return [event for event in events if isinstance(event, AgentOnset | AgentEnd)]


STREAMS: dict[str, tuple[float, Offset]] = {
    "on time": (0, lambda _n, _rng: 0),
    "jittering": (0, lambda _n, rng: rng.normal(0, 6)),
    "jittering over noise": (40, lambda _n, rng: rng.normal(0, 6)),
    "a jitter buffer that is known late": (0, lambda n, _rng: 0 if n < 5 else -45),
    "a clock that drifts": (0, lambda n, _rng: n * 0.1),
    "a clock that drifts back": (0, lambda n, _rng: n * -0.1),
    "moved on in a voice": (0, lambda n, _rng: 90 if n > 70 else 0),
    "moved back in a voice": (0, lambda n, _rng: -90 if n > 70 else 0),
    "moved back over noise": (40, lambda n, _rng: -90 if n > 70 else 0),
    "a jump by two seconds": (0, lambda n, _rng: 2000 if n > 130 else 0),
    "a jump and back": (0, lambda n, _rng: 2000 if 70 < n < 75 else 0),
    "late in quiet, on time in a voice": (0, lambda n, _rng: 50 if n % 50 == 49 else 0),
}


@pytest.mark.parametrize("name", STREAMS)
def test_the_voices_of_the_recording_are_those_that_were_heard(tmp_path: Path, name: str) -> None:
    noise, off_ms = STREAMS[name]
    events, recorded = heard_and_recorded(tmp_path, speech(noise=noise), off_ms)
    assert HeardStream(events).why_not() is None
    found = HeardStream(events).find_voices(lambda place, count: recorded[place : place + count])
    again = HeardStream(events).with_voices(found)
    assert len(voices(events)) >= 4
    assert voices(again) == voices(events)


@pytest.mark.parametrize("seed", range(12))
def test_a_line_that_wavers_changes_no_voice(tmp_path: Path, seed: int) -> None:
    """Blocks of quiet move on, and a voice soon after them moves back over their anchors."""
    wavering_ms = np.random.default_rng(seed).normal(0, 25, 2000)
    events, recorded = heard_and_recorded(tmp_path, speech(noise=seed % 3), lambda n, _rng: float(wavering_ms[n]))
    assert HeardStream(events).why_not() is None
    found = HeardStream(events).find_voices(lambda place, count: recorded[place : place + count])
    assert voices(HeardStream(events).with_voices(found)) == voices(events)


@pytest.mark.parametrize("name", ["jittering", "a jitter buffer that is known late", "a clock that drifts"])
def test_the_agent_is_heard_where_the_timeline_says(tmp_path: Path, name: str) -> None:
    noise, off_ms = STREAMS[name]
    events, recorded = heard_and_recorded(tmp_path, speech(noise=noise), off_ms)
    for event in voices(events):
        at = round((event.t_ns - START_NS) * 48e-6)
        loud = np.abs(recorded[at - 1920 : at + 1920].astype(int)) > 60  # 40 ms on either side
        # A voice stands by the block in which it begins, however softly: an onset a block later is off by the jitter
        # of both, an end by that one's and its own.
        is_onset = isinstance(event, AgentOnset)
        apart = 1440 if is_onset else 800
        assert loud[:apart].any() == (not is_onset)
        assert loud[-apart:].any() == is_onset


def test_an_edge_that_was_not_found_live_takes_its_time_from_the_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, recorded = heard_and_recorded(tmp_path, speech(noise=0), lambda n, _rng: n * 0.1)
    moved = 30 * 48
    feed, skip = OnsetDetector.feed, OnsetDetector.skip

    def later(edges: list[VoiceEdge]) -> list[VoiceEdge]:
        return [VoiceEdge(e.edge, e.position + moved, e.found_at, e.level_dbfs) for e in edges]

    monkeypatch.setattr(OnsetDetector, "feed", lambda self, samples: later(feed(self, samples)))
    monkeypatch.setattr(OnsetDetector, "skip", lambda self, count: later(skip(self, count)))
    found = HeardStream(events).find_voices(lambda place, count: recorded[place : place + count])
    for before, after in zip(voices(events), voices(HeardStream(events).with_voices(found)), strict=True):
        assert after.t_ns - before.t_ns == pytest.approx(30 * NS_PER_MS, abs=4 * NS_PER_MS)
        if isinstance(before, AgentOnset):
            assert isinstance(after, AgentOnset)
            assert after.ear is not None
            assert before.ear is not None
            assert after.ear - before.ear == after.t_ns - before.t_ns


def test_a_stream_that_was_not_recorded_or_has_no_positions_cannot_be_found(tmp_path: Path) -> None:
    events, recorded = heard_and_recorded(tmp_path, speech(noise=0), lambda _n, _rng: 0)
    assert HeardStream([replace(event, place=None) for event in events if isinstance(event, StreamAnchor)]).why_not()
    old = [event for event in events if not isinstance(event, StreamAnchor)]
    assert "does not tell where" in str(HeardStream(old).why_not())
    anchors = [event for event in events if isinstance(event, StreamAnchor)]
    assert "several audio tracks" in str(HeardStream([*anchors, replace(anchors[0], track="TR_2")]).why_not())
    assert "no whole stream" in str(HeardStream(anchors[1:]).why_not())
    with pytest.raises(EOFError):
        HeardStream(events).find_voices(lambda place, count: recorded[place : min(place + count, 50_000)])


def test_noise_that_set_in_is_no_voice_live_and_again(tmp_path: Path) -> None:
    """Two seconds of digital silence, then a line's hiss that goes on under a question."""
    stream = speech(noise=0)
    hiss = np.random.default_rng(5).normal(0, 110, stream.size)  # -50 dBFS
    hiss[: 2 * 48_000] = 0
    stream = np.asarray(np.clip(np.concatenate([stream[:48_000], stream])[: stream.size] + hiss, -32768, 32767))
    events, recorded = heard_and_recorded(tmp_path, stream.astype(np.int16), lambda _n, _rng: 0)
    found = HeardStream(events).find_voices(lambda place, count: recorded[place : place + count])
    assert voices(HeardStream(events).with_voices(found)) == voices(events)
    spans = gather([*events])
    assert [voice.end_ns is not None for voice in spans.voices] == [True] * len(spans.voices)
    first_ms = (spans.voices[0].onset_ns - START_NS) / NS_PER_MS - 200
    assert first_ms == pytest.approx(2000 + 100, abs=60), "the hiss began at 2,000 ms, the question 100 ms later"
