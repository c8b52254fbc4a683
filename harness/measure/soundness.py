"""Whether a recorded timeline can be measured at all: begun, ended, and on a clock that does not go back."""

from __future__ import annotations

from collections.abc import Sequence

from harness.measure.spans import Event

# These are written when they happen; others bear the time of what was found out later, and may lie before the last one.
_AT_ONCE = frozenset({
    "call.started", "session.requested", "session.created", "room.connecting", "room.connected", "mic.published",
    "greeting.awaited", "greeting.ended", "turn.started", "turn.ended", "wait.started", "wait.ended", "cut", "hung_up",
    "call.ended",
})  # fmt: skip


def out_of_order(events: Sequence[Event]) -> str | None:
    """What is wrong with the timeline's beginning or its times; None where nothing is."""
    if not events or events[0]["event"] != "call.started":
        return "the timeline does not begin with call.started"
    last: Event = events[0]
    for event in events:
        if event["event"] in _AT_ONCE:
            if event["t"] < last["t"]:
                return f"its clock goes back: {event['event']} is earlier than the {last['event']} before it"
            last = event
    return None


def breaks_off(events: Sequence[Event]) -> str | None:
    """That the timeline ends before the call does; None where it does not."""
    if any(event["event"] == "call.ended" for event in events):
        return None
    return "the timeline breaks off before the call's end"
