"""What all events have in common, and the words that several of them use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

UNKNOWN_TRACK = ""  # the agent's only track, in timelines from before tracks had names
TurnKind = Literal["say", "type", "barge_in"]
# Which of two versions a call belongs to: the one to compare with, or the one that is judged.
Side = Literal["baseline", "run"]
LEFT_OUT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at `t_ns` on the monotonic clock."""

    event: ClassVar[str] = ""
    t_ns: Annotated[int, Field(alias="t")]
