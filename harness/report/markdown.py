"""Renders a run as Markdown for GitHub: a job summary, or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.judge.excused import EXCUSED_BY
from harness.record.comparison import Comparison, Verdict
from harness.record.recorded_run import RecordedRun
from harness.record.summary import PATTERNS, MetricSummary, RateSummary, Summary
from harness.report.comparison_rows import notable_rows
from harness.report.markdown_text import cell, code, link, table
from harness.report.markdown_turns import failed_turns, turns_beyond_thresholds
from harness.report.numbers import metric_with_unit, percent, threshold_value
from harness.report.shown.pass_rates import pass_rate_rows
from harness.report.verdict_words import VERDICT_SIGNS, in_words
from harness.text.counted import counted

# A comment may have 65,536 characters, a job summary 1 MiB. What a workflow adds to it must fit as well.
MOST_CHARACTERS = 60_000
MOST_STEPS = 25
MOST_REASONS = 50
MOST_ROWS = 100
_SHOWN_FIRST: tuple[Verdict, ...] = ("regression", "improvement", "changed", "not enough data", "same")


@dataclass
class _Section:
    """A heading and its entries, of which as many are shown as fit; `head` belongs to the entries (a table's head)."""

    title: str
    entries: list[str]
    head: list[str] = field(default_factory=list)
    folded: bool = False
    more: int = 0


def render_markdown(run: RecordedRun, *, report_url: str | None = None) -> str:
    """Renders the verdict, why, the failed turns, differences, thresholds, pass rates and metrics.

    The result has at most `MOST_CHARACTERS`; what does not fit is counted. Texts of agents and scenarios are code, so
    that nothing in them is markup, mentions anybody or links anywhere.

    Args:
        run: The run.
        report_url: Where its report.html can be opened; each failed turn links to its moment there.
    """
    reasons = _reasons(run.summary)
    sections = [
        _Section("Why", reasons[:MOST_REASONS], more=max(0, len(reasons) - MOST_REASONS)),
        _differences(run.comparison),
        _turns("Failed turns", failed_turns(run, report_url)),
        _turns("Turns beyond a threshold that failed", turns_beyond_thresholds(run, report_url)),
        _thresholds(run.summary),
        _pass_rates(run.summary),
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
        f"- {code(str(reason.what))}"
        + (f" ({reason.count} times)" if reason.count > 1 else "")
        + (f", {PATTERNS[reason.pattern]}" if reason.pattern is not None else "")
        for reason in summary.reasons
    ]
    return told + [f"- {EXCUSED_BY}: {code(what)} ({count})" for what, count in summary.excused.items()]


def _differences(comparison: Comparison | None) -> _Section:
    """The metrics that differ or are undecided; those that are the same are counted."""
    if comparison is None:
        return _Section("", [])
    rows = notable_rows(comparison)
    same = sum(row.verdict == "same" for row in rows)
    several = len({row.scenario for row in rows}) > 1
    entries = [
        _line(
            (
                cell(f"{row.scenario}: {row.name}" if several else row.name),
                *(cell(text) for text in (row.baseline, row.run, row.difference, row.interval)),
                f"**{row.verdict}**" if row.verdict == "regression" else row.verdict,
            )
        )
        for row in sorted(rows, key=lambda row: _SHOWN_FIRST.index(row.verdict))
        if row.verdict != "same"
    ]
    title = f"{comparison.verdict.capitalize()} against {code(comparison.baseline.name)}"
    title += f": {counted(same, 'metric')} the same" if same else ""
    if not entries:
        return _Section(title, ["- no metric differs by as much as matters"])
    return _Section(title, entries, head=table(("", "baseline", "run", "difference", "interval", ""), []))


def _line(cells: Sequence[str]) -> str:
    return table(cells, [])[0]


def _turns(title: str, found: list[str]) -> _Section:
    return _Section(title, found[:MOST_STEPS], more=max(0, len(found) - MOST_STEPS))


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


def _pass_rates(summary: Summary | None) -> _Section:
    rows = [
        _line((cell(row.name), row.passed, row.interval, cell(row.needed), row.state.words))
        for row in pass_rate_rows(summary)
    ]
    head = table(("pass rate", "passed", "95 % interval", "needed", ""), [])
    return _Section("Pass rates", rows[:MOST_ROWS], head=head, more=max(0, len(rows) - MOST_ROWS))


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
