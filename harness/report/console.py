"""A run in the terminal: progress lines and bar, the summary table, and the verdict."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from harness.errors import EXIT_OK, EXIT_UNFIT
from harness.judge.excused import EXCUSED_BY
from harness.judge.tool_calls import NO_TOOL_CALLS
from harness.record.reason import NeverDecided, UnfitTurns
from harness.record.result import CallResult, counted_calls
from harness.record.summary import PATTERNS, MetricSummary, RateSummary, Summary
from harness.report.annotations import in_github
from harness.report.canaries import canary_lines
from harness.report.hints import hint_lines
from harness.report.numbers import metric_with_unit, percent, remeasured_lines, threshold_value, with_ms
from harness.report.shown.pass_rates import pass_rate_lines
from harness.text.counted import counted
from harness.text.plain_text import clipped, one_line
from harness.timeline.codec import entry_of
from harness.timeline.events import Event, MediaSecond, SecondPassed, StreamAnchor, ToolCalled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_SHOWN_EXPECTATIONS = 10
_SHOWN_OF_A_TEXT = 1000  # characters
_SHOWN_OF_TOOLS = 300  # characters of a tool's arguments, and of its result
_UNFIT_HINT = "call again on a quieter or larger machine; run --retry-unfit N repeats such calls"
_NO_TOOLS_HINT = "calls_tool needs frames on voice.tool_call: remove it, or have the service send them"
PIPE_WIDTH = 120
# The columns of the metrics table: the first set that fits the terminal.
_COLUMNS = (("min", "p50", "p90", "p95", "p99", "max"), ("p50", "p95", "p99", "max"), ("p50", "p95", "max"), ("p50",))


def make_console() -> Console:
    """The terminal; respects NO_COLOR, and has a fixed width when piped."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    out = cast("TextIO", _LogOfGitHub(sys.stdout)) if in_github(os.environ) else sys.stdout
    return Console(file=out, highlight=False, markup=False, emoji=False, width=width, soft_wrap=width is not None)


class _LogOfGitHub:
    """Standard output in a job of GitHub Actions, whose runner carries out `##[command]` anywhere in a line.

    Texts of agents are in the middle of lines. There the form `::command::`, which has to begin a line, does nothing.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.replace("##[", "##\N{ZERO WIDTH SPACE}["))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def call_line(result: CallResult) -> str:
    """A finished call in one line."""
    state = "cut   " if result.cut else "ok    " if result.ok else "FAILED"
    ttfa = [turn.ttfa_ms for turn in result.turns if turn.ttfa_ms is not None and turn.sure]
    side = " (baseline)" if result.side == "baseline" else ""
    parts = [f"{state} {result.call}{side}", f"{result.duration_ms / 1000:.1f} s", counted(len(result.turns), "turn")]
    if ttfa:
        fastest, slowest = f"{min(ttfa):.0f}", f"{max(ttfa):.0f}"
        parts.append(f"TTFA {fastest} ms" if fastest == slowest else f"TTFA {fastest} to {slowest} ms")
    if result.failure:
        what = next((failure.what for failure in result.failures if failure.kind == result.failure), "")
        parts.append(f"{result.failure}: {_short(what)}")
    failed = [expectation for _, expectation in result.expectations() if expectation.outcome == "failed"]
    if failed:
        parts.append(f"{counted(len(failed), 'expectation')} failed")
    return "  ".join(parts)


class LinesWatcher:
    """Prints plain lines, for logs, pipes and CI; with `quiet` only failed calls."""

    def __init__(self, console: Console, *, quiet: bool = False, verbose: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._verbose = verbose
        self.wants_events = verbose
        self._total = 0
        self._done = 0

    def say(self, line: str) -> None:
        """See `Watcher`."""
        if not self._quiet:
            self._console.print(line)

    def started(self, total: int) -> None:
        """See `Watcher`."""
        self._total, self._done = total, 0

    def event(self, call: str, event: Event) -> None:
        """See `Watcher`."""
        if self._verbose and not isinstance(event, SecondPassed | MediaSecond | StreamAnchor):
            self._console.print(f"{call}  {event_line(event)}")

    def ended(self, result: CallResult, alive: int) -> None:
        """See `Watcher`."""
        self._done += 1
        if not self._quiet or not result.ok:
            self._console.print(f"[{self._done}/{self._total}] {call_line(result)}")

    def close(self) -> None:
        """Does nothing: there is nothing to close."""


class BarWatcher(LinesWatcher):
    """Prints a progress bar below the lines."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        super().__init__(console, verbose=verbose)
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("calls", total=None, visible=False)

    def started(self, total: int) -> None:
        """See `Watcher`."""
        super().started(total)
        self._progress.update(self._task, total=total, visible=True)
        self._progress.start()

    def ended(self, result: CallResult, alive: int) -> None:
        """See `Watcher`."""
        super().ended(result, alive)
        self._progress.update(self._task, advance=1, description=counted(alive, "call") if alive else "calls")

    def close(self) -> None:
        """Removes the bar."""
        self._progress.stop()


def event_line(event: Event) -> str:
    """A timeline event in one line: its name and its fields."""
    entry = entry_of(event)
    if isinstance(event, ToolCalled):
        entry |= {"arguments": _of_tool(event.arguments), "result": _of_tool(event.result)}
    fields = "  ".join(f"{key}={_short(value)}" for key, value in entry.items() if key not in ("t", "event"))
    return f"{event.event:<18} {fields}".rstrip()


def tool_call_in_words(event: ToolCalled) -> str:
    """A tool call in one line: its name, arguments, result and time."""
    took = "" if event.ms is None else f" after {with_ms(event.ms)}"
    came = "returned" if event.ok else "FAILED with"
    return f"tool {event.name} {_of_tool(event.arguments)} {came} {_of_tool(event.result)}{took}"


def _of_tool(value: object) -> str:
    """A tool's arguments or result as JSON, cut; a text as it is."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return clipped(text, _SHOWN_OF_TOOLS)


def _short(value: object) -> str:
    return clipped(one_line(f"{value:g}" if isinstance(value, float) else str(value)), _SHOWN_OF_A_TEXT)


def print_summary(
    console: Console, summary: Summary, calls: Sequence[CallResult], folder: Path, *, quiet: bool = False
) -> None:
    """Prints the final table (unless `quiet`), the failures, and on the last lines the verdict with its reasons."""
    if summary.metrics and not quiet:
        console.print(_fitting_table(summary, console))
    failed = [
        (call.call, turn, expectation)
        for call in counted_calls(calls)
        for turn, expectation in call.expectations()
        if expectation.outcome == "failed"
    ]
    for call_id, turn, expectation in failed[:_SHOWN_EXPECTATIONS]:
        where = f"turn {turn}" if turn is not None else "call"
        console.print(f"{call_id} {where}: {expectation.expect} {expectation.limit}: {_short(expectation.why)}")
        if expectation.place:
            console.print(f"    {expectation.place}")
    if len(failed) > _SHOWN_EXPECTATIONS:
        console.print(f"… and {len(failed) - _SHOWN_EXPECTATIONS} more, see the report")
    for threshold in summary.thresholds:
        state = "ok" if threshold.ok else "FAILED" if threshold.ok is False else "no sample"
        if threshold.ok is not None and threshold.why:
            state += f" ({_short(threshold.why)})"
        value = "" if threshold.value is None else f" = {_plain(threshold_value(threshold))}"
        console.print(f"threshold {threshold.metric} {threshold.limit}{value}: {state}")
    for line in (*pass_rate_lines(summary), *hint_lines(calls), *canary_lines(summary), *remeasured_lines(summary)):
        console.print(line)
    report = folder / "report.html"
    console.print(f"report: {report}" if report.exists() else "report: not written")
    for reason in summary.reasons:
        count = f" ({reason.count})" if reason.count > 1 else ""
        pattern = f", {PATTERNS[reason.pattern]}" if reason.pattern is not None else ""
        console.print(f"reason ({reason.code}): {_short(reason.what)}{count}{pattern}")
    unfit = [reason.what for reason in summary.reasons if reason.code == EXIT_UNFIT]
    never = [what for what in unfit if isinstance(what, NeverDecided)]
    if any(isinstance(what, UnfitTurns) for what in unfit) or any(what.why != NO_TOOL_CALLS for what in never):
        console.print(f"  hint: {_UNFIT_HINT}")
    if any(what.why == NO_TOOL_CALLS for what in never):
        console.print(f"  hint: {_NO_TOOLS_HINT}")
    counts = summary.calls
    tail = "".join(
        f", {number} {name}"
        for name, number in (
            ("dropped", counts.dropped),
            ("cut", counts.cut),
            ("of the warm-up", counts.warm_up),
            ("repeated, because they could not be measured", counts.retried),
        )
        if number
    )
    if summary.excused:
        tail += f"; {EXCUSED_BY}: " + ", ".join(f"{number} {_short(what)}" for what, number in summary.excused.items())
    style = "bold green" if summary.exit_code == EXIT_OK else "bold red"
    headline = " and ".join(verdict.upper() for verdict in (summary.verdict, *summary.also))
    console.print(
        f"{headline}  {counts.ok} of {counted(counts.total, 'call')} ok{tail}"
        f"  target {_short(summary.target)}  exit {summary.exit_code}",
        style=style,
    )


def _fitting_table(summary: Summary, console: Console) -> Table:
    from rich.measure import Measurement

    unbounded = console.options.update(max_width=1_000)
    for columns in _COLUMNS:
        table = metrics_table(summary.metrics, columns)
        if Measurement.get(console, unbounded, table).maximum <= console.width:
            break
    return table


def metrics_table(metrics: Mapping[str, MetricSummary | RateSummary], columns: Sequence[str]) -> Table:
    """A table with a row per metric: its count and the given columns; a rate is in the last column."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("metric", no_wrap=True)
    for name in ("count", *columns):
        table.add_column(name, justify="right", no_wrap=True)
    for name, metric in metrics.items():
        if isinstance(metric, RateSummary):
            table.add_row(name, str(metric.count), *[""] * (len(columns) - 1), _plain(percent(metric.rate)))
            continue
        table.add_row(
            name, str(metric.count), *(_plain(metric_with_unit(name, getattr(metric, column))) for column in columns)
        )
    return table


def _plain(shown: str) -> str:
    """With plain spaces, which people search logs for."""
    return shown.replace("\N{NO-BREAK SPACE}", " ")
