"""What a run was measured with: two runs of different testbeds can differ although their agents do not."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from harness.formats import Recorded
from harness.record.calibration import Kind, Point


class CalibratedError(Recorded):
    """What was known about the harness's own error on the machine and engine of a run.

    Attributes:
        made: When the calibration was made, UTC.
        harness_version: The version that made it.
        quick: Whether it was a quick one.
        offset_ms: The median error of TTFA by kind of turn, of the clean condition with the fewest calls at once.
    """

    made: str
    harness_version: str
    quick: bool
    offset_ms: dict[Kind, float] = Field(default_factory=dict)


class Testbed(Recorded):
    """The machine, the engine, the versions and the calibration of a run.

    Attributes:
        definitions: The version of the metric definitions (the oldest of its calls).
        calibration: None if the machine was not calibrated.
    """

    cpu: str = ""
    cores: int | None = None
    memory_gb: float | None = None
    platform: str = ""
    engine: str = ""
    harness_version: str = ""
    definitions: int
    calibration: CalibratedError | None = None


def calibrated(stated: dict[str, Any] | None, engine: str) -> CalibratedError | None:
    """Reads what run.json states of the calibration; None if there is none, or none that this version knows.

    Args:
        stated: `calibration` of run.json.
        engine: The engine of the run.
    """
    if stated is None:
        return None
    try:
        points = [Point.model_validate(point) for point in stated.get("points", ())]
        clean = [point for point in points if point.engine == engine and point.condition == "clean"]
        clean.sort(key=lambda point: point.calls, reverse=True)  # so that the fewest calls at once come last and stay
        return CalibratedError(
            made=stated["made"],
            harness_version=stated["harness_version"],
            quick=stated["quick"],
            offset_ms={point.kind: point.offset_ms for point in clean if point.offset_ms is not None},
        )
    except (ValidationError, KeyError):
        return None
