"""The shape of a calibration: what `calibrate --json` prints, and what is kept for later runs to state."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["typed", "spoken"]
Condition = Literal["clean", "standard", "sdk_defaults", "late_join", "noise_-60", "noise_-50"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Explained(_Part):
    """A named part of an offset, known without the truth log."""

    what: str
    ms: float


class Point(_Part):
    """One engine, kind of turn, number of calls at once and condition, the delays mixed. Times in ms.

    An error is measured TTFA less true delay. `offset_ms` is the errors' median, a residual an error less that, and
    `within` a residual from its own call's median instead. Percentiles are of absolute values. `hearing` and `sending`
    are residuals of the way down (voice pushed, onset heard) and of the way up (voiced end or text left, heard).

    Attributes:
        fit: Whether the machine carried it: False makes the command exit 4.
        unfit_why: Why it did not.
        turns: Those that the figures are of.
        missed: Turns that the truth log or the harness knows nothing of: in none of the figures.
        unfit: Turns in which the harness was late itself: in none of the figures.
        slope: Of measured over true, by least squares, each call's offset taken out.
        per_minute_ms: The residual's trend over the call.
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
    """The turns whose delay was random, of all points without noise: their TTFA residuals."""

    turns: int
    residual_p95_ms: float | None = None
    residual_max_ms: float | None = None


class OnsetOverNoise(_Part):
    """Onset detection of speech placed at known samples into noise; `noise_dbfs` is its RMS level, None for none."""

    noise: str
    noise_dbfs: float | None
    utterances: int
    missed: int
    median_ms: float | None
    p95_ms: float | None
    false_per_10min: float


class Machine(_Part):
    """Where it was made."""

    cpu: str
    cores: int | None


class Calibration(_Part):
    """One calibration."""

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
        """Whether the machine carried all points."""
        return all(point.fit for point in self.points)
