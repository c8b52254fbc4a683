"""The run directory: writing and reading its files."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import ConfigError, Place
from harness.formats import DAMAGED, OTHER_VERSION, is_json, why_unread
from harness.record.capacity import Capacity
from harness.record.comparison import Comparison
from harness.record.file_names import SUMMARY_FILE, TIMELINE_SUFFIX, TIMELINES_FOLDER
from harness.record.observed import Observed
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult
from harness.record.settings import RunSettings
from harness.record.summary import Summary

DEFAULT_PARENT = Path("reports")
RUN_FILE = "run.json"
CALLS_FILE = "calls.jsonl"
TRUTH_FILE = "truth.jsonl"
CAPACITY_FILE = "capacity.json"
BASELINE_FILE = "baseline.json"
COMPARISON_FILE = "comparison.json"
OBSERVED_FILE = "observed.json"
AUDIO_FOLDER = "audio"
_DAMAGED_LINE = "remove this line and add --remeasure to report: the call is then measured from its timeline"

_M = TypeVar("_M", bound=BaseModel)


class RunDirectory:
    """A run's folder. Disk errors during the run are not raised; the first one is kept in `broken`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken: str | None = None

    @classmethod
    def create(cls, out: Path | None, *, name: str, now: datetime) -> RunDirectory:
        """Creates a new folder: `out`, or one in `reports/` named after the time and `name`.

        Raises:
            ConfigError: The folder already holds a run, or cannot be written.
        """
        stem = DEFAULT_PARENT / f"{now:%Y%m%d-%H%M%S}-{name}"
        path = out if out is not None else stem
        number = 1
        # Creating the timelines folder is atomic: only one of several runs that start at the same time succeeds.
        while not _claimed(path):
            if out is not None:
                raise ConfigError("a run is recorded there already", where=Place(path), hint="name another --out")
            number += 1
            path = stem.with_name(f"{stem.name}-{number}")
        probe = path / ".writable"
        try:
            probe.write_bytes(bytes(64 * 1024))
            probe.unlink()
        except OSError as problem:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)
            cls(path).take_back()
            raise _unwritable(path, problem) from None
        return cls(path)

    def take_back(self) -> None:
        """Removes what was created for a run that made no calls; other files in the folder stay."""
        if not (self.path / CALLS_FILE).exists():
            for name in (RUN_FILE, TRUTH_FILE, BASELINE_FILE):
                with contextlib.suppress(OSError):
                    (self.path / name).unlink(missing_ok=True)
        for folder in (self.path / TIMELINES_FOLDER, self.path):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def timeline(self, call: str) -> Path:
        """Returns the path of a call's timeline."""
        return self.path / TIMELINES_FOLDER / f"{call}{TIMELINE_SUFFIX}"

    def audio(self, call: str) -> Path:
        """Returns the path of a call's recording."""
        return self.path / AUDIO_FOLDER / f"{call}.wav"

    def append_call(self, result: CallResult) -> None:
        """Appends a line to calls.jsonl; it is on disk when this returns."""
        line = (result.model_dump_json() + "\n").encode()
        try:
            with (self.path / CALLS_FILE).open("ab", buffering=0) as file:
                end = file.tell()
                if file.write(line) < len(line):
                    file.truncate(end)  # half a line would corrupt the next one
                    self._break(CALLS_FILE, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
                os.fsync(file.fileno())
        except OSError as problem:
            self._break(CALLS_FILE, problem)

    def replace_calls(self, results: Sequence[CallResult]) -> None:
        """Replaces the lines of these calls in calls.jsonl; the others stay as they are."""
        if not results:
            return
        changed = {result.call: result.model_dump_json() for result in results}
        try:
            lines = (self.path / CALLS_FILE).read_text(encoding="utf-8").split("\n")
        except OSError as problem:
            self._break(CALLS_FILE, problem)
            return
        self.write_text(CALLS_FILE, "\n".join(changed.get(_id_in(line), line) for line in lines))

    def read_capacity(self) -> Capacity | None:
        """Returns the content of `capacity.json`; None if there is no such file.

        Raises:
            ConfigError: The file cannot be read.
        """
        return self._read(Capacity, CAPACITY_FILE)

    def read_summary(self) -> Summary | None:
        """Returns the content of `summary.json`; None if there is no such file.

        Raises:
            ConfigError: The file cannot be read.
        """
        return self._read(Summary, SUMMARY_FILE)

    def read_comparison(self) -> Comparison | None:
        """Returns the content of `comparison.json`; None if there is no such file.

        Raises:
            ConfigError: The file cannot be read.
        """
        return self._read(Comparison, COMPARISON_FILE)

    def read_observed(self) -> Observed | None:
        """Returns the content of `observed.json`; None if there is no such file.

        Raises:
            ConfigError: The file cannot be read.
        """
        return self._read(Observed, OBSERVED_FILE)

    def _read(self, model: type[_M], name: str) -> _M | None:
        file = self.path / name
        try:
            return model.model_validate_json(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValidationError as problem:
            what = f"{name} cannot be read: {why_unread(model, problem)}"
            raise ConfigError(what, where=Place(file), hint=_hint(problem)) from None
        except (OSError, ValueError) as problem:
            raise ConfigError(f"{name} cannot be read: {problem}", where=Place(file)) from None

    def write_text(self, name: str, text: str) -> bool:
        """Writes a file atomically; returns False if it could not be written."""
        temporary = self.path / f".{name}.part"
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(self.path / name)
        except OSError as problem:
            self._break(name, problem)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        return True

    def write_settings(self, settings: RunSettings) -> None:
        """Writes run.json."""
        self.write_text(RUN_FILE, settings.to_json())

    def write_summary(self, summary: Summary) -> None:
        """Writes summary.json."""
        self.write_text(SUMMARY_FILE, summary.model_dump_json(indent=2) + "\n")

    def _break(self, name: str, problem: OSError) -> None:
        self.broken = self.broken or f"{name} cannot be written: {problem.strerror}"


def _id_in(line: str) -> str:
    """The id of the call in a line of calls.jsonl; empty if there is none that can be read."""
    try:
        return str(json.loads(line)["call"])
    except (ValueError, KeyError, TypeError):
        return ""


def _claimed(path: Path) -> bool:
    """Claims the folder for a new run; returns False if another run has it.

    Raises:
        ConfigError: The folder cannot be written.
    """
    if (path / RUN_FILE).exists():
        return False
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _unwritable(path, problem) from None
    try:
        (path / TIMELINES_FOLDER).mkdir()
    except FileExistsError:
        return False
    except OSError as problem:
        RunDirectory(path).take_back()
        raise _unwritable(path, problem) from None
    return True


def _unwritable(path: Path, problem: OSError) -> ConfigError:
    return ConfigError(
        f"the run cannot be written there: {problem.strerror}",
        where=Place(path),
        hint="name a folder on a disk that can be written and has space: --out DIR",
    )


def read_run(folder: str | os.PathLike[str]) -> RecordedRun:
    """Reads a run directory.

    Raises:
        ConfigError: The folder is not a run directory, or its files cannot be read.
    """
    folder = Path(folder)
    try:
        settings = RunSettings.model_validate_json((folder / RUN_FILE).read_text(encoding="utf-8"))
        calls_file = folder / CALLS_FILE
        # A line without a line end is incomplete: the run was killed while writing it. `splitlines` would also split at
        # Unicode line ends in an agent's text.
        *lines, rest = calls_file.read_text(encoding="utf-8").split("\n") if calls_file.exists() else [""]
        calls = [_call_in(line, Place(calls_file, number)) for number, line in enumerate(lines, start=1)]
    except FileNotFoundError:
        raise ConfigError(
            f"this is no run directory: it has no {RUN_FILE}", where=Place(folder), hint="name the folder of a run"
        ) from None
    except OSError as problem:
        raise ConfigError(f"the run cannot be read: {problem.strerror}", where=Place(folder)) from None
    except ValidationError as problem:
        what = f"{RUN_FILE} cannot be read: {why_unread(RunSettings, problem)}"
        raise ConfigError(what, where=Place(folder / RUN_FILE), hint=_hint(problem)) from None
    except ValueError as problem:
        raise ConfigError(f"the run cannot be read: {problem}", where=Place(folder), hint=DAMAGED) from None
    return RecordedRun(folder, settings, calls, cut_off=bool(rest))


def _hint(problem: ValidationError) -> str:
    return OTHER_VERSION if is_json(problem) else DAMAGED


def _call_in(line: str, place: Place) -> CallResult:
    try:
        call = CallResult.model_validate_json(line)
    except ValidationError as problem:
        why = why_unread(CallResult, problem)
        hint = OTHER_VERSION if is_json(problem) else _DAMAGED_LINE
        raise ConfigError(f"this line cannot be read: {why}", where=place, hint=hint) from None
    if "definitions" not in call.model_fields_set:
        call.definitions = 1
        if call.greeting is not None:
            call.greeting.onset_ms = call.greeting.ttfa_ms  # it was counted from connected
    return call
