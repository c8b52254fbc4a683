"""A calibration as tables in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.record.calibration import Calibration, Point

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = ("turns", "calls", "condition", "n", "slope", "offset", "explained", "within p95", "p50", "p95", "max")
_MORE = ("hearing p95", "sending p95")


def print_calibration(console: Console, calibration: Calibration) -> None:
    """Prints the points, the random delays, onset detection in noise, and the reasons for unfit points."""
    from rich.table import Table

    table = Table(title="TTFA, measured less true, in ms", title_justify="left")
    for number, name in enumerate((*_COLUMNS, *_MORE)):
        table.add_column(name, justify="left" if number in {0, 2} else "right")
    for point in calibration.points:
        table.add_row(*_row(point), style=None if point.fit else "red")
    console.print(table)
    random = calibration.random
    if random.residual_p95_ms is not None:
        console.print(
            f"random delays: {random.turns} turns, residual p95 {random.residual_p95_ms:.1f}, "
            f"max {random.residual_max_ms:.1f} ms"
        )
    onset = Table(title="Onset over noise", title_justify="left")
    for number, name in enumerate(("noise", "dBFS", "median ms", "p95 ms", "missed", "false in 10 minutes")):
        onset.add_column(name, justify="left" if number == 0 else "right")
    for row in calibration.onset:
        level = "" if row.noise_dbfs is None else f"{row.noise_dbfs:g}"
        missed = f"{row.missed} of {row.utterances}"
        onset.add_row(row.noise, level, _number(row.median_ms), _number(row.p95_ms), missed, f"{row.false_per_10min:g}")
    console.print(onset)
    for point in calibration.points:
        for why in point.unfit_why:
            console.print(f"not fit: {point.kind}, {point.calls} at once, {point.condition}: {why}")


def _row(point: Point) -> list[str]:
    return [
        point.kind,
        str(point.calls),
        point.condition,
        str(point.turns),
        "" if point.slope is None else f"{point.slope:.4f}",
        _number(point.offset_ms),
        _number(point.explained_offset_ms),
        _number(point.within_p95_ms),
        _number(point.residual_p50_ms),
        _number(point.residual_p95_ms),
        _number(point.residual_max_ms),
        _number(point.hearing_p95_ms),
        _number(point.sending_p95_ms),
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
