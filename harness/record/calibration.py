"""The model of a calibration: printed by `calibrate --json`, and stored so that later runs can report it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["typed", "spoken"]
Condition = Literal["clean", "standard", "sdk_defaults", "silent", "late_join", "noise_-60", "noise_-50"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Explained(_Part):
    """A named part of an offset that is known without the truth log."""

    what: str
    ms: float


class Point(_Part):
    """One combination of engine, kind of turn, number of concurrent calls and condition, over all delays. Times in ms.

    An error is the measured TTFA minus the true delay. `offset_ms` is the median error. A residual is an error minus
    that median; `within` residuals subtract the median of their own call instead. Percentiles are of absolute values.
    `hearing` residuals are those of the downlink (voice pushed to onset heard), `sending` residuals those of the uplink
    (voiced end or text sent to heard).

    Attributes:
        fit: Whether the machine could handle it; if False, the command exits with 4.
        unfit_why: Why it could not.
        turns: The number of turns in the figures.
        missed: Turns that the truth log or the harness has no record of; they are in none of the figures.
        unfit: Turns in which the harness itself was late; they are in none of the figures.
        slope: The slope of measured over true delay, by least squares, with each call's offset removed.
        per_minute_ms: The trend of the residual over the call, per minute.
    """

    engine: str
    kind: Kind
    calls: int
    condition: Condition
    turns: int
    fit: bool
    slope: float | None = None
    offset_ms: float | None = None
    explained_offset_ms: float | None = None
    within_p95_ms: float | None = None
    within_max_ms: float | None = None
    residual_p50_ms: float | None = None
    residual_p95_ms: float | None = None
    residual_max_ms: float | None = None
    hearing_p95_ms: float | None = None
    sending_p95_ms: float | None = None
    hearing_offset_ms: float | None = None
    sending_offset_ms: float | None = None
    per_minute_ms: float | None = None
    explained: list[Explained] = Field(default_factory=list)
    calls_made: int = 0
    missed: int = 0
    unfit: int = 0
    unfit_why: list[str] = Field(default_factory=list)


class RandomDelays(_Part):
    """TTFA residuals of the turns with a random delay, over all points without noise."""

    turns: int
    residual_p95_ms: float | None = None
    residual_max_ms: float | None = None


class OnsetOverNoise(_Part):
    """Onset detection of speech at known samples in noise; `noise_dbfs` is its RMS level, None without noise."""

    noise: str
    noise_dbfs: float | None
    utterances: int
    missed: int
    median_ms: float | None
    p95_ms: float | None
    false_per_10min: float


class Machine(_Part):
    """The machine on which the calibration was made."""

    cpu: str
    cores: int | None


class Calibration(_Part):
    """A complete calibration."""

    version: int = 1
    made: str
    harness_version: str
    quick: bool
    machine: Machine
    points: list[Point]
    random: RandomDelays
    onset: list[OnsetOverNoise]

    @property
    def fit(self) -> bool:
        """Whether the machine could handle all points."""
        return all(point.fit for point in self.points)
