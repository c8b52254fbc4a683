"""The failed turns of a run in Markdown: each with its time, its texts, and a link to its moment in the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from harness.judge.excused import Excused
from harness.metrics.metric import TurnMetric
from harness.metrics.registry import METRICS
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult, StepOf, TurnResult, counted_calls
from harness.record.summary import ThresholdResult
from harness.report.hints import hint_of
from harness.report.markdown_text import code, link
from harness.report.numbers import metric_with_unit, seconds, with_ms

SHOWN_OF_A_THRESHOLD = 3


def failed_turns(run: RecordedRun, report_url: str | None) -> list[str]:
    """List items of what failed and counts for the verdict, by call. Those of a capacity search fail on purpose."""
    excused = Excused.of(run.summary)
    return [entry for call in _counted(run) for entry in _of_call(call, excused, report_url)]


def turns_beyond_thresholds(run: RecordedRun, report_url: str | None) -> list[str]:
    """List items of the worst turns of each failed threshold on a time of turns."""
    failed = [one for one in (run.summary.thresholds if run.summary is not None else ()) if one.ok is False]
    return [entry for one in failed for entry in _beyond(_counted(run), one, report_url)]


def _counted(run: RecordedRun) -> list[CallResult]:
    if run.capacity is not None:
        return []
    calls = [call for call in counted_calls(run.calls) if not call.cut]
    return sorted(calls, key=lambda one: one.call)


def _beyond(calls: Sequence[CallResult], one: ThresholdResult, report_url: str | None) -> Iterator[str]:
    metric, limit, tags = METRICS[one.metric.metric], one.limit, dict(one.metric.tags)
    if not isinstance(metric, TurnMetric) or metric.is_rate or limit.aggregate == "count":
        return
    found = []
    for call in calls:
        for turn in call.turns:
            value = metric.value(turn) if turn.sure and not turn.cut else None
            tagged = {"scenario": call.scenario, "kind": turn.kind}
            if value is not None and not limit.holds(value) and tags.items() <= tagged.items():
                found.append((value, call, turn))
    found.sort(key=lambda each: each[0], reverse=limit.op in ("<", "<="))
    for value, call, turn in found[:SHOWN_OF_A_THRESHOLD]:
        lines = [f"✗ {code(f'{one.metric} {limit}')}: {metric_with_unit(metric.name, value)}", *_texts(turn)]
        yield _entry(call, f", turn {turn.turn}", turn.started_ms, lines, report_url)


def _of_call(call: CallResult, excused: Excused, report_url: str | None) -> Iterator[str]:
    """The call's failed parts: of the call itself, the greeting, its turns and waits."""

    def counts(step: StepOf, expectations: Sequence[ExpectationResult]) -> list[ExpectationResult]:
        return [one for one in expectations if one.outcome == "failed" and excused.expectation(call, step, one) is None]

    seen = call.failures if call.ok is False and excused.call(call) is None else []
    turns = {turn.turn for turn in call.turns}
    told = [f"✗ {seen_one.kind}: {code(seen_one.what)}; {code(hint_of(seen_one))}" for seen_one in seen]
    whole = [line for line, one in zip(told, seen, strict=True) if one.turn not in turns]
    if whole:
        at_ms = next((one.at_ms for one in seen if one.turn not in turns), None)
        yield _entry(call, "", at_ms, whole, report_url)
    if call.greeting is not None and (missed := counts("greeting", call.greeting.expectations)):
        lines = [*map(_expectation, missed), *_said("agent", call.greeting.reply)]
        yield _entry(call, ", greeting", call.greeting.onset_ms, lines, report_url)
    for turn in call.turns:
        of_turn = [line for line, one in zip(told, seen, strict=True) if one.turn == turn.turn]
        of_turn += map(_expectation, counts(turn.step, turn.expectations))
        if of_turn:
            lines = [*of_turn, *_texts(turn)]
            yield _entry(call, f", turn {turn.turn}", turn.started_ms, lines, report_url, facts=_facts(turn))
    for wait in call.waits:
        if missed := counts(wait.step, wait.expectations):
            where = f", wait after turn {wait.after_turn}"
            yield _entry(call, where, wait.started_ms, list(map(_expectation, missed)), report_url)


def _facts(turn: TurnResult) -> str:
    time = f", TTFA {with_ms(turn.ttfa_ms)}" if turn.ttfa_ms is not None else ""
    return time + ("" if turn.fit else ", unfit") + (", doubtful" if turn.doubtful else "")


def _entry(
    call: CallResult, where: str, at_ms: float | None, lines: Sequence[str], report_url: str | None, *, facts: str = ""
) -> str:
    at = f" at {seconds(at_ms)}" if at_ms is not None else ""
    moment = ""
    if report_url:
        time = "" if at_ms is None else f"&t={max(0.0, at_ms) / 1000:.1f}"
        moment = "" if "#" in report_url else f"#call={quote(call.call, safe='')}{time}"
        moment = f" ({link('open', report_url + moment)})"
    return "\n".join([f"- {code(call.call)}{where}{at}{facts}{moment}", *(f"  - {line}" for line in lines)])


def _expectation(one: ExpectationResult) -> str:
    place = f" ({code(one.place)})" if one.place else ""
    return f"✗ {code(f'{one.expect} {one.limit}')}{place}" + (f": {code(one.why)}" if one.why else "")


def _texts(turn: TurnResult) -> list[str]:
    return [*_said("caller", turn.text), *_said("transcript", turn.transcript), *_said("agent", turn.reply)]


def _said(who: str, text: str) -> list[str]:
    shown = code(text)
    return [f"{who}: {shown}"] if shown else []
