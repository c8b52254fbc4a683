"""The file of a call's trace, in the run's folder."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigError, Place, UsageError
from harness.measure.call import measure_call
from harness.record.recorded_run import RecordedRun
from harness.report.trace import render_trace
from harness.text.plain_text import one_line
from harness.timeline.timeline import read_timeline

FOLDER = "traces"


def write_trace(run: RecordedRun, call: str | None = None) -> Path:
    """Writes the trace of a call to `traces/` in the run's folder and returns its path.

    Args:
        run: The run. Of a run that was killed, calls without a line are measured from their timelines.
        call: The call's id; None for the first that failed, or else the first.

    Raises:
        UsageError: The run has no such call.
        ConfigError: Its timeline is missing or damaged, or the file cannot be written.
    """
    chosen = _chosen(run, call)
    timeline = run.folder / "timelines" / f"{chosen}.jsonl"
    try:
        events = read_timeline(timeline)
        result = next((one for one in run.calls if one.call == chosen), None) or measure_call(events)
        text = render_trace(result, events)
    except (OSError, ValueError, KeyError, IndexError) as problem:
        raise ConfigError(f"the timeline cannot be read: {problem}", where=Place(timeline)) from None
    file = run.folder / FOLDER / f"{chosen}.json"
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"the trace cannot be written: {problem.strerror}", where=Place(file)) from None
    return file


def _chosen(run: RecordedRun, call: str | None) -> str:
    # Only names of files that are there: an id of calls.jsonl could hold a path.
    there = sorted(path.stem for path in (run.folder / "timelines").glob("*.jsonl"))
    failed = sorted(one.call for one in run.calls if one.ok is False and one.call in there)
    if call is None and there:
        return (failed or there)[0]
    if call is not None and call in there:
        return call
    where = str(run.folder)
    if not there:
        raise UsageError("this run has no timelines", where=where, hint="name the folder of another run")
    shown = ", ".join(map(one_line, there[:5])) + (f" … ({len(there)} in all)" if len(there) > 5 else "")
    raise UsageError(f"this run has no timeline of a call {call!r}", where=where, hint=f"it has those of {shown}")
