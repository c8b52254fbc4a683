"""Renders `report.html`: one self-contained file, in which texts of agents and scenarios are always escaped."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from harness.metrics.registry import metric_of
from harness.record.capacity import Capacity
from harness.record.recorded_run import RecordedRun
from harness.record.result import DEFINITIONS, CallResult
from harness.record.settings import RunSettings
from harness.record.summary import PATTERNS, MetricSummary, RateSummary, Reason, Summary, Verdict
from harness.report import numbers
from harness.report.bursts import HELD_BACK, Burst, bursts, held_back_line
from harness.report.call_view import CallRow, CallView, State, call_row, call_view, text_of
from harness.report.canaries import canary_lines
from harness.report.capacity_view import capacity_view
from harness.report.load_view import load_view
from harness.report.pass_rates import pass_rate_rows
from harness.report.recording import Playable, Recordings
from harness.report.verdict_words import NO_VERDICT, VERDICT_SIGNS, in_words
from harness.text.counted import counted
from harness.text.plain_text import one_line

SINCE_JOIN_REQUEST = 2  # agent.join and greeting.ttfa start at the join request since this version of the definitions
DETAILED_FAILED = 200
DETAILED_OTHERS = 50
OPEN_AT_MOST = 20
_TEMPLATES = Path(__file__).parent / "templates"
_COLOURS: dict[Verdict, str] = {"pass": "ok", "unfit": "warn", "interrupted": "quiet"}  # else bad


@dataclass(frozen=True)
class MetricRow:
    """A metric, formatted; `cells` are p50, p90, p95, p99 and max, each with the reason if it is withheld."""

    name: str
    meaning: str
    count: str
    cells: list[tuple[str, str]]


@dataclass(frozen=True)
class RateRow:
    """A rate, formatted."""

    name: str
    meaning: str
    failed: str
    count: str
    rate: str


@dataclass(frozen=True)
class FailureRow:
    """A kind of failure and the calls in which it occurred."""

    kind: str
    count: int
    calls: list[CallRow]
    more: int


def render_html(run: RecordedRun) -> str:
    """Renders the report of `run` as a page. Recordings are read from the run's folder.

    Up to `DETAILED_FAILED` failed calls and `DETAILED_OTHERS` others are shown in detail; every call is in the list of
    calls. Recordings beyond `harness.report.recording.BUDGET_BYTES` are linked relative to the folder.
    """
    calls = sorted(run.calls, key=lambda call: call.call)
    detailed = _detailed(calls)
    again = {call.retry_of: call.call for call in calls if call.retry_of is not None}
    rows = [_row(call, number, again.get(call.call), detailed=number in detailed) for number, call in enumerate(calls)]
    views = list(_views(calls, rows, detailed, Recordings(run.folder)))
    style, script = _asset("report.css"), _asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            style=Markup(style),  # noqa: S704 - our own file, nothing of the run in it
            script=Markup(script),  # noqa: S704 - as above
            policy=_policy(style, script),
            run_name=one_line(run.settings.run),
            summary=run.summary,
            capacity=None if run.capacity is None else capacity_view(run.capacity),
            title=_title(run),
            verdict=_verdict(run.summary, run.capacity),
            excused=list(_excused(run.summary)),
            reasons=list(_reasons(run.summary)),
            about=list(_about(run)),
            versions=_versions(run.settings),
            thresholds=list(_thresholds(run.summary)),
            pass_rates=list(pass_rate_rows(run.summary)),
            metrics=list(_metrics(run.summary)),
            rates=list(_rates(run.summary)),
            failures=list(_failures(run, calls, rows)),
            load=None if run.capacity is not None else load_view(run.settings, calls),
            bursts=[(burst, list(_stages(burst))) for burst in bursts(calls)],
            rows=rows,
            views=views,
            left_out=len(rows) - len(views),
        )
    )


def _row(call: CallResult, number: int, again: str | None, *, detailed: bool) -> CallRow:
    """The call in one line; `again` is the call that replaced it, if any."""
    row = call_row(call, number, detailed=detailed)
    if again is None:
        return row
    return replace(row, state=State("\N{ANTICLOCKWISE OPEN CIRCLE ARROW}", f"repeated as {one_line(again)}", "quiet"))


def _verdict(summary: Summary | None, capacity: Capacity | None) -> State:
    """The verdict of the run, together with any others that apply."""
    if summary is None:
        return State("?", NO_VERDICT, "quiet")
    if capacity is not None and capacity.answer.ended == "time" and summary.verdict == "unfit":
        return State("!", "The time ran out (--max-time) before the answer was known", "warn")
    return State(VERDICT_SIGNS[summary.verdict], in_words(summary), _COLOURS.get(summary.verdict, "bad"))


def _reasons(summary: Summary | None) -> Iterable[tuple[Reason, str, str]]:
    """Each reason, its words, and whether it is a flicker or a failure."""
    for reason in summary.reasons if summary else ():
        yield reason, text_of(str(reason.what)), PATTERNS[reason.pattern] if reason.pattern is not None else ""


def _excused(summary: Summary | None) -> Iterable[str]:
    for what, count in summary.excused.items() if summary else ():
        yield text_of(f"{counted(count, 'time')} {what}")


def _detailed(calls: list[CallResult]) -> set[int]:
    failed = [number for number, call in enumerate(calls) if call.ok is False]
    others = [number for number, call in enumerate(calls) if call.ok is not False]
    return {*failed[:DETAILED_FAILED], *others[:DETAILED_OTHERS]}


def _views(
    calls: list[CallResult], rows: list[CallRow], detailed: set[int], recordings: Recordings
) -> Iterable[CallView]:
    # Failed calls are the most likely to be played, so their recordings are embedded first.
    playable: dict[int, Playable | None] = {
        number: recordings.playable(calls[number].recording)
        for number in sorted(detailed, key=lambda number: (calls[number].ok is not False, number))
    }
    opened = 0
    for number in sorted(detailed):
        is_open = (calls[number].ok is False or len(calls) == 1) and opened < OPEN_AT_MOST
        opened += is_open
        yield call_view(calls[number], rows[number], playable[number], is_open=is_open)


def _title(run: RecordedRun) -> str:
    verdict = run.summary.verdict if run.summary else "not judged"
    return one_line(f"{run.settings.run or 'run'}: {verdict}")


def _prompts(settings: RunSettings) -> str:
    """The prompts that the scenarios gave the agent."""
    told = []
    for scenario in settings.scenarios.values():
        prompt = scenario.prompt
        if prompt is not None:
            file = f"{prompt.file}: " if prompt.file else ""
            told.append(f"{file}{prompt.first_words} (sha256 {prompt.sha256[:8]})")
    return "; ".join(dict.fromkeys(told))


def _about(run: RecordedRun) -> Iterable[tuple[str, str]]:
    settings = run.settings
    found = {
        "target": run.summary.target if run.summary else settings.target,
        "agent": settings.agent,
        "scenarios": ", ".join(settings.scenarios),
        "prompt": _prompts(settings),
        "calls": _load(settings),
        "started": numbers.time_of_day(settings.started),
        "seed": settings.seed,
        "engine": settings.engine,
        HELD_BACK: held_back_line(run.calls),
        "definitions": _old_definitions(run.summary),
        "canaries": "; ".join(line.strip() for line in canary_lines(run.summary)),
        "measured again": "; ".join(line.strip() for line in numbers.remeasured_lines(run.summary))
        if run.summary
        else "",
        "command": shlex.join(settings.command),
    }
    return ((name, text_of(str(value))) for name, value in found.items() if value not in (None, ""))


def _old_definitions(summary: Summary | None) -> str:
    if summary is None or summary.definitions >= DEFINITIONS:
        return ""
    differs = ["voices, percentiles and WER follow older rules"]
    if summary.definitions < SINCE_JOIN_REQUEST:
        differs.append("agent.join and greeting.ttfa count from connected")
    return f"{summary.definitions}: {', '.join(differs)}; --remeasure makes them anew"


def _stages(burst: Burst) -> Iterable[tuple[str, int, list[str]]]:
    for row in burst.rows:
        yield row.stage, row.calls, [numbers.milliseconds(value) for value in (row.p50_ms, row.p95_ms, row.last_ms)]


def _load(settings: RunSettings) -> str:
    """The number and the rate of calls, in words."""
    at_once, rate, repeat = settings.calls, settings.rate_per_min, settings.repeat
    parts = [
        f"{rate:g} a minute" if rate else "",
        f"{'at most ' if rate else ''}{at_once} at once" if at_once else "",
        f"repeated {repeat} times" if repeat != 1 else "",
        f"{settings.total} in all" if settings.total else "",
    ]
    return ", ".join(part for part in parts if part)


def _versions(settings: RunSettings) -> str:
    machine = settings.machine
    parts = [
        f"voice-harness {settings.harness_version}" if settings.harness_version else "",
        f"Python {settings.python}" if settings.python else "",
        settings.platform,
        machine.cpu,
        counted(machine.cores, "core") if machine.cores else "",
        f"{machine.memory_gb:g} GB" if machine.memory_gb else "",
        *(f"{name} {version}" for name, version in settings.packages.items()),
    ]
    return one_line(" · ".join(part for part in parts if part))


def _thresholds(summary: Summary | None) -> Iterable[dict[str, Any]]:
    for threshold in summary.thresholds if summary else []:
        states = {
            True: State("✓", "held", "ok"),
            False: State("✗", "failed", "bad"),
            None: State("?", "undecided", "warn"),
        }
        yield {
            "state": states[threshold.ok],
            "metric": one_line(str(threshold.metric)),
            "limit": one_line(str(threshold.limit)),
            "value": numbers.threshold_value(threshold),
            "samples": f"{threshold.samples:,}",
            "why": text_of(threshold.why),
        }


def _metrics(summary: Summary | None) -> Iterable[MetricRow]:
    for name, metric in summary.metrics.items() if summary else ():
        if not isinstance(metric, MetricSummary):
            continue
        cells = [
            (
                numbers.metric_value(name, value),
                ""
                if value is not None
                else f"not shown: too few samples for {label} ({counted(metric.count, 'sample')})",
            )
            for label, value in (
                ("p50", metric.p50),
                ("p90", metric.p90),
                ("p95", metric.p95),
                ("p99", metric.p99),
                ("maximum", metric.max),
            )
        ]
        yield MetricRow(one_line(name), _meaning(name), f"{metric.count:,}", cells)


def _rates(summary: Summary | None) -> Iterable[RateRow]:
    for name, rate in summary.metrics.items() if summary else ():
        if isinstance(rate, RateSummary):
            shown = (f"{rate.failed:,}", f"{rate.count:,}", numbers.percent(rate.rate))
            yield RateRow(one_line(name), _meaning(name), *shown)


def _meaning(metric: str) -> str:
    found = metric_of(metric)
    return "" if found is None else found.meaning


def _failures(run: RecordedRun, calls: list[CallResult], rows: list[CallRow]) -> Iterable[FailureRow]:
    seen_in: dict[str, list[CallRow]] = {}
    for call, row in zip(calls, rows, strict=True):
        for kind in dict.fromkeys(seen.kind for seen in call.failures):
            seen_in.setdefault(kind, []).append(row)
    counts = dict(run.summary.failures) if run.summary else {kind: len(found) for kind, found in seen_in.items()}
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        found = seen_in.get(name, [])
        yield FailureRow(one_line(name), count, found[:12], max(0, len(found) - 12))


def _policy(style: str, script: str) -> str:
    """The content security policy: the page's own style and script by hash, recordings, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "media-src data: 'self' file:",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
