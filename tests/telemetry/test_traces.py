"""Traces as a collector gets them, from a real exporting process over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from harness.process.ports import ClosedPort
from harness.record.result import CallResult
from harness.record.run_directory import read_run
from harness.telemetry.exporting import exporting
from harness.telemetry.options import read_telemetry
from harness.telemetry.otlp import SpanSender
from harness.telemetry.span_kinds import CALL, KINDS
from harness.telemetry.spans import spans_of
from harness.timeline.timeline import read_timeline
from tests.telemetry import exported
from tests.telemetry.collector import collecting
from tests.telemetry.growing import RECORDED, RUNS, GrowingRun

KEY = "sk_collector_0123456789ABCDEF"
# Keys that do not look like one.
WORD, OTHER_WORD = "collectors-own-word", "another=word"


async def export(run: GrowingRun, url: str, environment: dict[str, str]) -> exported.Heard:
    """Exports a run that makes all of its calls; returns what was said."""
    heard = exported.Heard()
    async with exporting(read_telemetry(None, url, environment), heard) as export:
        await export.follow(run.path)
        run.make_all()
        await export.finish(wait=True)
    return heard


def attributes(span: Span) -> dict[str, Any]:
    """The attributes of a span, by their names."""
    values = {each.key: each.value for each in span.attributes}
    return {key: getattr(value, str(value.WhichOneof("value"))) for key, value in values.items()}


def texts(run: GrowingRun) -> Iterator[str]:
    """Whatever was said, written or called in a run."""
    for call in run.results.values():
        for turn in call["turns"]:
            yield from (turn["text"], turn["transcript"], turn["reply"])
        if call["greeting"] is not None:
            yield call["greeting"]["reply"]


async def test_a_call_is_a_trace_and_its_turns_are_spans(tmp_path: Path) -> None:
    run = GrowingRun("talk-light", tmp_path)
    environment = {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {KEY}", "OTEL_RESOURCE_ATTRIBUTES": "team=a"}
    with collecting() as collector:
        heard = await export(run, collector.url, environment)
        path, headers, first = collector.requests.queue[0]
        spans = collector.spans()
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in environment, "no other process inherits the key"
    assert path == "/v1/traces"
    assert headers["authorization"] == f"Bearer {KEY}"
    resource = {each.key: each.value.string_value for each in first.resource_spans[0].resource.attributes}
    assert (resource["service.name"], resource["team"]) == ("voice-harness", "a")
    assert not any("not delivered" in line for line in heard.lines)

    roots = {attributes(span)["voice.call"]: span for span in spans if not span.parent_span_id}
    assert set(roots) == set(run.calls)
    assert len({span.trace_id for span in roots.values()}) == len(roots)
    assert len({span.span_id for span in spans}) == len(spans)
    for call, line in run.results.items():
        of_call = [span for span in spans if span.trace_id == roots[call].trace_id]
        assert {span.parent_span_id for span in of_call} <= {b"", *(span.span_id for span in of_call)}
        turns = {attributes(span)["voice.turn"]: span for span in of_call if span.name == "voice.turn"}
        assert set(turns) == {turn["turn"] for turn in line["turns"]}
        for turn in line["turns"]:
            told = attributes(turns[turn["turn"]])
            assert told["voice.kind"] == turn["kind"]
            assert told.get("voice.ttfa_ms") == (turn["ttfa_ms"] if turn["fit"] and not turn["doubtful"] else None)
        root = roots[call]
        assert abs((root.end_time_unix_nano - root.start_time_unix_nano) / 1e6 - line["duration_ms"]) < 100
        for span in of_call:
            assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
            assert span.end_time_unix_nano <= root.end_time_unix_nano + 1_000_000
        assert (root.status.code == Status.STATUS_CODE_ERROR) == (line["ok"] is False)
    told = "".join(span.SerializeToString().decode("latin-1") for span in spans)
    assert not [text for text in texts(run) if len(text) > 3 and text in told]


def test_the_ids_of_a_trace_follow_from_the_run_and_the_call() -> None:
    run = read_run(RECORDED / "recording")
    found = []
    for name in ("run", "run", "another"):
        with collecting() as collector:
            sender = SpanSender(f"{collector.url}/v1/traces", exported.Heard())
            for call in run.calls:
                sender.add(name, call.call, spans_of(call, [], name))
            assert sender.close().lost == 0
            found.append({(span.trace_id, span.span_id) for span in collector.spans()})
    first, again, other = found
    assert first
    assert first == again
    assert not first & other


async def test_a_collector_that_refuses_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    with collecting(status=400) as collector:
        heard = await export(GrowingRun("talk-light", tmp_path), collector.url, {})
    (said,) = [line for line in heard.lines if "cannot be delivered" in line]
    assert "400" in said
    assert "the run goes on" in said
    assert heard.lines[-1].endswith("were not delivered")


async def test_a_collector_that_repeats_the_key_is_told_without_it_on_one_line(tmp_path: Path) -> None:
    environment = {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{WORD},x-key={OTHER_WORD}"}
    with collecting(status=401, reason=f"no key {WORD} or {OTHER_WORD}\x1b[2J") as collector:
        heard = await export(GrowingRun("talk-light", tmp_path), collector.url, environment)
    (said,) = [line for line in heard.lines if "cannot be delivered" in line]
    assert "no key *** or ***" in said
    assert "\x1b" not in said
    assert not any(word in line for line in heard.lines for word in (WORD, OTHER_WORD))


def test_where_there_is_no_collector_all_spans_are_told_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    port, heard = ClosedPort(), exported.Heard()
    sender = SpanSender(f"http://127.0.0.1:{port.number}/v1/traces", heard)
    call = read_run(RECORDED / "talk-light").calls[0]
    sender.add("run", call.call, spans_of(call, [], "run"))
    sent = sender.close()
    port.close()
    assert (sent.delivered, sent.lost) == (0, 1)
    assert sent.why
    assert len(heard.lines) == 1


@pytest.mark.parametrize("name", RUNS)
def test_every_span_is_one_that_the_documentation_has(name: str) -> None:
    kinds = {kind.name: kind for kind in KINDS}
    run = read_run(RECORDED / name)
    for call in run.calls:
        spans = spans_of(call, read_timeline(RECORDED / name / "timelines" / f"{call.call}.jsonl"), name)
        keys = [span.key for span in spans]
        assert keys[0] == CALL
        assert len(keys) == len(set(keys))
        for span in spans:
            kind = kinds[span.name]
            assert set(span.attributes) <= set(kind.attributes), span
            assert {moment.name for moment in span.moments} <= set(kind.events), span
            assert (span.parent is None) == (kind.parent == "")


def test_a_tool_call_is_a_span_inside_its_turn_without_what_it_was_about() -> None:
    run = read_run(RECORDED / "talk-light")
    told = json.loads(run.calls[0].model_dump_json())
    turn = told["turns"][0]
    seen = {"name": "table_free\x1b[2J", "arguments": {"secret": "four"}, "result": "yes", "ms": 40.0, "at_ms": 3000.0}
    turn["tool_calls"] = [seen, seen | {"ok": False}]
    call = CallResult.model_validate(told)
    spans = spans_of(call, read_timeline(RECORDED / "talk-light/timelines" / f"{call.call}.jsonl"), "r")
    worked, failed = [span for span in spans if span.name == "voice.tool_call"]
    assert worked.parent == failed.parent == f"turn {turn['turn']}"
    assert worked.end_ns - worked.start_ns == 40_000_000
    assert "\x1b" not in str(worked.attributes["voice.tool"])
    assert set(worked.attributes) == {"voice.tool", "voice.ok", "voice.ms"}
    assert (worked.failed, failed.failed) == (None, "the tool failed")


def test_a_call_without_a_timeline_is_still_a_span() -> None:
    run = read_run(RECORDED / "talk-light")
    (span,) = spans_of(run.calls[0], [], "r")
    assert (span.end_ns - span.start_ns) / 1e6 == pytest.approx(run.calls[0].duration_ms)
    assert span.attributes["voice.run"] == "r"
