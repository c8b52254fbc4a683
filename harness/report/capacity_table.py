"""The curve and the answer of a capacity search, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import EXIT_OK
from harness.record.capacity import Capacity, CurvePoint, Hold, Recovery
from harness.report.hints import hint_lines
from harness.report.numbers import percent, plain, with_ms
from harness.text.counted import counted
from harness.text.plain_text import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from harness.record.result import CallResult

_MOST_QUERIES = 3  # observed, with a column in the terminal
_SIGNS = {"met": "met   ", "missed": "MISSED", "unfit": "unfit ", "set_up": "set-up"}


class StepLines:
    """Prints a line for each hold, unless `quiet`."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet

    def say(self, line: str) -> None:
        """See `CapacityWatcher`."""
        if not self._quiet:
            self._console.print(one_line(line))

    def held(self, step: Hold) -> None:
        """See `CapacityWatcher`."""
        if not self._quiet:
            self._console.print(step_line(step))

    def close(self) -> None:
        """Nothing is left to be closed."""


def step_line(step: Hold) -> str:
    """A hold in one line."""
    parts = [
        f"step {step.step}: {_SIGNS[step.verdict]} {step.calls} at once",
        f"{step.window_s:.0f} s, {step.turns} turns",
        f"TTFA p50 {with_ms(step.ttfa.p50)}, p95 {with_ms(step.ttfa.p95)}",
    ]
    if step.failed:
        parts.append(f"{percent(step.failed)} of calls failed")
    if step.wrong:
        parts.append(f"{percent(step.wrong)} of expectations failed")
    if step.verdict != "met":
        parts.append(step.why)
    return "  ".join(map(one_line, parts))


def print_capacity(
    console: Console,
    capacity: Capacity,
    folder: Path,
    *,
    target: str,
    calls: Sequence[CallResult] = (),
    quiet: bool = False,
) -> None:
    """Prints the curve (unless `quiet`), the recovery of latency, hints on failures, and finally the answer."""
    if capacity.curve and not quiet:
        console.print(curve_table(capacity.curve))
        for line in left_out_lines(capacity.curve):
            console.print(line)
    if capacity.recovery is not None:
        console.print(one_line(recovery_line(capacity.recovery)))
    for line in hint_lines(calls):
        console.print(line)
    report = folder / "report.html"
    console.print(f"report: {report}" if report.exists() else "report: not written")
    answer = capacity.answer
    style = "bold green" if answer.exit_code == EXIT_OK else "bold red"
    console.print("  ".join(map(one_line, (answer.words, f"target {target}", f"exit {answer.exit_code}"))), style=style)


def recovery_line(recovery: Recovery) -> str:
    """Whether latency recovered, in one line."""
    words = {True: "came back", False: "did not come back", None: "may or may not have come back"}
    line = f"after the last step latency {words[recovery.came_back]}: TTFA p50 with {recovery.calls} at once "
    line += f"{with_ms(recovery.before_ms)} at first, {with_ms(recovery.after_ms)} afterwards"
    return f"{line} ({recovery.why})" if recovery.why else line


def curve_table(points: Sequence[CurvePoint]) -> Table:
    """The curve as a table, with a row for each number of concurrent calls, and a column for each observed query."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("calls", "holds", "met", "unfit", "turns", "TTFA p50", "TTFA p95", "calls failed", "wrong"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in _queries(points)[:_MOST_QUERIES]:
        table.add_column(Text(one_line(f"{name}, mean / max")), justify="right")
    for point in points:
        table.add_row(
            *map(str, (point.calls, point.holds, point.met, point.unfit, point.turns)),
            with_ms(point.ttfa_p50),
            with_ms(point.ttfa_p95),
            percent(point.failed),
            percent(point.wrong),
            *(f"{plain(seen.mean)} / {plain(seen.max)}" for seen in point.observed[:_MOST_QUERIES]),
        )
    return table


def _queries(points: Sequence[CurvePoint]) -> list[str]:
    """The queries that were observed; the same for all points."""
    return [seen.query for point in points[:1] for seen in point.observed]


def left_out_lines(points: Sequence[CurvePoint]) -> list[str]:
    """Says how many observed queries have no column, if any."""
    more = len(_queries(points)) - _MOST_QUERIES
    return [f"{counted(more, 'more column')} of observed queries in the report"] if more > 0 else []
