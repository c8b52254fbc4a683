"""Writes a copy of a run without what was said, for publishing."""

from __future__ import annotations

import os
from pathlib import Path

from harness.clock import SystemClock
from harness.compare.scripts import identities
from harness.errors import ConfigError, Place
from harness.record.baseline import Baseline, ScenarioOfBaseline, read_baseline
from harness.record.recorded_run import RecordedRun
from harness.record.run_directory import BASELINE_FILE, CALLS_FILE, CAPACITY_FILE, OBSERVED_FILE, RunDirectory
from harness.record.settings import RunSettings
from harness.report.redact import redacted
from harness.run.finish import rebuilt


def write_redacted(run: RecordedRun, folder: str | os.PathLike[str]) -> RecordedRun:
    """Writes the run without texts, prompts, timelines and sound, and all reports from that.

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
    if copy.observed is not None:
        directory.write_text(OBSERVED_FILE, copy.observed.to_json())
    if run.settings.baseline is not None:
        baseline = _as_redacted(read_baseline(run.folder / BASELINE_FILE), run.settings, copy.settings)
        directory.write_text(BASELINE_FILE, baseline.to_text())
    if directory.broken is not None:
        raise ConfigError(directory.broken, where=Place(folder), hint="free space on the disk, or name another folder")
    return rebuilt(folder)


def _as_redacted(baseline: Baseline, run: RunSettings, copy: RunSettings) -> Baseline:
    """Returns the baseline with the hashes that its scenarios have in the copy: the comparison stays the same."""
    before, after = identities(run), identities(copy)

    def hashed(name: str, scenario: ScenarioOfBaseline) -> ScenarioOfBaseline:
        if name not in before:
            return scenario
        parts = {part: getattr(after[name], part) for part in ("script", "expected")}
        same = {part: value for part, value in parts.items() if getattr(scenario, part) == getattr(before[name], part)}
        return scenario.model_copy(update=same)

    scenarios = {name: hashed(name, scenario) for name, scenario in baseline.scenarios.items()}
    return baseline.model_copy(update={"scenarios": scenarios})
