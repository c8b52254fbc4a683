"""The kinds of values that settings in `voice-harness.toml` have."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from harness.parsing.durations import duration_s
from harness.target.endpoint import check_endpoint


def _seconds(value: Any) -> Any:
    """Accepts a duration such as `10s`, or a number of seconds."""
    if isinstance(value, str):
        return duration_s(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a duration such as '10s', or a number of seconds")  # noqa: TRY004 - pydantic reads ValueError
    return float(value)


def _endpoint(value: str) -> str:
    check_endpoint(value)
    return value


def _variable(value: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value, re.ASCII) is None:
        raise ValueError("must be the name of an environment variable, such as STAGING_VOICE_KEY")
    return value


def _some_text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, allow_inf_nan=False)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Variable = Annotated[str, AfterValidator(_variable)]
SomeText = Annotated[str, AfterValidator(_some_text)]


class Strict(BaseModel):
    """A table of the file: unknown keys and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
