"""Prints a call's timeline in words as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.clock import NS_PER_S
from harness.record.result import CallResult
from harness.report.console import LinesWatcher, call_line, tool_call_in_words
from harness.text.plain_text import one_line
from harness.timeline.events import (
    AgentEnd,
    AgentJoined,
    AgentLeft,
    AgentOnset,
    AgentSecond,
    AgentSeen,
    CallerSpoke,
    Cut,
    Event,
    Failed,
    HungUp,
    JunkCame,
    RoomConnected,
    SessionCreated,
    TextCame,
    ToolCalled,
    ToolJunkCame,
    TurnEnded,
    TurnStarted,
)

if TYPE_CHECKING:
    from rich.console import Console


class TimelineWatcher(LinesWatcher):
    """Prints each event with the seconds since the room was connected; before that, without a time."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._zero_ns: int | None = None

    def event(self, call: str, event: Event) -> None:
        """See `Watcher`."""
        if isinstance(event, RoomConnected):
            self._zero_ns = event.t_ns
        line = in_words(event)
        if line is not None:
            happened_ns = event.voiced_end if isinstance(event, CallerSpoke) else event.t_ns
            at = f"{(happened_ns - self._zero_ns) / NS_PER_S:8.3f} s" if self._zero_ns else " " * 10
            self._console.print(f"{at}  {one_line(line)}")

    def ended(self, result: CallResult, alive: int) -> None:
        """See `Watcher`."""
        self._console.print(call_line(result))


def in_words(event: Event) -> str | None:
    """An event in words; None if it is not of interest to a person."""
    match event:
        case SessionCreated():
            return f"session created, room {event.room or 'not named'}"
        case RoomConnected():
            return "connected"
        case AgentSeen():
            return f"the agent is {event.identity}"
        case AgentSecond():
            return f"a second agent joined: {event.identity}"
        case AgentJoined():
            return "the agent's audio is subscribed"
        case AgentLeft():
            return "the agent left"
        case TurnStarted():
            verb = "typing" if event.kind == "type" else "saying"
            return f"turn {event.turn}: {verb} {event.text or event.fixture!r}"
        case CallerSpoke():
            return f"caller silent after {_seconds(event.voiced_end - event.voiced_start)} s of voice"
        case AgentOnset():
            return "agent speaks"
        case AgentEnd():
            return "agent silent"
        case TextCame():
            return f"{event.role}: {event.text}"
        case JunkCame():
            return f"a frame was ignored: {event.why}"
        case ToolCalled():
            return tool_call_in_words(event)
        case ToolJunkCame():
            return f"a frame on voice.tool_call was ignored: {event.why}"
        case TurnEnded():
            return f"turn {event.turn} ended: {event.why.replace('_', ' ')}"
        case Failed():
            return f"FAILURE {event.kind}: {event.what}"
        case Cut():
            return "cut"
        case HungUp():
            return "hung up"
        case _:
            return None


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns / NS_PER_S:.2f}"
