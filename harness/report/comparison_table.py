"""A comparison in the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.record.comparison import Comparison, Verdict
from harness.report.comparison_rows import ComparisonRow, comparison_rows, notable_rows
from harness.text.counted import counted
from harness.text.plain_text import one_line

if TYPE_CHECKING:
    from rich.console import Console

_STYLES: dict[Verdict, str] = {
    "regression": "bold red",
    "improvement": "green",
    "changed": "yellow",
    "not enough data": "dim",
}


def print_comparison(console: Console, comparison: Comparison, *, every_turn: bool = False) -> None:
    """Prints what differs between the testbeds, the table, and the verdict on the last line.

    Args:
        console: The terminal.
        comparison: The comparison.
        every_turn: Whether to print the turns without a difference, too.
    """
    for difference in comparison.differences:
        sides = f"{difference.baseline} in the baseline, {difference.run} in this run"
        console.print(f"warning: the testbeds differ: {difference.what}: {one_line(sides)}", style="bold yellow")
    for note in comparison.notes:
        console.print(f"note: {one_line(note)}")
    rows = list(comparison_rows(comparison)) if every_turn else notable_rows(comparison)
    for scenario in dict.fromkeys(row.scenario for row in rows):
        _print_table(console, scenario, [row for row in rows if row.scenario == scenario])
    counts = Counter(one.verdict for one in comparison.compared)
    counted_verdicts = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
    console.print(
        f"{counted(len(comparison.compared), 'comparison')}: {counted_verdicts}; "
        f"{100 * comparison.level:g} % intervals, {comparison.method} calls"
    )
    style = _STYLES.get(comparison.verdict, "bold green") if comparison.verdict != "same" else "bold green"
    against = f"{one_line(comparison.run.name)} against {one_line(comparison.baseline.name)}"
    console.print(f"{comparison.verdict.upper()}  {against}{_enough(comparison)}", style=style)


def _enough(comparison: Comparison) -> str:
    """How many calls would decide everything that the verdict waits for."""
    if comparison.verdict != "not enough data" or not comparison.undecided:
        return ""
    numbers = [one.enough_calls for one in comparison.undecided]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return f"  {counted(len(numbers), 'metric')} undecided"
    return f"  {counted(max(known), 'call')} a side would be enough"


def _print_table(console: Console, scenario: str, rows: list[ComparisonRow]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(one_line(scenario), no_wrap=True)
    for name in ("baseline", "run", "difference", "interval", "calls → enough"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    before = ""
    for row in rows:
        # Turns follow their metric.
        name = row.name if row.turn is None or row.metric != before else f"  turn {row.turn}"
        before = row.metric
        calls = row.calls + (f" → {row.enough}" if row.enough else "")
        verdict = Text(row.why if row.is_of_one_side else row.verdict, style=_STYLES.get(row.verdict, ""))
        table.add_row(name, row.baseline, row.run, row.difference, row.interval, calls, verdict)
    console.print(table)
