"""The view model of a capacity search in the HTML report: its answer, and its curve as a table and a chart.

Lengths are CSS pixels, the origin is the top left. Rendered by `templates/capacity.html.j2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.record.capacity import Capacity, CurvePoint
from harness.report.capacity_table import recovery_line
from harness.report.numbers import percent, with_ms
from harness.text.plain_text import one_line

WIDTH, HEIGHT = 640.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 20.0, 12.0, 34.0
_TICKS = 4


@dataclass(frozen=True)
class Dot:
    """A point of a series, one number of calls; `missed` if most of its holds missed an objective."""

    x: float
    y: float
    title: str
    missed: bool


@dataclass(frozen=True)
class Series:
    """TTFA p50 or p95 against the number of concurrent calls."""

    name: str
    css: str
    dots: Sequence[Dot]

    @property
    def path(self) -> str:
        """The SVG path through the dots."""
        return "M" + "L".join(f"{dot.x} {dot.y}" for dot in self.dots) if self.dots else ""


@dataclass(frozen=True)
class Label:
    """A label of an axis, at its position."""

    at: float
    text: str


@dataclass
class CapacityView:
    """Everything shown of a search; `band` is the confidence interval, as x and width."""

    words: str
    recovery: str
    rows: list[list[str]]
    series: list[Series] = field(default_factory=list)
    across: list[Label] = field(default_factory=list)
    up: list[Label] = field(default_factory=list)
    band: tuple[float, float] | None = None
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    top: float = TOP
    floor: float = HEIGHT - BOTTOM


def capacity_view(capacity: Capacity) -> CapacityView:
    """Builds the view of a search."""
    view = CapacityView(
        words=one_line(capacity.answer.words),
        recovery=one_line(recovery_line(capacity.recovery)) if capacity.recovery else "",
        rows=[_row(point) for point in capacity.curve],
    )
    most_ms = max((value for point in capacity.curve for value in (point.ttfa_p50, point.ttfa_p95) if value), default=0)
    if most_ms:
        _draw(view, capacity, most_ms)
    return view


def _row(point: CurvePoint) -> list[str]:
    counts = (point.calls, point.holds, point.met, point.unfit, point.turns)
    shares = (percent(point.failed), percent(point.wrong))
    return [*(f"{count:,}" for count in counts), with_ms(point.ttfa_p50), with_ms(point.ttfa_p95), *shares]


def _draw(view: CapacityView, capacity: Capacity, most_ms: float) -> None:
    most = max(point.calls for point in capacity.curve)

    def across(calls: float) -> float:
        return round(LEFT + min(calls, most + 0.5) / (most + 0.5) * (WIDTH - LEFT - RIGHT), 1)

    def up(value_ms: float) -> float:
        return round(view.floor - value_ms / most_ms * (view.floor - TOP), 1)

    for name, css in (("p50", "half"), ("p95", "most")):
        dots = []
        for point in capacity.curve:
            value = point.ttfa_p50 if name == "p50" else point.ttfa_p95
            if value is not None:
                title = f"{point.calls} at once: TTFA {name} {with_ms(value)}"
                missed = point.met * 2 < point.holds - point.unfit
                dots.append(Dot(across(point.calls), up(value), title, missed))
        view.series.append(Series(name, css, dots))
    view.across = _spaced([Label(across(point.calls), str(point.calls)) for point in capacity.curve])
    view.up = [
        Label(up(most_ms * index / _TICKS), with_ms(most_ms * index / _TICKS).strip()) for index in range(_TICKS + 1)
    ]
    low, high = capacity.answer.interval
    if high is not None:
        from_x, until_x = across(max(0, low - 0.5)), across(high + 0.5)
        view.band = (from_x, round(until_x - from_x, 1))


def _spaced(labels: Sequence[Label]) -> list[Label]:
    """Drops labels that would overlap, starting from the right, because the dense labels are near the limit."""
    kept: list[Label] = []
    for label in reversed(labels):
        if not kept or kept[-1].at - label.at >= 8 + 7 * len(label.text):
            kept.append(label)
    return kept[::-1]
