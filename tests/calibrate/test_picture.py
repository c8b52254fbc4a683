"""The picture: each turn is in it, at its place, and names are only ever text."""

from __future__ import annotations

from dataclasses import replace

from harness.calibrate.picture import draw, render_picture
from harness.calibrate.points import PointSpec, point_of
from harness.calibrate.truth import CallCheck, TurnCheck
from harness.record.calibration import Calibration, Machine, RandomDelays

SPEC = PointSpec("sdk", "spoken", 1, "clean")
TURN = TurnCheck("0001-clean", "spoken", 5.0, 300.0, 300.0, 345.0, 8.0, 37.0)
TURNS = [
    (SPEC, replace(TURN, true_ms=true, measured_ms=true + 45 + wrong))
    for true, wrong in ((300.0, 0.0), (800.0, -2.0), (3000.0, 2.0))
]


def test_longer_delays_lie_further_right_and_higher_and_the_residual_is_around_zero() -> None:
    drawing = draw(TURNS)
    assert [dot.x for dot in drawing.upper] == sorted(dot.x for dot in drawing.upper)
    assert [dot.y for dot in drawing.upper] == sorted((dot.y for dot in drawing.upper), reverse=True)
    middle, low, high = (dot.y for dot in drawing.lower)
    assert high < middle < low


def test_the_file_has_each_turn_and_the_points() -> None:
    point = point_of(
        SPEC, [CallCheck([turn for _, turn in TURNS], {"spoken": 0, "typed": 0}, {"spoken": 0, "typed": 0})]
    )
    calibration = Calibration(
        made="2026-01-01T00:00:00Z",
        harness_version="0.1.0",
        quick=True,
        machine=Machine(cpu="<script>", cores=2),
        points=[point],
        random=RandomDelays(turns=0),
        onset=[],
    )
    page = render_picture(calibration, TURNS)
    assert page.count("<circle") == 2 * len(TURNS)
    assert "<script>" not in page
    assert "residual +2.0 ms" in page


def test_nothing_measured_is_still_a_picture() -> None:
    assert not draw([]).upper
