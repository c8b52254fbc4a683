"""A call of a run: recorded as it goes, measured and judged at its end, and never the end of the run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harness.call.chat import TOPIC_IN
from harness.caller.prepare import Prepared
from harness.caller.recorded_call import RecordedCall, RecordMode
from harness.errors import ConfigError
from harness.machine.loop_lag import LoopLag
from harness.measure.call import measure_call
from harness.record.result import CallResult
from harness.record.run_directory import RunDirectory
from harness.recordings.again import remeasured_calls
from harness.scenario.load import examine
from harness.scenario.timeouts import CallTimeouts
from harness.secret import Secret
from harness.timeline.timeline import read_timeline
from tests.call.world import Agent, World, call_plan, in_virtual_time, utterance
from tests.events import entries_of

KEY, PLAIN_KEY = "sk_live_0123456789abcdef", "key-of-a-service-without-prefix"
SAY: dict[str, Any] = {"say": "a-fixture", "expect": {"ttfa": "<2s"}}


def make(
    folder: Path, world: World, *, record: RecordMode = "failed", step: dict[str, Any] | None = None
) -> CallResult:
    """One call, as a run makes it, in a run's folder."""
    step = step or SAY
    raw = {"name": "x", "tags": ["smoke"], "turns": [step]}
    loaded = examine(raw, folder / "s.yaml", sets=[], env={}).valid()
    prepared = Prepared(loaded, [utterance()], "demo", CallTimeouts())
    plan = call_plan(step, tags=["smoke"])
    (folder / "timelines").mkdir(exist_ok=True)

    async def work() -> CallResult:
        made = RecordedCall(
            plan,
            prepared,
            directory=RunDirectory(folder),
            record=record,
            sessions=world,
            engine=world,
            clock=world.clock,
            lag=LoopLag(world.clock),
            secrets=[Secret(PLAIN_KEY)],
        )
        return await made.make()

    return in_virtual_time(work())


@pytest.fixture(scope="module")
def made_before(tmp_path_factory: pytest.TempPathFactory) -> dict[RecordMode, tuple[Path, CallResult]]:
    """A call of each way to record, made once for all tests that read it or damage a copy."""
    found: dict[RecordMode, tuple[Path, CallResult]] = {}
    for record in ("all", "none"):
        folder = tmp_path_factory.mktemp(record)
        found[record] = folder, make(folder, World(), record=record)
    return found


@pytest.fixture
def made(made_before: dict[RecordMode, tuple[Path, CallResult]], tmp_path: Path) -> Callable[[RecordMode], CallResult]:
    """Puts such a call into `tmp_path`."""

    def put(record: RecordMode) -> CallResult:
        folder, result = made_before[record]
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        return result.model_copy(deep=True)

    return put


@pytest.mark.parametrize(
    ("record", "fails", "kept"),
    [("none", True, False), ("failed", False, False), ("failed", True, True), ("all", False, True)],
)
def test_audio_is_kept_as_asked_and_nothing_else_stays(
    tmp_path: Path, record: RecordMode, fails: bool, kept: bool
) -> None:
    expected = {"say": "a-fixture", "expect": {"ttfa": "<1ms" if fails else "<2s"}}
    result = make(tmp_path, World(), record=record, step=expected)
    assert result.ok is not fails
    assert result.recording == ("audio/0001-x.wav" if kept else None)
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == ({"0001-x.jsonl", "0001-x.wav"} if kept else {"0001-x.jsonl"})


def test_caller_and_agent_are_heard_where_the_result_says(
    tmp_path: Path, made: Callable[[RecordMode], CallResult]
) -> None:
    result = made("all")
    samples, rate = soundfile.read(tmp_path / "audio" / "0001-x.wav", dtype="int16")
    for channel, spans in ((0, result.caller_voice), (1, result.agent_voice)):
        heard = abs(samples[:, channel].astype(int)) > 300
        for start_ms, end_ms in spans:
            first, last = round(start_ms * rate / 1000), round(end_ms * rate / 1000)
            assert heard[first - 480 : first + 480].any()
            assert heard[first:last].mean() > 0.5
        assert heard.sum() <= sum(round((end - start + 20) * rate / 1000) for start, end in spans)


def test_the_timeline_on_the_disk_measures_to_the_same_numbers(tmp_path: Path) -> None:
    result = make(tmp_path, World())
    again = measure_call(read_timeline(tmp_path / "timelines" / "0001-x.jsonl"), tags=["smoke"])
    for turn in result.turns:
        turn.expectations = []
    assert again == result


def remeasured(folder: Path, result: CallResult) -> CallResult:
    return remeasured_calls(RunDirectory(folder), [result], {"x": ["smoke"]})[0]


@pytest.mark.parametrize("record", ["all", "none"])
def test_measured_again_the_numbers_are_those_of_the_call(
    tmp_path: Path, made: Callable[[RecordMode], CallResult], record: RecordMode
) -> None:
    result = made(record)
    again = remeasured(tmp_path, result)
    assert again.remeasured is not None
    assert again.remeasured.voices == ("recording" if record == "all" else "call")
    for turn in result.turns:
        turn.expectations = []
    assert again.model_copy(update={"remeasured": None}) == result


def test_the_voices_are_those_of_the_recording_and_not_the_timelines(
    tmp_path: Path, made: Callable[[RecordMode], CallResult]
) -> None:
    result = made("all")
    audio = tmp_path / "audio" / "0001-x.wav"
    samples, rate = soundfile.read(audio, dtype="int16")
    onset_ms = result.turns[0].agent_onset_ms
    assert onset_ms is not None
    onset = round(onset_ms * rate / 1000)
    samples[onset - 480 : onset + rate // 4, 1] = 0
    soundfile.write(audio, samples, rate, subtype="PCM_16")
    again = remeasured(tmp_path, result)
    assert again.turns[0].ttfa_ms == pytest.approx((result.turns[0].ttfa_ms or 0) + 250, abs=2)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda audio: audio.unlink(), "missing"),
        (lambda audio: audio.write_bytes(b"not a WAV"), "cannot be read"),
        (lambda audio: audio.write_bytes(audio.read_bytes()[:200_000]), "shorter"),
        (lambda audio: soundfile.write(audio, np.zeros((999_999, 1)), 48_000), "as they were made"),
        (lambda audio: soundfile.write(audio, np.zeros((999_999, 2)), 8_000), "as they were made"),
    ],
)
def test_a_recording_that_is_not_the_calls_own_leaves_the_live_onsets(
    tmp_path: Path, made: Callable[[RecordMode], CallResult], damage: Callable[[Path], object], why: str
) -> None:
    result = made("all")
    damage(tmp_path / "audio" / "0001-x.wav")
    again = remeasured(tmp_path, result)
    assert again.remeasured is not None
    assert (again.remeasured.voices, again.turns[0].ttfa_ms) == ("call", result.turns[0].ttfa_ms)
    assert why in again.remeasured.why


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return entries_of(read_timeline(folder / "timelines" / "0001-x.jsonl"))


def at_once(events: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(event for event in events if event["event"] == name)


def set_back(folder: Path) -> str:
    events = lines_of(folder)
    late = events.index(at_once(events, "turn.started"))
    for event in events[late:]:
        event["t"] -= 3_600_000_000_000
    return "".join(json.dumps(event) + "\n" for event in events)


def cut_in_the_call(folder: Path) -> str:
    events = lines_of(folder)
    return "".join(json.dumps(event) + "\n" for event in events[: len(events) // 2]) + '{"t": 12, "ev'


def without_its_turn(folder: Path) -> str:
    return "".join(json.dumps(event) + "\n" for event in lines_of(folder) if event["event"] != "turn.started")


def without_times(folder: Path) -> str:
    return "".join(json.dumps(event | {"t": "soon"}) + "\n" for event in lines_of(folder))


@pytest.mark.parametrize(
    ("damaged", "why"),
    [
        (set_back, "clock goes back: turn.started"),
        (cut_in_the_call, "breaks off before the call's end"),
        (without_its_turn, "damaged"),
        (without_times, "does not begin with call.started"),
        (lambda _folder: "", "does not begin with call.started"),
        (lambda _folder: "\x00\xff{", "does not begin with call.started"),
    ],
)
def test_a_timeline_that_cannot_be_measured_is_named_and_keeps_its_live_numbers(
    tmp_path: Path, made: Callable[[RecordMode], CallResult], damaged: Callable[[Path], str], why: str
) -> None:
    result = made("all")
    path = tmp_path / "timelines" / "0001-x.jsonl"
    whole = path.read_text(encoding="utf-8")
    path.write_text(damaged(tmp_path), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"cannot be measured again: .*{why}") as told:
        remeasured(tmp_path, result)
    assert str(told.value.where) == str(path)
    (tmp_path / "timelines" / "0002-x.jsonl").write_text(whole.replace("0001-x", "0002-x"), encoding="utf-8")
    other = result.model_copy(update={"call": "0002-x", "recording": None})
    kept, again = remeasured_calls(RunDirectory(tmp_path), [result, other], {"x": []})
    assert (kept.remeasured.voices, again.remeasured.voices) == ("none", "call")  # type: ignore[union-attr]
    assert kept.model_copy(update={"remeasured": None}) == result


def test_a_call_that_ran_when_its_run_was_killed_is_measured_again_as_cut(
    tmp_path: Path, made: Callable[[RecordMode], CallResult]
) -> None:
    made("none")
    path = tmp_path / "timelines" / "0001-x.jsonl"
    path.write_text(cut_in_the_call(tmp_path), encoding="utf-8")
    (call,) = remeasured_calls(RunDirectory(tmp_path), [], {"x": ["smoke"]})
    assert (call.call, call.ok, call.cut) == ("0001-x", None, True)
    path.write_text('{"t": 1, "event": "call.star', encoding="utf-8")
    assert remeasured_calls(RunDirectory(tmp_path), [], {"x": ["smoke"]}) == []


def test_a_step_of_the_time_of_day_moves_no_number(tmp_path: Path, made: Callable[[RecordMode], CallResult]) -> None:
    result = made("none")
    path = tmp_path / "timelines" / "0001-x.jsonl"
    events = [
        event | {"clock_step_ms": -3_600_000.0} if event["event"] == "second" else event for event in lines_of(tmp_path)
    ]
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    again = remeasured(tmp_path, result)
    assert [turn.ttfa_ms for turn in again.turns] == [turn.ttfa_ms for turn in result.turns]
    assert "the time of day was set by 3600000 ms" in again.notes[0]


def test_expectations_name_their_place_in_the_scenario(tmp_path: Path) -> None:
    result = make(tmp_path, World(Agent(replies=[(3000, 500)])))
    assert result.turns[0].expectations[0].outcome == "failed"
    assert result.turns[0].expectations[0].place.endswith("s.yaml")


def test_a_timeline_that_cannot_be_written_is_our_own_failure_and_the_call_is_measured(tmp_path: Path) -> None:
    (tmp_path / "timelines" / "0001-x.jsonl").mkdir(parents=True)
    result = make(tmp_path, World())
    assert (result.ok, result.failure) == (False, "harness.disk")
    assert result.turns[0].ttfa_ms is not None


def test_an_agents_failure_stays_the_calls_failure_when_the_disk_fails_too(tmp_path: Path) -> None:
    (tmp_path / "timelines" / "0001-x.jsonl").mkdir(parents=True)
    result = make(tmp_path, World(Agent(joins=None)))
    assert result.failure == "agent.never_joined"
    assert [failure.kind for failure in result.failures] == ["agent.never_joined", "harness.disk"]


def test_a_recording_that_is_lost_in_the_call_is_our_own_failure(tmp_path: Path) -> None:
    def lose(line: Any, turn: int) -> None:
        (tmp_path / "audio").rename(tmp_path / "gone")  # at once, whatever is being written

    result = make(tmp_path, World(Agent(on_turn=lose)), record="all")
    assert (result.ok, result.failure, result.recording) == (False, "harness.disk", None)


def test_a_bug_in_measuring_is_one_lost_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> CallResult:
        raise KeyError("a-bug")

    monkeypatch.setattr("harness.caller.recorded_call.measure_call", broken)
    result = make(tmp_path, World())
    assert (result.ok, result.failure, result.call) == (False, "harness.bug", "0001-x")
    assert result.started
    assert "a-bug" in result.failures[0].what
    json.loads(result.model_dump_json())


def test_a_key_that_the_agent_repeats_is_in_no_file_and_no_result(tmp_path: Path) -> None:
    def repeat(line: Any, turn: int) -> None:
        text = {"type": "reply", "text": f"Your keys: {KEY}, {PLAIN_KEY}"}
        line.events.on_data(line.clock.now_ns(), TOPIC_IN, json.dumps(text).encode(), "agent")

    result = make(tmp_path, World(Agent(on_turn=repeat)))
    assert result.turns[0].reply == "Your keys: ***, ***"
    timeline = (tmp_path / "timelines" / "0001-x.jsonl").read_text(encoding="utf-8")
    assert "Your keys: ***, ***" in timeline
    assert KEY not in timeline
    assert PLAIN_KEY not in timeline


@pytest.mark.parametrize("key", [KEY, PLAIN_KEY, "sk_short"])
def test_a_key_in_the_text_of_a_bug_is_masked(tmp_path: Path, key: str) -> None:
    class Broken(World):
        async def create(self, request: Any, *, timeout_s: float) -> Any:
            raise ValueError(f"Invalid header value: {key}")

    result = make(tmp_path, Broken())
    assert (result.failure, result.failures[0].what) == ("harness.bug", "ValueError: Invalid header value: ***")
    assert key not in (tmp_path / "timelines" / "0001-x.jsonl").read_text(encoding="utf-8")
