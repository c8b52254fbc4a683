"""Computes a point's statistics from turns and their true delays: offsets, residuals, slope, and fitness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.calibrate.codec import codec_onset_ms
from harness.calibrate.truth import CallCheck, TurnCheck
from harness.metrics.percentiles import percentile
from harness.record.calibration import Condition, Explained, Kind, Point, RandomDelays
from harness.text.counted import counted

Values = NDArray[np.float64]

UNFIT_SHARE, UNFIT_LEAST = 0.05, 2  # as in a run's verdict: a single unfit turn is tolerated
MISSED_SHARE = 0.05
LEAST_TURNS = 3  # fewer do not show a spread


@dataclass(frozen=True, slots=True)
class PointSpec:
    """The conditions that define a point."""

    engine: str
    kind: Kind
    calls: int
    condition: Condition


def point_of(spec: PointSpec, calls: Sequence[CallCheck]) -> Point:
    """Computes a point from its calls; without turns it has no statistics and is not fit."""
    turns = [turn for call in calls for turn in call.turns if turn.kind == spec.kind]
    missed = sum(call.missed[spec.kind] for call in calls)
    unfit = sum(call.unfit[spec.kind] for call in calls)
    why = _unfit_why(len(turns), missed, unfit, [call.lost for call in calls if call.lost is not None])
    point = Point(
        engine=spec.engine,
        kind=spec.kind,
        calls=spec.calls,
        condition=spec.condition,
        turns=len(turns),
        fit=not why,
        calls_made=len({turn.call for turn in turns}),
        missed=missed,
        unfit=unfit,
        unfit_why=why,
    )
    return point.model_copy(update=_figures(turns)) if turns else point


def random_delays(turns: Sequence[tuple[PointSpec, TurnCheck]], fixed_ms: Sequence[float]) -> RandomDelays:
    """The residuals of the turns whose delay was not one of `fixed_ms`, relative to each point's own offset."""
    chosen = [(spec, turn) for spec, turn in turns if all(abs(turn.configured_ms - fixed) > 0.01 for fixed in fixed_ms)]
    points = {spec for spec, _ in chosen}
    errors = [np.array([turn.error_ms for spec, turn in chosen if spec == point], np.float64) for point in points]
    residuals = np.concatenate([np.abs(values - np.median(values)) for values in errors]) if errors else np.zeros(0)
    if not residuals.size:
        return RandomDelays(turns=0)
    return RandomDelays(
        turns=len(chosen),
        residual_p95_ms=_rounded(percentile(residuals.tolist(), 95)),
        residual_max_ms=_rounded(float(residuals.max())),
    )


def _unfit_why(turns: int, missed: int, unfit: int, lost: Sequence[str]) -> list[str]:
    total = turns + missed + unfit
    why = []
    if unfit >= UNFIT_LEAST and unfit > UNFIT_SHARE * total:
        why.append(f"in {unfit} of {counted(total, 'turn')} the harness was late itself")
    if missed > MISSED_SHARE * total:
        why.append(f"{missed} of {counted(total, 'turn')} could not be paired with the truth log")
    if lost:
        why.append(f"{counted(len(lost), 'call')} did not come to the end: {', '.join(sorted(set(lost)))}")
    if turns < LEAST_TURNS:
        why.append(f"too few turns are left: {turns}")
    return why


def _figures(turns: Sequence[TurnCheck]) -> dict[str, object]:
    errors = np.array([turn.error_ms for turn in turns], np.float64)
    hearing = np.array([turn.hearing_ms for turn in turns], np.float64)
    sending = np.array([turn.sending_ms for turn in turns], np.float64)
    calls = np.array([turn.call for turn in turns])
    true = np.array([turn.true_ms for turn in turns], np.float64)
    at_min = np.array([turn.at_s for turn in turns], np.float64) / 60
    residuals = np.abs(errors - np.median(errors))
    within = _within(errors, calls)
    explained = _explained(turns)
    return {
        "slope": _rounded(1 + _trend(_centred(true, calls), _centred(errors, calls)), 5),
        "offset_ms": _rounded(float(np.median(errors))),
        "explained": explained,
        "explained_offset_ms": _rounded(sum(part.ms for part in explained)),
        "within_p95_ms": _rounded(percentile(np.abs(within).tolist(), 95)),
        "within_max_ms": _rounded(float(np.abs(within).max())),
        "residual_p50_ms": _rounded(percentile(residuals.tolist(), 50)),
        "residual_p95_ms": _rounded(percentile(residuals.tolist(), 95)),
        "residual_max_ms": _rounded(float(residuals.max())),
        "hearing_p95_ms": _rounded(_residual_p95(hearing)),
        "sending_p95_ms": _rounded(_residual_p95(sending)),
        "hearing_offset_ms": _rounded(float(np.median(hearing))),
        "sending_offset_ms": _rounded(float(np.median(sending))),
        "per_minute_ms": _rounded(_trend(_centred(at_min, calls), _centred(errors, calls))),
    }


def _explained(turns: Sequence[TurnCheck]) -> list[Explained]:
    """The parts of the offset that have a known cause."""
    late_ms = float(np.median([turn.agent_late_ms for turn in turns]))
    return [
        Explained(what="the agent's codec: look-ahead, less pre-echo", ms=_rounded(codec_onset_ms())),
        Explained(what="the agent's event loop", ms=_rounded(late_ms)),
    ]


def _residual_p95(values: Values) -> float:
    return percentile(np.abs(values - np.median(values)).tolist(), 95)


def _within(values: Values, calls: NDArray[np.str_]) -> Values:
    """Each value minus the median of its call."""
    out = values.copy()
    for call in set(calls.tolist()):
        mine = calls == call
        out[mine] -= np.median(values[mine])
    return out


def _centred(values: Values, calls: NDArray[np.str_]) -> Values:
    """Each value minus the mean of its call, as least squares requires."""
    out = values.copy()
    for call in set(calls.tolist()):
        mine = calls == call
        out[mine] -= values[mine].mean()
    return out


def _trend(centred_x: Values, centred_y: Values) -> float:
    """The slope of a least-squares line through the centred points; 0 if x does not vary."""
    spread = float(centred_x @ centred_x)
    return float(centred_x @ centred_y) / spread if spread > 0 else 0.0


def _rounded(value: float, digits: int = 2) -> float:
    return round(value, digits)
