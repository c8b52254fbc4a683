"""Events of a call as a whole: its start, its failures and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.timeline.events.base import LEFT_OUT, Event, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(Event):
    """The call starts."""

    event: ClassVar[str] = "call.started"
    version: Annotated[int, "of the format"] = 1
    call: str = ""
    scenario: str = ""
    agent: str = ""
    target: str = ""
    utc: str = ""
    engine: str = "sdk"
    due: Annotated[int | None, "ns: its intended start"] = None
    warm_up: bool = False
    canary: bool = False
    side: Annotated[Side, "of two versions", LEFT_OUT] = "run"
    block: Annotated[int | None, "of neighbouring calls to both versions", LEFT_OUT] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """A failure, of a fixed set of kinds."""

    event: ClassVar[str] = "failure"
    kind: str
    what: str
    hint: str = ""
    turn: int | None = None
    ended: Annotated[bool, "it ended the script"] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Event):
    """The harness cut the call short, on request."""

    event: ClassVar[str] = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp(Event):
    """The caller left the room."""

    event: ClassVar[str] = "hung_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """The call has ended and everything is released."""

    event: ClassVar[str] = "call.ended"
