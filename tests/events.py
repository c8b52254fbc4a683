"""Between typed events and the lines that a timeline's file has of them, which tests write by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.timeline.codec import entry_of, event_of
from harness.timeline.events import Event


def typed(entries: Iterable[Mapping[str, Any]]) -> list[Event]:
    """The events of such lines."""
    return [made(**entry) for entry in entries]


def made(**entry: Any) -> Event:
    """The event of one line."""
    event = event_of(entry)
    assert event is not None, f"there is no event {entry.get('event')}"
    return event


def entries_of(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The lines of such events."""
    return [entry_of(event) for event in events]
