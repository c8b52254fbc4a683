"""Converts between an event and its line in a timeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from harness.timeline.events import EVENTS, LEFT_OUT, Event


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of an event, its note for the documentation, and whether it is omitted when it has its default."""

    name: str
    note: str
    left_out: bool
    default: Any


_FIELDS: dict[type[Event], tuple[FieldOf, ...]] = {}
_ADAPTERS: dict[type[Event], TypeAdapter[Event]] = {}


def fields_of(kind: type[Event]) -> tuple[FieldOf, ...]:
    """The fields of an event class, except `t_ns`, in the order in which they are written."""
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(_fields(kind))
    return _FIELDS[kind]


def _fields(kind: type[Event]) -> Iterator[FieldOf]:
    notes = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        if field.name != "t_ns":
            extras = getattr(notes[field.name], "__metadata__", ())
            note = next((extra for extra in extras if isinstance(extra, str)), "")
            yield FieldOf(field.name, note, LEFT_OUT in extras, field.default)


def entry_of(event: Event) -> dict[str, Any]:
    """The event as a JSON-serialisable line."""
    entry: dict[str, Any] = {"t": event.t_ns, "event": event.event}
    for field in fields_of(type(event)):
        value = getattr(event, field.name)
        if not (field.left_out and value == field.default):
            entry[field.name] = value
    return entry


def event_of(entry: Mapping[str, Any]) -> Event | None:
    """The event that a line holds; None if its name is unknown. Unknown fields are ignored.

    Raises:
        ValueError: A field is missing, or has the wrong type.
    """
    kind = EVENTS.get(str(entry.get("event")))
    if kind is None:
        return None
    try:
        return _adapter(kind).validate_python(dict(entry))
    except ValidationError as problem:
        first = problem.errors()[0]
        raise ValueError(f"{kind.event}: {first['msg'].lower()} ({'.'.join(map(str, first['loc']))})") from None


def _adapter(kind: type[Event]) -> TypeAdapter[Event]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
