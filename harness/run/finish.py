"""Finishes a run: judges it and writes its reports, all from what was recorded."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from harness.call.recorder import remove_abandoned
from harness.compare.compare import reasons_of
from harness.errors import EXIT_INTERRUPTED, EXIT_UNFIT, ConfigError, Place
from harness.formats import OTHER_VERSION
from harness.judge.expectations import judge_call, places_of
from harness.judge.pass_rates import Script
from harness.judge.thresholds import Threshold
from harness.judge.tool_calls import unreported
from harness.judge.verdict import judge_run
from harness.metrics.threshold import read_threshold
from harness.record.calibration_store import newest, stated
from harness.record.comparison import Comparison
from harness.record.reason import DiskRefused, InWords
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult
from harness.record.run_directory import AUDIO_FOLDER, CALLS_FILE, COMPARISON_FILE, RUN_FILE, RunDirectory, read_run
from harness.record.settings import RunSettings, ScenarioSettings
from harness.record.summary import Ending, Reason, Summary
from harness.recordings.again import remeasured_calls, without_line
from harness.report.html import render_html
from harness.report.junit import render_junit
from harness.report.turns_csv import render_turns_csv
from harness.run.baselines import compared_with_own
from harness.scenario.model import Scenario
from harness.text.counted import counted

_NO_END = "the run has no end: it was killed, or is still going on"


def finish_run(
    directory: RunDirectory,
    settings: RunSettings,
    calls: Sequence[CallResult],
    thresholds: Sequence[Threshold],
    ending: Ending,
) -> Summary:
    """Judges a run's calls and writes its reports. A failed write becomes a reason in the summary.

    What could not be decided in a call alone is judged again, in place, and its line in calls.jsonl replaced.
    """
    directory.replace_calls(_judge_with_others(calls, settings))
    settings = settings.model_copy(update={"ending": ending, "calibration": stated(newest())})
    directory.write_settings(settings)
    # Where the disk is full, the copy of the baseline may not have been written.
    comparison = compared_with_own(directory, settings, calls) if directory.broken is None else None
    summary = _judged(settings, calls, thresholds, ending, comparison)
    _write(directory, settings, calls, summary, comparison)
    if directory.broken is not None:
        full = Reason(code=EXIT_UNFIT, what=DiskRefused(directory.broken))
        ending = ending.model_copy(update={"extra": [*ending.extra, full]})
        summary = _judged(settings, calls, thresholds, ending, comparison)
        directory.write_summary(summary)
        directory.write_settings(settings.model_copy(update={"ending": ending}))
    return summary


def _judged(
    settings: RunSettings,
    calls: Sequence[CallResult],
    thresholds: Sequence[Threshold],
    ending: Ending,
    comparison: Comparison | None,
) -> Summary:
    scripts = {
        name: Script(Scenario.model_validate(entry.model), entry.places) for name, entry in settings.scenarios.items()
    }
    compared = () if comparison is None else reasons_of(comparison, strict=settings.strict)
    summary = judge_run(
        calls,
        thresholds,
        target=settings.target,
        ending=ending,
        scripts=scripts,
        strict=settings.strict,
        compared=compared,
        other=None if settings.in_turns is None else settings.in_turns.name,
    )
    summary.calibration = settings.calibration
    summary.testbed = settings.testbed(summary.definitions)
    return summary


def _write(
    directory: RunDirectory,
    settings: RunSettings,
    calls: Sequence[CallResult],
    summary: Summary,
    comparison: Comparison | None,
) -> None:
    run = recorded_run(directory, settings, calls, summary, comparison)
    directory.write_summary(summary)
    if comparison is not None:
        directory.write_text(COMPARISON_FILE, comparison.to_json())
    directory.write_text("turns.csv", render_turns_csv(calls))
    directory.write_text("junit.xml", render_junit(run))
    directory.write_text("report.html", render_html(run))


def recorded_run(
    directory: RunDirectory,
    settings: RunSettings,
    calls: Sequence[CallResult],
    summary: Summary,
    comparison: Comparison | None,
) -> RecordedRun:
    """Returns a judged run with what its folder has beside its calls.

    Raises:
        ConfigError: A file of the folder cannot be read.
    """
    capacity, observed = directory.read_capacity(), directory.read_observed()
    return RecordedRun(directory.path, settings, list(calls), summary, capacity, comparison, observed)


def rebuild(folder: str | os.PathLike[str], *, remeasure: bool = False) -> Summary:
    """As `rebuilt`; returns the summary."""
    summary = rebuilt(folder, remeasure=remeasure).summary
    assert summary is not None  # noqa: S101 - `rebuilt` has judged the run
    return summary


def rebuilt(folder: str | os.PathLike[str], *, remeasure: bool = False) -> RecordedRun:
    """Judges a recorded run again and rewrites its reports; with `remeasure`, also measures its calls again.

    A run that was killed is reported as interrupted, and its unfinished recordings are removed. Measuring it again also
    includes the calls that were running when it was killed, and those whose lines were lost later. The expectations of
    a redacted run stay as they were judged, since their texts are gone.

    Raises:
        ConfigError: The folder holds no run that can be read, lacks some of its calls, or cannot be written.
    """
    folder = Path(folder)
    run = read_run(folder)
    try:
        scenarios = {
            name: (Scenario.model_validate(entry.model), entry) for name, entry in run.settings.scenarios.items()
        }
        thresholds = [
            Threshold(*read_threshold(entry.metric, entry.limit), entry.where) for entry in run.settings.thresholds
        ]
    except ValueError as problem:
        what = f"run.json cannot be read: {problem}"
        raise ConfigError(what, where=Place(folder / RUN_FILE), hint=OTHER_VERSION) from None
    if remeasure and run.settings.redacted:
        raise ConfigError(
            "a redacted run has no timelines to measure again", where=Place(folder), hint="measure the original again"
        )
    ending = run.settings.ending or Ending(extra=[Reason(code=EXIT_INTERRUPTED, what=InWords(_NO_END))])
    directory = RunDirectory(folder)
    remove_abandoned(directory.path / AUDIO_FOLDER)
    tags = {name: entry.tags for name, (_, entry) in scenarios.items()}
    calls = remeasured_calls(directory, run.calls, tags) if remeasure else run.calls
    if run.settings.ending is not None and not _may_lack_calls(run.settings.ending):
        _check_complete(directory, run, calls, remeasured=remeasure)
    if not run.settings.redacted:
        calls = [_judged_again(call, *scenarios[call.scenario]) for call in calls]
        _judge_with_others(calls, run.settings)
    comparison = compared_with_own(directory, run.settings, calls)
    summary = _judged(run.settings, calls, thresholds, ending, comparison)
    _write(directory, run.settings, calls, summary, comparison)
    if remeasure:
        directory.write_text(CALLS_FILE, "".join(call.model_dump_json() + "\n" for call in calls))
    if directory.broken is not None:
        raise ConfigError(
            directory.broken, where=Place(folder), hint="free space on the disk, or make the folder writable"
        )
    return recorded_run(directory, run.settings, calls, summary, comparison)


def discard_recordings(folder: Path) -> None:
    """Removes the recordings of a finished run whose sound is not needed, and rewrites its reports without them.

    Raises:
        ConfigError: As `rebuild`.
    """
    run = read_run(folder)
    recorded = [call for call in run.calls if call.recording is not None]
    if not recorded:
        return
    for call in recorded:
        (folder / str(call.recording)).unlink(missing_ok=True)
        call.recording = None
    RunDirectory(folder).replace_calls(recorded)
    with contextlib.suppress(OSError):
        (folder / AUDIO_FOLDER).rmdir()
    rebuild(folder)


def _may_lack_calls(ending: Ending) -> bool:
    """Whether the run itself reported that it could not record all of its calls."""
    return ending.interrupted or any(isinstance(reason.what, DiskRefused) for reason in ending.extra)


def _check_complete(
    directory: RunDirectory, run: RecordedRun, calls: Sequence[CallResult], *, remeasured: bool
) -> None:
    """Checks that a finished run has all of its calls: a verdict on the others would be one on another run.

    Raises:
        ConfigError: Some are missing.
    """
    lost = without_line(directory, calls)
    if not lost and (len(calls) > len(run.calls) or not run.cut_off):
        return
    where = Place(directory.path / CALLS_FILE)
    if not lost:
        what = f"line {len(run.calls) + 1} is cut off, and its call has no timeline"
        raise ConfigError(what, where=where, hint="restore the file")
    what = f"this run also made {counted(len(lost), 'call')} without a line here: {', '.join(lost[:3])}"
    if remeasured:
        raise ConfigError(f"{what}; the timelines cannot be measured", where=where, hint="restore the file")
    raise ConfigError(what, where=where, hint="add --remeasure: such calls are measured from their timelines")


def _judged_again(call: CallResult, model: Scenario, entry: ScenarioSettings) -> CallResult:
    return judge_call(call, model, places_of(entry.places))


def _judge_with_others(calls: Sequence[CallResult], settings: RunSettings) -> list[CallResult]:
    """Judges again, in place, the calls of which the others of the run tell more; returns them."""
    found = unreported(calls)
    for call in found:
        entry = settings.scenarios[call.scenario]
        judge_call(call, Scenario.model_validate(entry.model), places_of(entry.places), reports_tool_calls=True)
    return found
