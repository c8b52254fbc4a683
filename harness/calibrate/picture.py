"""Renders a calibration as one HTML file with an SVG chart: measured against true, and the residual of each turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from harness.calibrate.points import PointSpec
from harness.calibrate.truth import TurnCheck
from harness.record.calibration import Calibration

WIDTH, LEFT, RIGHT = 860.0, 64.0, 20.0
UPPER_TOP, UPPER_HEIGHT = 20.0, 360.0
LOWER_TOP, LOWER_HEIGHT = 430.0, 200.0
LEAST_RESIDUAL_MS = 10.0
_STEPS_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
_TEMPLATE = Path(__file__).with_name("picture.html.j2")


@dataclass(frozen=True, slots=True)
class Dot:
    """One turn, at a position in CSS pixels from the top left."""

    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that the template renders."""

    upper: Sequence[Dot]
    lower: Sequence[Dot]
    x_ticks: Sequence[Tick]
    upper_ticks: Sequence[Tick]
    lower_ticks: Sequence[Tick]
    most_ms: float
    residual_ms: float


def render_picture(calibration: Calibration, turns: Sequence[tuple[PointSpec, TurnCheck]]) -> str:
    """Renders the HTML file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_template()).render(
        calibration=calibration,
        drawing=draw(turns),
        box={
            "width": WIDTH,
            "left": LEFT,
            "right": WIDTH - RIGHT,
            "upper_top": UPPER_TOP,
            "upper_bottom": UPPER_TOP + UPPER_HEIGHT,
            "lower_top": LOWER_TOP,
            "lower_bottom": LOWER_TOP + LOWER_HEIGHT,
        },
    )


def draw(turns: Sequence[tuple[PointSpec, TurnCheck]]) -> Drawing:
    """Lays out the chart. A residual is an error minus the median error of its point."""
    specs = {spec for spec, _ in turns}
    offsets = {spec: float(np.median([turn.error_ms for own, turn in turns if own == spec])) for spec in specs}
    longest_ms = max((max(turn.true_ms, turn.measured_ms) for _, turn in turns), default=1000.0)
    most_ms = 500.0 * math.ceil(longest_ms / 500)
    widest_ms = max((abs(turn.error_ms - offsets[spec]) for spec, turn in turns), default=0.0)
    residual_ms = max(LEAST_RESIDUAL_MS, 5.0 * math.ceil(widest_ms / 5))

    def x(value_ms: float) -> float:
        return round(LEFT + value_ms / most_ms * (WIDTH - LEFT - RIGHT), 1)

    def upper(value_ms: float) -> float:
        return round(UPPER_TOP + UPPER_HEIGHT * (1 - value_ms / most_ms), 1)

    def lower(value_ms: float) -> float:
        return round(LOWER_TOP + LOWER_HEIGHT * (0.5 - value_ms / residual_ms / 2), 1)

    above, below = [], []
    for spec, turn in turns:
        residual = turn.error_ms - offsets[spec]
        title = (
            f"{turn.call}, {spec.kind}, {spec.calls} at once, {spec.condition}: true {turn.true_ms:.1f} ms, "
            f"measured {turn.measured_ms:.1f} ms, residual {residual:+.1f} ms"
        )
        above.append(Dot(x(turn.true_ms), upper(turn.measured_ms), spec.kind, title))
        below.append(Dot(x(turn.true_ms), lower(residual), spec.kind, title))
    steps = np.arange(0, most_ms + 1, 500)
    across = _step(residual_ms)
    residuals = np.arange(-np.floor(residual_ms / across), np.floor(residual_ms / across) + 1) * across
    return Drawing(
        above,
        below,
        [Tick(x(step), f"{step / 1000:g} s") for step in steps],
        [Tick(upper(step), f"{step / 1000:g} s") for step in steps],
        [Tick(lower(step), f"{step:+g} ms" if step else "0") for step in residuals],
        most_ms,
        residual_ms,
    )


def _step(most_ms: float) -> float:
    """The smallest step with at most four ticks on either side."""
    return next((step for step in _STEPS_MS if most_ms / step <= 4), most_ms)


@cache
def _template() -> str:
    return _TEMPLATE.read_text(encoding="utf-8")
