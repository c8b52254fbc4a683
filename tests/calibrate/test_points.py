"""A calibration's figures, from errors that are known."""

from __future__ import annotations

import numpy as np
import pytest

from harness.calibrate.codec import codec_onset_ms
from harness.calibrate.points import PointSpec, point_of, random_delays
from harness.calibrate.truth import CallCheck, TurnCheck

SPEC = PointSpec("sdk", "spoken", 1, "clean")


def turn(call: str, true_ms: float, error_ms: float, *, hearing_ms: float = 7.0, at_s: float = 5.0) -> TurnCheck:
    return TurnCheck(
        call=call,
        kind="spoken",
        at_s=at_s,
        configured_ms=true_ms,
        true_ms=true_ms,
        measured_ms=true_ms + error_ms,
        hearing_ms=hearing_ms,
        sending_ms=error_ms - hearing_ms,
        agent_late_ms=0.8,
        agent_buffer_ms=30.0,
    )


def call_of(*turns: TurnCheck, missed: int = 0, unfit: int = 0, lost: str | None = None) -> CallCheck:
    return CallCheck(turns, {"spoken": missed, "typed": 0}, {"spoken": unfit, "typed": 0}, lost)


def test_an_offset_that_moves_from_call_to_call_is_pooled_but_not_within() -> None:
    calls = [
        call_of(*(turn(str(number), true_ms, 40.0 + number) for true_ms in (300, 800, 1500))) for number in range(11)
    ]
    point = point_of(SPEC, calls)
    assert point.fit
    assert (point.turns, point.calls_made) == (33, 11)
    assert point.within_p95_ms == 0
    assert point.offset_ms == 45
    assert point.residual_max_ms == 5
    assert point.residual_p50_ms == 3
    assert point.slope == 1, "the calls' offsets say nothing of how the error grows with the delay"


def test_an_error_that_grows_with_the_delay_is_the_slope() -> None:
    calls = [
        call_of(*(turn(str(number), true, 40 + number + 0.01 * true) for true in (300, 3000)))
        for number in "012"
        for number in [int(number)]
    ]
    assert point_of(SPEC, calls).slope == pytest.approx(1.01, abs=1e-5)


def test_a_drift_over_the_call_is_told() -> None:
    calls = [
        call_of(*(turn(str(number), 300, 40 + 2 * at_s / 60, at_s=at_s) for at_s in (3, 33, 63))) for number in (1, 2)
    ]
    assert point_of(SPEC, calls).per_minute_ms == pytest.approx(2.0, abs=0.01)


def test_what_is_known_of_the_offset_is_named() -> None:
    point = point_of(SPEC, [call_of(*(turn("1", 300, 8.0) for _ in range(4)))])
    assert point.explained_offset_ms == pytest.approx(sum(part.ms for part in point.explained))
    assert point.explained_offset_ms == pytest.approx(codec_onset_ms() + 0.8, abs=0.01)
    assert "the agent's event loop" in [part.what for part in point.explained]


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        (call_of(*[turn("1", 300, 40)] * 18, unfit=2), "late itself"),
        (call_of(*[turn("1", 300, 40)] * 18, missed=2), "could not be paired"),
        (call_of(*[turn("1", 300, 40)] * 18, lost="agent.left"), "agent.left"),
        (call_of(), "turns are left: 0"),
    ],
)
def test_a_point_over_what_the_machine_carries_is_not_fit(checks: CallCheck, words: str) -> None:
    point = point_of(SPEC, [checks])
    assert not point.fit
    assert words in " ".join(point.unfit_why)


def test_one_unfit_turn_is_an_accident() -> None:
    assert point_of(SPEC, [call_of(*[turn("1", 300, 40)] * 5, unfit=1)]).fit


def test_random_delays_are_told_apart_from_the_fixed_ones() -> None:
    rng = np.random.default_rng(1)
    random = [(SPEC, turn("1", float(rng.uniform(200, 2500)), error)) for error in (40, 41, 42, 43, 50)]
    other = PointSpec("sdk", "spoken", 5, "sdk_defaults")
    elsewhere = [(other, turn("2", float(rng.uniform(200, 2500)), 90.0 + number)) for number in (0, 1, 2)]
    fixed = [(SPEC, turn("1", 300.0, 400.0))] * 20
    result = random_delays([*random, *elsewhere, *fixed], (300.0,))
    assert result.turns == 8
    assert result.residual_max_ms == 8, "each point has its own offset"
