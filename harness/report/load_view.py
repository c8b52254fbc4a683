"""The view model of a run over time in the HTML report: TTFA, calls alive and failures, as a chart and a table.

Lengths are CSS pixels, the origin is the top left. Rendered by `templates/load.html.j2`. Time starts with the first
call, by the clocks of the machines that made the calls.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.metrics.percentiles import percentile
from harness.record.result import CallResult, standing
from harness.record.settings import RunSettings
from harness.report.capacity_view import Dot, Label, Series
from harness.report.charts import LEFT, RIGHT, WIDTH, axis_ticks
from harness.report.numbers import milliseconds, seconds, utc, with_ms
from harness.text.counted import counted
from harness.text.plain_text import one_line

MORE_CALLS_THAN = 10
MOST_DOTS = 400
MOST_SLICES = 40
_SLICES_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_TTFA, _ALIVE, _FAILED = (18.0, 158.0), (190.0, 260.0), (292.0, 342.0)  # top and floor of each panel
_PARTS = 1000.0  # the line of calls alive has at most this many points across the width


@dataclass
class Slice:
    """What happened in one interval, in seconds from the first call's start."""

    from_s: float
    until_s: float
    alive: int = 0
    ttfa_ms: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """How many calls failed in the slice."""
        return self.failures.total()


@dataclass(frozen=True)
class Panel:
    """A row of the chart: its name, its position, and the labels of its axis."""

    name: str
    top: float
    floor: float
    up: Sequence[Label]


@dataclass(frozen=True)
class Bar:
    """The calls that failed in a slice."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass
class LoadView:
    """Everything shown of a run over time."""

    words: str
    rows: list[list[str]]
    panels: list[Panel] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    alive: str = ""
    bars: list[Bar] = field(default_factory=list)
    across: Sequence[Label] = ()
    warm_up: float = 0.0
    width: float = WIDTH
    height: float = _FAILED[1] + 26
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = _TTFA[0]
    floor: float = _FAILED[1]


def load_view(settings: RunSettings, calls: Sequence[CallResult]) -> LoadView | None:
    """The view of a load, or of a run of more than `MORE_CALLS_THAN` calls; None for other runs, or without times."""
    load = settings.load
    if load is None and len(calls) <= MORE_CALLS_THAN:
        return None
    spans = _spans(calls)
    end_s = max((end for _, _, end in spans), default=0.0)
    if end_s <= 0:
        return None
    warm_up_s = float(load.get("warm_up_s") or 0.0) if load is not None else 0.0
    return _Drawing(spans, end_s, calls, warm_up_s).view


def _spans(calls: Sequence[CallResult]) -> list[tuple[CallResult, float, float]]:
    """Each call with its start and end, in seconds from the first call's start."""
    started = [(call, utc(call.started)) for call in calls]
    known = [(call, at) for call, at in started if at is not None]
    first = min((at for _, at in known), default=None)
    if first is None:
        return []
    starts = [(call, (at - first).total_seconds()) for call, at in known]
    return [(call, start, start + call.duration_ms / 1000) for call, start in starts]


def _ttfa(spans: Sequence[tuple[CallResult, float, float]]) -> Iterator[tuple[float, float, str]]:
    """Yields the time (s), the TTFA (ms) and the name of each turn; only turns that enter the percentiles."""
    counted_calls = {call.call for call in standing([call for call, _, _ in spans])}
    for call, start, end in spans:
        if call.call not in counted_calls or call.warm_up or call.canary:
            continue
        connected = start + (call.held_back_ms + (call.session_create_ms or 0.0) + (call.room_connect_ms or 0.0)) / 1000
        for turn in call.turns:
            at_ms = turn.agent_onset_ms if turn.agent_onset_ms is not None else turn.ended_ms
            if turn.ttfa_ms is not None and turn.sure and at_ms is not None:
                yield min(end, connected + at_ms / 1000), turn.ttfa_ms, f"{one_line(call.call)} turn {turn.turn}"


def _alive_steps(spans: Sequence[tuple[CallResult, float, float]]) -> list[tuple[float, int]]:
    """The number of calls alive as a step function: (second, calls alive from then on)."""
    changes = Counter[float]()
    for _, start, end in spans:
        changes[start] += 1
        changes[end] -= 1
    alive, steps = 0, []
    for at in sorted(changes):
        alive += changes[at]
        steps.append((at, alive))
    return steps


class _Drawing:
    def __init__(
        self,
        spans: Sequence[tuple[CallResult, float, float]],
        end_s: float,
        calls: Sequence[CallResult],
        warm_up_s: float,
    ) -> None:
        self.end_s = end_s
        self.px_per_s = (WIDTH - LEFT - RIGHT) / end_s
        self.ttfa = sorted(_ttfa(spans))
        self.steps = _alive_steps(spans)
        again = {call.call for call in standing(calls)}
        self.failed = [(call, end) for call, _, end in spans if call.ok is False and call.call in again]
        self.slices = self._slices()
        self.view = LoadView(words=self._words(len(calls)), rows=[_row(each) for each in self.slices])
        self.view.warm_up = round(min(warm_up_s, end_s) * self.px_per_s, 1)
        self.view.across = [Label(tick.x, tick.label) for tick in axis_ticks(end_s, self.px_per_s)]
        self._draw()

    def x(self, at_s: float) -> float:
        return round(LEFT + min(max(0.0, at_s), self.end_s) * self.px_per_s, 1)

    def _slices(self) -> list[Slice]:
        step_s = next((step for step in _SLICES_S if self.end_s <= step * MOST_SLICES), self.end_s / MOST_SLICES)
        count = max(1, -(-self.end_s // step_s).__int__())
        slices = [Slice(index * step_s, min(self.end_s, (index + 1) * step_s)) for index in range(count)]

        def place(at_s: float) -> int:
            return min(count - 1, int(at_s // step_s))

        for at_s, ttfa_ms, _ in self.ttfa:
            slices[place(at_s)].ttfa_ms.append(ttfa_ms)
        for call, end in self.failed:
            slices[place(end)].failures[call.failure or "expectations"] += 1
        for (at_s, alive), (until_s, _) in zip(self.steps, [*self.steps[1:], (self.end_s, 0)], strict=True):
            # A step that ends exactly where the next slice begins does not count there.
            for index in range(place(at_s), place(max(at_s, until_s - 1e-9)) + 1):
                slices[index].alive = max(slices[index].alive, alive)
        return slices

    def _words(self, calls: int) -> str:
        values = [value for _, value, _ in self.ttfa]
        most = max((each.alive for each in self.slices), default=0)
        told = [f"{counted(calls, 'call')} in {seconds(self.end_s * 1000)}, at most {most} at once"]
        if values:
            halves = (
                [value for at, value, _ in self.ttfa if at < self.end_s / 2],
                [value for at, value, _ in self.ttfa if at >= self.end_s / 2],
            )
            told.append(f"TTFA p50 {with_ms(percentile(values, 50))} of {counted(len(values), 'turn')}")
            if all(halves):
                first, second = (with_ms(percentile(half, 50)) for half in halves)
                told[-1] += f" ({first} in the first half of the time, {second} in the second)"
        told.append(f"{counted(len(self.failed), 'call')} failed")
        return "; ".join(told)

    def _draw(self) -> None:
        view = self.view
        as_dots = len(self.ttfa) <= MOST_DOTS
        shown = [value for _, value, _ in self.ttfa]
        if not as_dots:
            shown = [percentile(each.ttfa_ms, 95) for each in self.slices if each.ttfa_ms]
        most_ms = _marks(max(shown, default=0.0))[-1]
        if as_dots:
            for at_s, value, name in self.ttfa:
                title = f"{name}, at {seconds(at_s * 1000)}: TTFA {with_ms(value)}"
                view.dots.append(Dot(self.x(at_s), _up(value, most_ms, _TTFA), title, missed=False))
        else:
            view.series = [self._series("p50", "half", 50, most_ms), self._series("p95", "most", 95, most_ms)]
        most_alive = max((alive for _, alive in self.steps), default=0)
        view.alive = self._alive_path(most_alive)
        most_failed = max((each.failed for each in self.slices), default=0)
        for each in self.slices:
            if each.failed:
                x, y = self.x(each.from_s), _up(each.failed, most_failed, _FAILED)
                width = max(1.0, round(self.x(each.until_s) - x - 1, 1))
                title = f"{_when(each)}: {_kinds(each)}"
                view.bars.append(Bar(x, y, width, round(_FAILED[1] - y, 1), title))
        view.panels = [
            Panel(
                "TTFA",
                *_TTFA,
                [Label(_up(value, most_ms, _TTFA), with_ms(value) if value else "0") for value in _marks(most_ms)],
            ),
            Panel("calls alive", *_ALIVE, _whole_marks(most_alive, _ALIVE)),
            Panel("calls failed", *_FAILED, _whole_marks(most_failed, _FAILED)),
        ]

    def _series(self, name: str, css: str, share: int, most_ms: float) -> Series:
        dots = []
        for each in self.slices:
            if each.ttfa_ms:
                value = percentile(each.ttfa_ms, share)
                title = f"{_when(each)}: TTFA {name} {with_ms(value)} of {counted(len(each.ttfa_ms), 'turn')}"
                x = self.x((each.from_s + each.until_s) / 2)
                dots.append(Dot(x, _up(value, most_ms, _TTFA), title, missed=False))
        return Series(name, css, dots)

    def _alive_path(self, most: int) -> str:
        columns: dict[float, tuple[int, int]] = {}  # for each part: the maximum, and the number at its end
        part = (WIDTH - LEFT - RIGHT) / _PARTS
        for at_s, alive in self.steps:
            x = round(LEFT + round((self.x(at_s) - LEFT) / part) * part, 1)
            columns[x] = (max(columns.get(x, (0, 0))[0], alive), alive)
        path = f"M{LEFT} {_ALIVE[1]}"
        for x, (highest, left) in columns.items():
            path += f"H{x}V{_up(highest, most, _ALIVE)}" + (f"V{_up(left, most, _ALIVE)}" if left != highest else "")
        return path


def _up(value: float, most: float, panel: tuple[float, float]) -> float:
    top, floor = panel
    return round(floor - (value / most if most else 0.0) * (floor - top), 1)


def _marks(most: float) -> list[float]:
    """About four round values from 0 to the first that is not below `most`."""
    if most <= 0:
        return [0.0]
    size = 10.0 ** math.floor(math.log10(most / 4))
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times * 4 >= most)
    return [step * index for index in range(math.ceil(most / step) + 1)]


def _whole_marks(most: int, panel: tuple[float, float]) -> list[Label]:
    return [Label(_up(value, most, panel), str(value)) for value in dict.fromkeys((0, most))]


def _when(each: Slice) -> str:
    return f"{seconds(each.from_s * 1000)} to {seconds(each.until_s * 1000)}"


def _kinds(each: Slice) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in each.failures.most_common())


def _row(each: Slice) -> list[str]:
    p50, p95 = (percentile(each.ttfa_ms, share) if each.ttfa_ms else None for share in (50, 95))
    turns = str(len(each.ttfa_ms))
    return [_when(each), str(each.alive), turns, milliseconds(p50), milliseconds(p95), str(each.failed), _kinds(each)]
