"""The trace of a call, as Perfetto reads it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from harness.errors import ConfigError, UsageError
from harness.measure.call import measure_call
from harness.record.run_directory import read_run
from harness.record.unfit import Unfit
from harness.report.trace import render_trace
from harness.report.trace_events import TraceBuilder
from harness.report.trace_file import write_trace
from harness.timeline.timeline import read_timeline
from tests.events import typed
from tests.report.trace_rules import broken_rules

RECORDED = Path(__file__).parents[1] / "recorded"
TIMELINES = sorted(RECORDED.glob("*/timelines/*.jsonl"))


def trace_of(timeline: Path) -> dict[str, Any]:
    events = read_timeline(timeline)
    found: dict[str, Any] = json.loads(render_trace(measure_call(events), events))
    return found


def of_track(trace: dict[str, Any], track: str, phase: str = "X") -> list[dict[str, Any]]:
    return [event for event in trace["traceEvents"] if event["ph"] == phase and event.get("cat") == track]


def test_every_recorded_call_has_a_trace_that_keeps_the_rules() -> None:
    assert len(TIMELINES) > 40
    broken = {str(path): broken_rules(trace_of(path)) for path in TIMELINES}
    assert {path: problems for path, problems in broken.items() if problems} == {}


def test_turns_voices_texts_and_latencies_are_where_the_report_has_them() -> None:
    run = read_run(RECORDED / "talk-light")
    (call,) = [one for one in run.calls if one.call == "0001-smoke"]
    trace = trace_of(RECORDED / "talk-light/timelines/0001-smoke.jsonl")
    connected_us = trace["otherData"]["connected_after_ms"] * 1000

    def at_ms(event: dict[str, Any]) -> float:
        return float(event["ts"] - connected_us) / 1000

    greeting, first, second = of_track(trace, "turns")
    assert greeting["name"] == "greeting"
    assert first["name"] == "turn 1 says: When do you open on weekdays?"
    assert second["name"] == "turn 2 types: Do you have parking?"
    _, ttfa, typed_ttfa = of_track(trace, "TTFA")
    turn = call.turns[0]
    assert at_ms(ttfa) == pytest.approx(turn.caller_end_ms, abs=0.1)
    assert ttfa["dur"] / 1000 == turn.ttfa_ms == ttfa["args"]["ms"]
    assert typed_ttfa["dur"] / 1000 == call.turns[1].ttfa_ms
    voices = of_track(trace, "agent")
    assert [round(at_ms(voice), 1) for voice in voices] == pytest.approx(
        [start for start, _ in call.agent_voice], abs=0.2
    )
    assert all(event["args"]["at_ms"] == pytest.approx(at_ms(event), abs=0.1) for event in voices)
    (said,) = of_track(trace, "caller")
    assert at_ms(said) == pytest.approx(turn.caller_start_ms, abs=0.1)
    texts = [event["args"]["text"] for event in of_track(trace, "texts", "i")]
    assert {turn.reply, turn.transcript, "Do you have parking?"} <= set(texts)


def test_an_arrow_leads_from_the_callers_end_to_the_voice_that_answers() -> None:
    trace = trace_of(RECORDED / "talk-light/timelines/0001-smoke.jsonl")
    starts = [event for event in trace["traceEvents"] if event["ph"] == "s"]
    ends = [event for event in trace["traceEvents"] if event["ph"] == "f"]
    ttfa = of_track(trace, "TTFA")[1:]
    assert [event["ts"] for event in starts] == pytest.approx([event["ts"] for event in ttfa], abs=100)
    assert [event["ts"] for event in ends] == pytest.approx([event["ts"] + event["dur"] for event in ttfa], abs=200)


@pytest.mark.parametrize(
    ("call", "tells"),
    [
        ("0007-unauthorized", "session.unauthorized"),
        ("0010-expired_token", "room.refused"),
        ("0006-never_joins", "agent.never_joined"),
    ],
)
def test_a_call_without_media_has_a_trace_that_says_why(call: str, tells: str) -> None:
    trace = trace_of(RECORDED / f"faults-light/timelines/{call}.jsonl")
    assert [event for event in of_track(trace, "call", "i") if event["name"].startswith(tells)]
    assert not of_track(trace, "agent")
    assert of_track(trace, "call"), "the call itself is there"


def test_a_call_that_was_killed_is_drawn_to_where_it_broke_off_and_says_so(tmp_path: Path) -> None:
    run = read_run(RECORDED / "killed")
    assert "0003-smoke" not in {call.call for call in run.calls}
    trace = trace_of(RECORDED / "killed/timelines/0003-smoke.jsonl")
    assert trace["otherData"]["ended"] is False
    names = [event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "process_name"]
    assert names == ["call 0003-smoke (broken off)"]
    assert of_track(trace, "turns")[-1]["args"]["unfinished"] is True


def test_tool_calls_and_unfit_stretches_are_drawn() -> None:
    turn = {"turn": 1, "step": 0, "kind": "type", "text": "Is there parking?", "fixture": None, "language": ""}
    tool = {"name": "find", "arguments": {"near": "here"}, "result": {"free": 3}, "ok": False, "identity": "agent"}
    at = 1_000_000
    events = typed(
        [
            {"t": 0, "event": "call.started", "call": "1-x", "scenario": "x"},
            {"t": 100 * at, "event": "room.connected"},
            {"t": 200 * at, "event": "turn.started", **turn},
            {"t": 201 * at, "event": "caller.typed", "turn": 1, "text": "Is there parking?"},
            {"t": 300 * at, "event": "room.reconnecting", "why": "lost"},
            {"t": 400 * at, "event": "room.reconnected", "how": "resumed"},
            {"t": 500 * at, "event": "agent.tool_call", **tool, "ms": 80.0},
            {"t": 600 * at, "event": "agent.tool_call", **tool, "ms": None},
            {"t": 700 * at, "event": "loop.lag", "late_ms": 60.0},
            {"t": 900 * at, "event": "turn.ended", "turn": 1, "why": "no_reply"},
        ]
    )
    call = measure_call(events)
    call.turns[0].fit, call.turns[0].unfit_why = False, [Unfit(kind="packet_late", figure=132)]
    trace = json.loads(render_trace(call, events))
    assert broken_rules(trace) == []
    (lasted,) = of_track(trace, "tool calls")
    assert (lasted["name"], lasted["ts"], lasted["dur"]) == ("find FAILED", 420_000, 80_000)
    assert lasted["args"]["result"] == '{"free": 3}'
    assert len(of_track(trace, "tool calls", "i")) == 1
    unfit, away = of_track(trace, "not measured")
    assert unfit["name"] == "turn 1 unfit: a packet left 132 ms late"
    assert (away["ts"], away["dur"]) == (300_000, 100_000)
    (lag,) = of_track(trace, "harness")
    assert (lag["ts"], lag["dur"]) == (640_000, 60_000)


times = st.integers(0, 12)


@example_settings(max_examples=100, deadline=None, database=None)
@given(spans=st.lists(st.tuples(times, times), max_size=12))
def test_slices_that_overlap_go_to_threads_of_their_own(spans: list[tuple[int, int]]) -> None:
    built = TraceBuilder(0, ("one",))
    for start, length in spans:
        built.span("one", "slice", start * 1000, (start + length) * 1000)
    events = built.events("a call")
    assert broken_rules({"traceEvents": events}) == []
    drawn = sorted((event["ts"], event["dur"]) for event in events if event["ph"] == "X")
    assert drawn == sorted(spans)


def test_the_rules_find_what_is_wrong() -> None:
    whole = {"ph": "X", "name": "a", "cat": "c", "pid": 1, "tid": 1, "ts": 0, "dur": 10, "args": {}}
    named = {"ph": "M", "name": "thread_name", "pid": 1, "tid": 1, "ts": 0, "args": {"name": "t"}}
    assert broken_rules({"traceEvents": [named, whole]}) == []
    for events in (
        [whole],
        [named, whole | {"dur": 1.5}],
        [named, whole | {"ts": -1}],
        [named, whole | {"ph": "?"}],
        [named, whole, whole | {"ts": 5}],
        [named, whole, {"ph": "s", "name": "a", "cat": "f", "id": 1, "pid": 1, "tid": 1, "ts": 5}],
    ):
        assert broken_rules({"traceEvents": events}) != []


def test_the_file_is_that_of_the_first_call_that_failed_and_an_unknown_call_is_refused(tmp_path: Path) -> None:
    shutil.copytree(RECORDED / "faults-light", tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert write_trace(run) == tmp_path / "run/traces/0001-crashes.json"
    assert write_trace(run, "0008-html") == tmp_path / "run/traces/0008-html.json"
    for wrong in ("nope", "../calls", "0008-html.jsonl"):
        with pytest.raises(UsageError, match="this run has no timeline of a call") as caught:
            write_trace(run, wrong)
        assert "0001-crashes, 0002-mute" in str(caught.value.hint)
    (tmp_path / "run/timelines/0002-mute.jsonl").write_text("broken\n")
    with pytest.raises(ConfigError, match="the timeline cannot be read"):
        write_trace(run, "0002-mute")
    shutil.rmtree(tmp_path / "run/timelines")
    with pytest.raises(UsageError, match="this run has no timelines"):
        write_trace(run)
