"""Run directories under a folder, looked at while the runs go on. All of it reads files: call it in a thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.record.file_names import SUMMARY_FILE, TIMELINE_SUFFIX, TIMELINES_FOLDER

MOST_RUNS = 50
MOST_CALLS = 300
_ENDED = b'"event": "call.ended"'
_TAIL_BYTES = 400


class Runs:
    """The runs in a folder; a folder that is a run directory itself is the only one.

    Args:
        folder: It need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def told(self) -> list[dict[str, Any]]:
        """The newest runs first: `run`, its name, and `ended`."""
        found = sorted(self._found(), key=lambda run: run.changed_s, reverse=True)[:MOST_RUNS]
        return [{"run": run.path.name, "ended": (run.path / SUMMARY_FILE).exists()} for run in found]

    def find(self, run: str) -> Path | None:
        """The directory of the run of that name; None if there is none."""
        return next((found.path for found in self._found() if found.path.name == run), None)

    def timeline(self, run: str, call: str) -> Path | None:
        """The timeline of a call; None if there is none in this folder, whatever the names are made of."""
        folder = self.find(run)
        if folder is None or call != Path(call).name or "\0" in call:
            return None
        path = folder / TIMELINES_FOLDER / f"{call}{TIMELINE_SUFFIX}"
        is_here = path.is_file() and path.resolve().is_relative_to(self.folder.resolve())
        return path if is_here else None

    def _found(self) -> Iterator[_Run]:
        own = self.folder / TIMELINES_FOLDER
        if own.is_dir():
            yield _Run(self.folder.resolve(), own.stat().st_mtime)
            return
        try:
            with os.scandir(self.folder) as entries:
                names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            return
        for name in names:
            timelines = self.folder / name / TIMELINES_FOLDER
            try:
                yield _Run(self.folder / name, timelines.stat().st_mtime)
            except OSError:
                continue  # it is no run, or it was removed just now


@dataclass(frozen=True, slots=True)
class _Run:
    path: Path
    changed_s: float


class RunCalls:
    """The calls of one run; asked again, it looks only at those that had not ended.

    Args:
        folder: The run's directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: set[str] = set()

    def told(self) -> dict[str, Any]:
        """The newest `calls` (`call`, its id, and `ended`), those that run first, and the `total`."""
        found = sorted(self._newest_first(), key=lambda call: call in self._ended)
        is_over = (self._folder / SUMMARY_FILE).exists()
        calls = [{"call": call, "ended": is_over or call in self._ended} for call in found[:MOST_CALLS]]
        return {"calls": calls, "total": len(found)}

    def _newest_first(self) -> list[str]:
        try:
            with os.scandir(self._folder / TIMELINES_FOLDER) as entries:
                names = sorted((entry.name for entry in entries if entry.name.endswith(TIMELINE_SUFFIX)), reverse=True)
        except OSError:
            return []
        calls = [name.removesuffix(TIMELINE_SUFFIX) for name in names]
        for call in calls:
            if call not in self._ended and self._has_ended(call):
                self._ended.add(call)
        return calls

    def _has_ended(self, call: str) -> bool:
        try:
            with (self._folder / TIMELINES_FOLDER / f"{call}{TIMELINE_SUFFIX}").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return _ENDED in file.read()
        except OSError:
            return False
