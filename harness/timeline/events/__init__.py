"""The events of a timeline, one class each; a module for each subject.

The writer and the reader (`codec.py`) and the table of `docs/run-directory.md` use these classes; the table shows the
first line of each docstring.

A line of a timeline is a flat JSON object: `t` (`t_ns` here), `event` (the class's `event`) and the fields under their
own names. A field annotated `LEFT_OUT` is omitted if it has its default. A new event takes a class in one of the
modules, an entry in `EVENTS`, and the code that emits it.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.timeline.events.agent import (
    AgentEnd,
    AgentOnset,
    JunkCame,
    StreamAnchor,
    TextCame,
    ToolCalled,
    ToolJunkCame,
)
from harness.timeline.events.base import LEFT_OUT, UNKNOWN_TRACK, Event, Side, TurnKind
from harness.timeline.events.call import CallEnded, CallStarted, Cut, Failed, HungUp
from harness.timeline.events.health import HeardOverflow, LoopWasLate, MediaSecond, SecondPassed, SendLate
from harness.timeline.events.room import (
    AgentHandover,
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    AgentSecond,
    AgentSeen,
    MicPublished,
    ParticipantLeft,
    ParticipantSeen,
    RoomConnected,
    RoomConnecting,
    RoomReconnected,
    RoomReconnecting,
    SessionCreated,
    SessionRequested,
    TrackCame,
    TrackGone,
    TrackMuted,
    TrackUnmuted,
)
from harness.timeline.events.script import (
    BargedIn,
    CallerSpoke,
    CallerTyped,
    EchoHeard,
    GreetingAnew,
    GreetingAwaited,
    GreetingEnded,
    TurnEnded,
    TurnStarted,
    WaitEnded,
    WaitStarted,
)

__all__ = [
    "EVENTS",
    "LEFT_OUT",
    "UNKNOWN_TRACK",
    "AgentEnd",
    "AgentHandover",
    "AgentHungUp",
    "AgentJoined",
    "AgentLeft",
    "AgentOnset",
    "AgentSecond",
    "AgentSeen",
    "BargedIn",
    "CallEnded",
    "CallStarted",
    "CallerSpoke",
    "CallerTyped",
    "Cut",
    "EchoHeard",
    "Event",
    "Failed",
    "GreetingAnew",
    "GreetingAwaited",
    "GreetingEnded",
    "HeardOverflow",
    "HungUp",
    "JunkCame",
    "LoopWasLate",
    "MediaSecond",
    "MicPublished",
    "ParticipantLeft",
    "ParticipantSeen",
    "RoomConnected",
    "RoomConnecting",
    "RoomReconnected",
    "RoomReconnecting",
    "SecondPassed",
    "SendLate",
    "SessionCreated",
    "SessionRequested",
    "Side",
    "StreamAnchor",
    "TextCame",
    "ToolCalled",
    "ToolJunkCame",
    "TrackCame",
    "TrackGone",
    "TrackMuted",
    "TrackUnmuted",
    "TurnEnded",
    "TurnKind",
    "TurnStarted",
    "WaitEnded",
    "WaitStarted",
]

EVENTS: Mapping[str, type[Event]] = {
    kind.event: kind
    for kind in (
        *(CallStarted, SessionRequested, SessionCreated, RoomConnecting, RoomConnected, MicPublished),
        *(ParticipantSeen, ParticipantLeft, TrackCame, TrackGone, TrackMuted, TrackUnmuted),
        *(
            AgentSeen,
            AgentSecond,
            AgentJoined,
            AgentHandover,
            AgentLeft,
            AgentHungUp,
            RoomReconnecting,
            RoomReconnected,
        ),
        *(GreetingAwaited, GreetingAnew, GreetingEnded),
        *(TurnStarted, CallerSpoke, CallerTyped, EchoHeard, BargedIn, TurnEnded, WaitStarted, WaitEnded),
        *(AgentOnset, AgentEnd, StreamAnchor, TextCame, JunkCame, ToolCalled, ToolJunkCame),
        *(SecondPassed, MediaSecond, SendLate, LoopWasLate, HeardOverflow, Failed, Cut, HungUp, CallEnded),
    )
}
