"""The timeline: everything that happens in a call, as it happens, on one monotonic clock.

Events and their fields are the classes of `timeline/events/`. Each line is written within 50 ms (see
`background_file`), so that a killed call leaves everything up to that point.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.errors import ConfigError, OwnFailure, Place
from harness.formats import OTHER_VERSION, unknown_version
from harness.secret import Secret, without_secrets
from harness.timeline.codec import entry_of, event_of
from harness.timeline.events import Event

FORMAT_VERSION = 1


class TextFile(Protocol):
    """The file that a timeline is written to; each method may raise an OSError."""

    def write(self, text: str, /) -> object:
        """Writes text."""
        ...

    def flush(self) -> None:
        """Makes the written text visible to other readers."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


@dataclass
class Timeline:
    """Keeps the events of one call and writes each to a file as it happens.

    `secrets`, and anything that looks like a key or an access token, are masked wherever they occur.
    """

    file: TextFile | None = None
    on_event: Callable[[Event], None] | None = None
    broken: OwnFailure | None = None
    secrets: Sequence[Secret | None] = ()
    _lines: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """All events so far, as a reader of the file gets them. Kept as text, which takes a third of the memory."""
        return list(_events_in(self._lines))

    def add(self, event: Event) -> None:
        """Appends an event. The first write error is kept as `broken`, and nothing is written after it."""
        entry = {name: self.writable(value) for name, value in entry_of(event).items()}
        line = json.dumps(entry, ensure_ascii=False)
        self._lines.append(line)
        if self.file is not None and self.broken is None:
            try:
                self.file.write(line + "\n")
                self.file.flush()
            except OSError as problem:
                self.broken = OwnFailure(
                    "harness.disk", f"the timeline cannot be written: {problem.strerror}", hint="free space on the disk"
                )
        if self.on_event is not None and (told := event_of(entry)) is not None:
            self.on_event(told)

    def writable(self, value: Any) -> Any:
        """The value without secrets and lone surrogates; JSON allows the latter, UTF-8 files do not.

        Lists and mappings are processed recursively, with the keys of the latter.
        """
        if isinstance(value, Mapping):
            return {self.writable(name): self.writable(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.writable(inner) for inner in value]
        if not isinstance(value, str):
            return value
        return str(without_secrets(value, self.secrets)).encode("utf-8", "replace").decode()

    def close(self) -> None:
        """Closes the file; an error is kept as `broken`."""
        if self.file is None:
            return
        try:
            self.file.close()
        except OSError as problem:
            self.broken = self.broken or OwnFailure("harness.disk", f"the timeline was not saved: {problem.strerror}")


def read_timeline(path: str | os.PathLike[str]) -> list[Event]:
    """Reads the events of a timeline file; a truncated line is skipped.

    Raises:
        OSError: The file cannot be read.
        ValueError: An event lacks a field, or has one of the wrong type.
        ConfigError: The format version is unknown to this version of the harness.
    """
    # Not `splitlines`: an agent's text may contain Unicode line separators, which JSON does not escape.
    path = Path(path)
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    _check_version(lines, path)
    return list(_events_in(lines))


class GrowingTimeline:
    """The timeline file of a call that may still be running, read on from where the last reading ended.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = 0

    def read_on(self, most_bytes: int = 1 << 20) -> list[Event]:
        """The events that were added, of at most about `most_bytes`; a line that is not complete yet is left for later.

        Raises:
            OSError: The file cannot be read.
            ValueError: An event lacks a field, or has one of the wrong type.
            ConfigError: The format version is unknown to this version of the harness.
        """
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            added = file.read(most_bytes)
            if added and b"\n" not in added:
                added += file.readline()
        whole, end, _ = added.rpartition(b"\n")
        lines = whole.decode("utf-8", errors="replace").split("\n")
        if self._read_bytes == 0:
            _check_version(lines, self._path)
        self._read_bytes += len(whole) + len(end)
        return list(_events_in(lines))


def _check_version(lines: Sequence[str], path: Path) -> None:
    """Raises a ConfigError if the first of a timeline's lines has a version that is unknown."""
    found = next(_entries_in(lines), {}).get("version", FORMAT_VERSION)
    if found != FORMAT_VERSION:
        why = unknown_version(found, (FORMAT_VERSION,))
        raise ConfigError(f"the timeline cannot be read: {why}", where=Place(path), hint=OTHER_VERSION)


def _events_in(lines: Iterable[str]) -> Iterator[Event]:
    for entry in _entries_in(lines):
        event = event_of(entry)
        if event is not None:
            yield event


def _entries_in(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("t"), int) and isinstance(entry.get("event"), str):
            yield entry
