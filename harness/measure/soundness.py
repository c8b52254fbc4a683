"""Whether a recorded timeline can be measured at all: it has a start and an end, and its clock never goes back."""

from __future__ import annotations

from collections.abc import Sequence

from harness.timeline.events import (
    CallEnded,
    CallStarted,
    Cut,
    Event,
    GreetingAwaited,
    GreetingEnded,
    HungUp,
    MicPublished,
    RoomConnected,
    RoomConnecting,
    SessionCreated,
    SessionRequested,
    TurnEnded,
    TurnStarted,
    WaitEnded,
    WaitStarted,
)

# These are written when they happen. Others are detected later than they happen, and may have an earlier time.
_AT_ONCE = (
    *(CallStarted, SessionRequested, SessionCreated, RoomConnecting, RoomConnected, MicPublished),
    *(GreetingAwaited, GreetingEnded, TurnStarted, TurnEnded, WaitStarted, WaitEnded, Cut, HungUp, CallEnded),
)


def out_of_order(events: Sequence[Event]) -> str | None:
    """What is wrong with the timeline's start or order, as a message; None if nothing is."""
    if not events or not isinstance(events[0], CallStarted):
        return "the timeline does not begin with call.started"
    last: Event = events[0]
    for event in events:
        if isinstance(event, _AT_ONCE):
            if event.t_ns < last.t_ns:
                return f"its clock goes back: {event.event} is earlier than the {last.event} before it"
            last = event
    return None


def breaks_off(events: Sequence[Event]) -> str | None:
    """A message if the timeline ends before the call does; None if it is complete."""
    if any(isinstance(event, CallEnded) for event in events):
        return None
    return "the timeline breaks off before the call's end"
