"""The thresholds of a scenario: limits on all samples of a metric, and whether one aborts the run."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from harness.metrics.threshold import check_abortable, check_threshold
from harness.parsing.durations import duration_s
from harness.parsing.fitting import MisfitError, refuse_misfits
from harness.scenario.fields import NUMBER_OR_TEXT, Duration, Strict, as_list, limit_text


class ThresholdLimit(Strict):
    """A limit on a metric: the limit alone, or a mapping with `abort_on_fail`."""

    limit: Annotated[str, BeforeValidator(limit_text), WithJsonSchema(NUMBER_OR_TEXT)]
    abort_on_fail: bool = Field(default=False, description="Start no more calls once the threshold is missed.")
    delay: Duration | None = Field(None, description="With abort_on_fail: for how long the run goes on in any case.")

    @property
    def abort_after_s(self) -> float | None:
        """How many seconds after the start of the run it may abort it; None if it does not."""
        if not self.abort_on_fail:
            return None
        return 0.0 if self.delay is None else duration_s(self.delay)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict | cls) else {"limit": value}

    @model_serializer(mode="wrap")
    def _as_written(self, serialize: SerializerFunctionWrapHandler) -> Any:
        written = serialize(self)
        return written if self.abort_on_fail else written["limit"]


def _checked(value: dict[str, list[ThresholdLimit]]) -> dict[str, list[ThresholdLimit]]:
    found = []
    for name, limits in value.items():
        for each in limits:
            try:
                _, limit = check_threshold(name, each.limit)
                if each.abort_on_fail:
                    check_abortable(limit)
            except ValueError as problem:
                found.append(MisfitError(str(problem), name))
            if each.delay is not None and not each.abort_on_fail:
                found.append(MisfitError("delay has no effect without abort_on_fail: true", name))
    refuse_misfits(found)
    return value


Thresholds = Annotated[
    dict[str, Annotated[list[ThresholdLimit], BeforeValidator(as_list), Field(min_length=1)]], AfterValidator(_checked)
]
