"""Field types of the agents file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from harness.parsing.durations import duration_s


def _duration(value: str) -> str:
    duration_s(value)
    return value


def _text(value: Any) -> Any:
    """Accepts numbers where text is expected."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Duration = Annotated[str, BeforeValidator(_text), AfterValidator(_duration)]
Text = Annotated[str, BeforeValidator(_text)]

Right = Literal["canPublish", "canSubscribe", "canPublishData"]  # permissions in a token, by LiveKit's names


class Strict(BaseModel):
    """A model that rejects unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
