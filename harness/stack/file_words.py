"""The types in which the file of agents is written."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from harness.parsing.durations import duration_s


def _duration(value: str) -> str:
    duration_s(value)
    return value


def _text(value: Any) -> Any:
    """Numbers are accepted where text is meant."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Duration = Annotated[str, BeforeValidator(_text), AfterValidator(_duration)]
Text = Annotated[str, BeforeValidator(_text)]

Right = Literal["canPublish", "canSubscribe", "canPublishData"]
"""Of a token, in LiveKit's words."""


class Strict(BaseModel):
    """A mapping of known keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True)
