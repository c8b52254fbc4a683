"""Events of the script: the greeting, turns and waits, and what the caller says and types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.timeline.events.base import Event, TurnKind


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingAwaited(Event):
    """The wait for the greeting starts."""

    event: ClassVar[str] = "greeting.awaited"


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingAnew(Event):
    """Another participant is the agent, and the wait for its greeting starts."""

    event: ClassVar[str] = "greeting.anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingEnded(Event):
    """The wait for the greeting ended: it was heard, or did not come."""

    event: ClassVar[str] = "greeting.ended"
    why: Annotated[str, "`heard`, `silent`, `barge_in`"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(Event):
    """A step of the script that is a turn starts."""

    event: ClassVar[str] = "turn.started"
    turn: Annotated[int, "from 1"]
    step: Annotated[int, "from 0"]
    kind: TurnKind
    text: str
    fixture: str | None
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSpoke(Event):
    """The caller spoke an utterance; times in ns, when the packets left."""

    event: ClassVar[str] = "caller.spoke"
    turn: int
    voiced_start: int
    voiced_end: int
    said_end: Annotated[int | None, "when the sample of the voiced end was handed over"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerTyped(Event):
    """The caller typed a text; `t` is when it left."""

    event: ClassVar[str] = "caller.typed"
    turn: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoHeard(Event):
    """The caller's echo was found in the agent's channel."""

    event: ClassVar[str] = "own_voice"
    turn: int
    delay_ms: float
    gain_db: float
    alike: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BargedIn(Event):
    """The caller is about to barge in."""

    event: ClassVar[str] = "barge_in"
    turn: int
    onset: Annotated[int | None, "ns, of the speech to interrupt; null if there is none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded(Event):
    """The turn ended."""

    event: ClassVar[str] = "turn.ended"
    turn: int
    why: Annotated[str, "`replied`, `no_reply`, `barge_in`, `interrupted`, `no_reply_needed`, `failed`, `cut`"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStarted(Event):
    """A step that only waits starts."""

    event: ClassVar[str] = "wait.started"
    step: int
    after_turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEnded(Event):
    """The wait ended."""

    event: ClassVar[str] = "wait.ended"
    step: int
