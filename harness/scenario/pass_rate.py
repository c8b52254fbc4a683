"""How many of the calls must pass: `9/10`, or a rate that must be shown with some confidence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetPydanticSchema, WithJsonSchema, field_serializer
from pydantic_core import core_schema

from harness.scenario.fields import Strict

DEFAULT_CONFIDENCE = 0.95
_K_OF_N = re.compile(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*")
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*")
_WRITE = "write 9/10, or {rate: 0.9, confidence: 0.95}"


@dataclass(frozen=True, slots=True)
class KOfN:
    """At least `k` of `n` calls must pass; of more calls, the same share."""

    k: int
    n: int

    def __str__(self) -> str:
        return f"{self.k}/{self.n}"

    @classmethod
    def read(cls, text: Any) -> KOfN:
        """Parses `9/10`.

        Raises:
            ValueError: It is something else, is always met, or can never be met.
        """
        match = _K_OF_N.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"{text!r} is not a pass rate; {_WRITE}")
        found = cls(int(match[1]), int(match[2]))
        if found.k > found.n:
            raise ValueError(f"{found} can never be met: of {found.n} calls at most {found.n} pass")
        if found.k == 0:
            raise ValueError(f"{found} is always met; {_WRITE}")
        return found


def _share(value: Any) -> Any:
    """Accepts a percentage where a share is expected."""
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    return round(float(match[1]) / 100, 12) if match[2] else float(match[1])


# A rate of 1, or one that is certain, would take infinitely many calls; a rate of 0 takes none.
Share = Annotated[float, BeforeValidator(_share), Field(gt=0, lt=1), WithJsonSchema({"type": ["number", "string"]})]


class RateWithConfidence(Strict):
    """The one-sided lower confidence bound of the share of calls that pass must reach `rate`."""

    rate: Share = Field(description="The share of calls that must pass, such as 0.9.")
    confidence: Share = Field(DEFAULT_CONFIDENCE, description="How sure that must be, such as 0.95.")

    def __str__(self) -> str:
        return f"rate {self.rate:g} with confidence {self.confidence:g}"


PassRate = (
    Annotated[
        KOfN,
        GetPydanticSchema(lambda _source, _handler: core_schema.no_info_plain_validator_function(KOfN.read)),
        WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,6}\s*/\s*\d{1,6}\s*$"}),
    ]
    | RateWithConfidence
)


class Tolerant(Strict):
    """A part of a scenario for which `pass` may say how many of the calls must pass it."""

    passes: PassRate | None = Field(
        None, alias="pass", description="How many of the calls must pass: 9/10, or {rate: 0.9, confidence: 0.95}."
    )

    @field_serializer("passes")
    def _as_it_is_written(self, passes: PassRate | None) -> str | RateWithConfidence | None:
        return str(passes) if isinstance(passes, KOfN) else passes
