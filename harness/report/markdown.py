"""Renders a run as Markdown for GitHub: a job summary, or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from harness.judge.excused import Excused
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult, TurnResult, standing
from harness.record.summary import MetricSummary, RateSummary, Summary
from harness.report.hints import hint_of
from harness.report.markdown_text import cell, code, link, table
from harness.report.numbers import metric_with_unit, percent, seconds, threshold_value, with_ms
from harness.report.verdict_words import VERDICT_SIGNS, in_words
from harness.text.counted import counted

# A comment may have 65,536 characters, a job summary 1 MiB. What a workflow adds to it must fit as well.
MOST_CHARACTERS = 60_000
MOST_STEPS = 25
MOST_REASONS = 50
MOST_ROWS = 100


@dataclass(frozen=True)
class Difference:
    """A row of the table that compares a run with another; each text is shown as it is.

    Attributes:
        what: The metric, and the turn or scenario if it is not of the whole run.
        before: The value of the other run, with its unit.
        now: The value of this run, with its unit.
        change: The effect and its interval.
        verdict: Such as regression, improvement, same, not enough data.
    """

    what: str
    before: str
    now: str
    change: str
    verdict: str


@dataclass
class _Section:
    """A heading and its entries, of which as many are shown as fit; `head` belongs to the entries (a table's head)."""

    title: str
    entries: list[str]
    head: list[str] = field(default_factory=list)
    folded: bool = False
    more: int = 0


def render_markdown(run: RecordedRun, *, report_url: str | None = None, differences: Sequence[Difference] = ()) -> str:
    """Renders the verdict, why, the failed turns, differences, thresholds and metrics, in this order.

    The result has at most `MOST_CHARACTERS`; what does not fit is counted. Texts of agents and scenarios are code, so
    that nothing in them is markup, mentions anybody or links anywhere.

    Args:
        run: The run.
        report_url: Where its report.html can be opened; each failed turn links to its moment there.
        differences: Rows of a comparison with another run.
    """
    reasons = _reasons(run.summary)
    sections = [
        _Section("Why", reasons[:MOST_REASONS], more=max(0, len(reasons) - MOST_REASONS)),
        _differences(differences),
        _failed(run, report_url),
        _thresholds(run.summary),
        _metrics(run.summary),
        _rates(run.summary),
    ]
    parts = [_head(run, report_url)]
    left = MOST_CHARACTERS - len(parts[0])
    for section in sections:
        text = _fitted(section, left)
        left -= len(text) + 1
        parts += [text] if text else []
    return "\n".join(parts)


def _head(run: RecordedRun, report_url: str | None) -> str:
    summary = run.summary
    sign = VERDICT_SIGNS[summary.verdict] if summary is not None else "?"
    facts = [f"run {code(run.settings.run)}"] if run.settings.run else []
    facts.append(f"target {code(summary.target if summary is not None else run.settings.target)}")
    if summary is not None:
        counts = summary.calls
        others = (("dropped", counts.dropped), ("cut", counts.cut), ("repeated", counts.retried))
        tail = "".join(f", {number} {name}" for name, number in others if number)
        facts.insert(0, f"**{counts.ok} of {counted(counts.total, 'call')} ok**{tail}")
        facts.append(f"exit code {summary.exit_code}")
    if report_url:
        facts.append(link("report", report_url))
    answer = f"\n{code(run.capacity.answer.words)}\n" if run.capacity is not None else ""
    return f"## {sign} {in_words(summary)}\n{answer}\n{' · '.join(facts)}\n"


def _reasons(summary: Summary | None) -> list[str]:
    if summary is None:
        return []
    told = [
        f"- {code(str(reason.what))}" + (f" ({reason.count} times)" if reason.count > 1 else "")
        for reason in summary.reasons
    ]
    return told + [f"- excused by a threshold: {code(what)} ({count})" for what, count in summary.excused.items()]


def _differences(rows: Sequence[Difference]) -> _Section:
    head = table(("", "before", "now", "change", ""), [])
    entries = [
        _line((cell(row.what), cell(row.before), cell(row.now), cell(row.change), cell(row.verdict))) for row in rows
    ]
    return _Section("Differences", entries, head=head)


def _line(cells: Sequence[str]) -> str:
    return table(cells, [])[0]


def _failed(run: RecordedRun, report_url: str | None) -> _Section:
    excused = Excused(run.summary.thresholds if run.summary is not None else [])
    calls = [call for call in standing(run.calls) if not (call.warm_up or call.canary or call.cut)]
    if run.capacity is not None:  # a search makes calls fail on purpose
        calls = []
    found = [entry for call in sorted(calls, key=lambda one: one.call) for entry in _of_call(call, excused, report_url)]
    return _Section("Failed turns", found[:MOST_STEPS], more=max(0, len(found) - MOST_STEPS))


def _of_call(call: CallResult, excused: Excused, report_url: str | None) -> Iterator[str]:
    """The call's failed parts: of the call itself, the greeting, its turns and waits."""

    def counts(expectations: Sequence[ExpectationResult]) -> list[ExpectationResult]:
        return [one for one in expectations if one.outcome == "failed" and excused.expectation(call, one) is None]

    seen = call.failures if call.ok is False and excused.call(call) is None else []
    turns = {turn.turn for turn in call.turns}
    told = [f"✗ {seen_one.kind}: {code(seen_one.what)}; {code(hint_of(seen_one))}" for seen_one in seen]
    whole = [line for line, one in zip(told, seen, strict=True) if one.turn not in turns]
    if whole:
        at_ms = next((one.at_ms for one in seen if one.turn not in turns), None)
        yield _entry(call, "", at_ms, whole, report_url)
    if call.greeting is not None and (missed := counts(call.greeting.expectations)):
        lines = [*map(_expectation, missed), *_said("agent", call.greeting.reply)]
        yield _entry(call, ", greeting", call.greeting.onset_ms, lines, report_url)
    for turn in call.turns:
        of_turn = [line for line, one in zip(told, seen, strict=True) if one.turn == turn.turn]
        of_turn += map(_expectation, counts(turn.expectations))
        if of_turn:
            lines = [*of_turn, *_texts(turn)]
            yield _entry(call, f", turn {turn.turn}", turn.started_ms, lines, report_url, facts=_facts(turn))
    for wait in call.waits:
        if missed := counts(wait.expectations):
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


def _thresholds(summary: Summary | None) -> _Section:
    states = {True: "held", False: "**failed**", None: "undecided"}
    rows = [
        _line(
            (
                cell(f"{one.metric} {one.limit}"),
                threshold_value(one),
                f"{one.samples:,}",
                states[one.ok] + (f": {cell(one.why)}" if one.why else ""),
            )
        )
        for one in (summary.thresholds if summary is not None else [])
    ]
    head = table(("threshold", "value", "samples", ""), [])
    return _Section("Thresholds", rows[:MOST_ROWS], head=head, more=max(0, len(rows) - MOST_ROWS))


def _metrics(summary: Summary | None) -> _Section:
    rows = [
        _line(
            (
                cell(name),
                f"{metric.count:,}",
                *(metric_with_unit(name, value) for value in (metric.p50, metric.p95, metric.p99, metric.max)),
            )
        )
        for name, metric in (summary.metrics.items() if summary is not None else ())
        if isinstance(metric, MetricSummary)
    ]
    return _Section("Metrics", rows, head=table(("metric", "count", "p50", "p95", "p99", "max"), []), folded=True)


def _rates(summary: Summary | None) -> _Section:
    rows = [
        _line((cell(name), f"{metric.failed:,} of {metric.count:,}", percent(metric.rate)))
        for name, metric in (summary.metrics.items() if summary is not None else ())
        if isinstance(metric, RateSummary)
    ]
    return _Section("Rates", rows, head=table(("rate", "cases", "share"), []), folded=True)


def _fitted(section: _Section, room: int) -> str:
    """The section with as many entries as there is room for; empty if there is none for any."""
    opening = [f"### {section.title}", ""]
    closing: list[str] = []
    if section.folded:
        opening, closing = [f"<details><summary>{section.title}</summary>", ""], ["", "</details>"]
    opening += section.head
    spare = room - sum(len(line) + 1 for line in (*opening, *closing)) - 40  # for the line on what is left out
    shown: list[str] = []
    for entry in section.entries:
        spare -= len(entry) + 1
        if spare < 0:
            break
        shown.append(entry)
    if not shown:
        return ""
    more = section.more + len(section.entries) - len(shown)
    rest = ["", f"… and {more} more"] if more else []
    return "\n".join([*opening, *shown, *rest, *closing, ""])
