"""Follows a run directory as it grows: the calls that ended since, and how many run. All of it reads files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from harness.record.file_names import SUMMARY_FILE, TIMELINE_SUFFIX, TIMELINES_FOLDER
from harness.record.result import CallResult
from harness.record.run_directory import CALLS_FILE, RUN_FILE
from harness.record.settings import RunSettings


class RunFollower:
    """A run that goes on.

    Args:
        folder: The run directory.

    Attributes:
        unread: How many lines of calls.jsonl could not be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unread = 0
        self._settings: RunSettings | None = None
        self._ended: set[str] = set()
        self._read_bytes = 0
        self._inode = 0

    @property
    def settings(self) -> RunSettings | None:
        """The content of run.json; None until it is written."""
        if self._settings is None:
            try:
                self._settings = RunSettings.model_validate_json((self.folder / RUN_FILE).read_bytes())
            except (OSError, ValidationError):
                return None
        return self._settings

    def read_on(self) -> Iterator[CallResult]:
        """Yields the calls that ended since the last reading, each call once.

        A run may rewrite calls.jsonl at its end: it is then read again, and what was yielded before is left out.
        """
        try:
            with (self.folder / CALLS_FILE).open("rb") as file:
                found = os.fstat(file.fileno())
                if found.st_ino != self._inode or found.st_size < self._read_bytes:
                    self._inode, self._read_bytes = found.st_ino, 0
                file.seek(self._read_bytes)
                for line in file:
                    if not line.endswith(b"\n"):
                        return  # it is not complete yet
                    self._read_bytes += len(line)
                    yield from self._new_in(line)
        except FileNotFoundError:
            return

    def _new_in(self, line: bytes) -> Iterator[CallResult]:
        try:
            call = CallResult.model_validate_json(line)
        except ValidationError:
            self.unread += 1
            return
        if call.call not in self._ended:
            self._ended.add(call.call)
            yield call

    def alive(self) -> int:
        """Returns how many calls have a timeline and no line in calls.jsonl; none once the run is written."""
        if (self.folder / SUMMARY_FILE).exists():
            return 0
        try:
            with os.scandir(self.folder / TIMELINES_FOLDER) as entries:
                names = [entry.name for entry in entries]
        except OSError:
            return 0
        begun = (name.removesuffix(TIMELINE_SUFFIX) for name in names if name.endswith(TIMELINE_SUFFIX))
        return sum(call not in self._ended for call in begun)
