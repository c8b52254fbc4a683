"""What the page shows of chosen calls beyond their lines in calls.jsonl: events of the timeline, and the recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from harness.clock import NS_PER_MS
from harness.errors import ConfigError
from harness.formats import Recorded
from harness.record.result import CallResult
from harness.record.run_directory import RunDirectory
from harness.report.recording import Sound, in_base64, sounds_of
from harness.timeline.codec import entry_of
from harness.timeline.events import CallStarted, Event, MediaSecond, RoomConnected, SecondPassed, StreamAnchor
from harness.timeline.timeline import read_timeline

DETAILED_FAILED = 200
DETAILED_OTHERS = 50
MOST_EVENTS = 500
# What comes once a second says nothing by itself; the call's line has its essence.
_LEFT_OUT = (CallStarted, SecondPassed, MediaSecond, StreamAnchor)


class EventSeen(Recorded):
    """An event of a timeline: its name, its position in the call, and its fields that are not empty."""

    at_ms: float
    event: str
    fields: dict[str, Any] = Field(default_factory=dict)


class DetailedCall(Recorded):
    """Details of a call.

    Attributes:
        call: The call's id.
        events: Its timeline, without what comes once a second.
        more_events: How many further events were left out.
        sound: Its recording, if there is one.
    """

    call: str
    events: list[EventSeen] = Field(default_factory=list)
    more_events: int = 0
    sound: Sound | None = None


class Detailed(Recorded):
    """Details of failed calls and of a sample of the others.

    Attributes:
        version: The version of this document.
        calls: The calls, sorted by id.
        opus: The recordings that are embedded, by call: Ogg/Opus as base64; left the caller, right the agent.
    """

    version: Literal[1] = 1
    calls: list[DetailedCall] = Field(default_factory=list)
    opus: dict[str, str] = Field(default_factory=dict)


def detailed(folder: Path, calls: Sequence[CallResult]) -> Detailed:
    """Collects the details of up to `DETAILED_FAILED` failed calls, and of `DETAILED_OTHERS` spread over the others.

    Recordings of failed calls are embedded first, because they are the most likely to be played.
    """
    failed = [call for call in calls if call.ok is False][:DETAILED_FAILED]
    others = spread([call for call in calls if call.ok is not False], DETAILED_OTHERS)
    chosen = [*failed, *others]
    sounds = sounds_of(folder, {call.call: call.recording for call in chosen})
    directory, found = RunDirectory(folder), []
    for call in sorted(chosen, key=lambda call: call.call):
        events = list(_events(directory.timeline(call.call)))
        more = max(0, len(events) - MOST_EVENTS)
        found.append(
            DetailedCall(
                call=call.call, events=events[:MOST_EVENTS], more_events=more, sound=sounds.known.get(call.call)
            )
        )
    return Detailed(calls=found, opus=in_base64(sounds.opus))


def spread(calls: Sequence[CallResult], most: int) -> list[CallResult]:
    """At most `most` of the calls, spread evenly; recorded ones are preferred."""
    calls = [call for call in calls if call.recording] or calls
    if len(calls) <= most:
        return list(calls)
    return [calls[index * len(calls) // most] for index in range(most)]


def _events(path: Path) -> Iterator[EventSeen]:
    """Yields the events of a timeline; none if it is missing or unreadable, because reports do without it."""
    try:
        events = read_timeline(path)
    except (OSError, ValueError, ConfigError):
        return
    zero = next((event for event in events if isinstance(event, RoomConnected)), next(iter(events), None))
    for event in sorted(events, key=lambda event: event.t_ns):
        if zero is not None and not isinstance(event, _LEFT_OUT):
            at_ms = round((event.t_ns - zero.t_ns) / NS_PER_MS, 1)
            yield EventSeen(at_ms=at_ms, event=event.event, fields=_fields(event, zero.t_ns))


def _fields(event: Event, zero_ns: int) -> dict[str, Any]:
    """The fields that are not empty; times on the monotonic clock become positions in the call, in ms."""
    found = {}
    for name, value in entry_of(event).items():
        if name in {"t", "event"} or value is None or value in ("", [], {}):
            continue
        if name in _ON_THE_CLOCK and isinstance(value, int):
            found[f"{name}_ms"] = round((value - zero_ns) / NS_PER_MS, 1)
        else:
            found[name] = value
    return found


_ON_THE_CLOCK = {"voiced_start", "voiced_end", "said_end", "onset", "ear", "found", "began"}
