"""Writes a copy of a run without what was said, for publishing."""

from __future__ import annotations

import os
from pathlib import Path

from harness.clock import SystemClock
from harness.errors import ConfigError, Place
from harness.record.recorded_run import RecordedRun
from harness.record.run_directory import CALLS_FILE, CAPACITY_FILE, RunDirectory
from harness.report.redact import redacted
from harness.run.finish import rebuilt


def write_redacted(run: RecordedRun, folder: str | os.PathLike[str]) -> RecordedRun:
    """Writes the run without texts, prompts, timelines and sound, and all reports anew from that.

    Args:
        run: The run, judged.
        folder: The new folder.

    Returns:
        The copy, judged.

    Raises:
        ConfigError: The folder already holds a run, or cannot be written.
    """
    folder = Path(folder)
    directory = RunDirectory.create(folder, name="", now=SystemClock().utc())
    (folder / "timelines").rmdir()
    copy = redacted(run, folder)
    directory.write_settings(copy.settings)
    directory.write_text(CALLS_FILE, "".join(call.model_dump_json() + "\n" for call in copy.calls))
    if copy.capacity is not None:
        directory.write_text(CAPACITY_FILE, copy.capacity.model_dump_json(indent=2) + "\n")
    if directory.broken is not None:
        raise ConfigError(directory.broken, where=Place(folder), hint="free space on the disk, or name another folder")
    return rebuilt(folder)
