"""Re-measures a run's calls: all numbers from the timeline, and the agent's voice from the recording.

What the script decided live (when a turn ended, what was said when) is unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from harness.errors import ConfigError, Place
from harness.failures import side_of
from harness.hearing.onset import SAMPLE_RATE
from harness.measure.call import measure_call
from harness.measure.heard_again import HeardStream
from harness.measure.soundness import breaks_off, out_of_order
from harness.record.result import CallResult, Remeasured
from harness.record.run_directory import RunDirectory
from harness.timeline.events import CallEnded, CallStarted, Cut, Event
from harness.timeline.timeline import read_timeline

NOT_KEPT = "their audio was not kept"
_BROKEN = (KeyError, IndexError, TypeError, ValueError, ValidationError)  # what measuring a damaged timeline may raise


def remeasured_calls(
    directory: RunDirectory, calls: Sequence[CallResult], tags: Mapping[str, Sequence[str]]
) -> list[CallResult]:
    """Re-measures the calls of a run, and adds those that have a timeline but no line.

    Such a call is complete if its timeline is, because its line was lost; else it is cut, because the run was killed.

    Args:
        directory: The run's directory.
        calls: The lines of calls.jsonl.
        tags: The tags of each scenario, by scenario name.

    Raises:
        ConfigError: A timeline is missing, or no call can be re-measured.
    """
    again = [_remeasured(call, directory, tags[call.scenario]) for call in calls]
    failed = [call for call in again if call.remeasured is not None and call.remeasured.voices == "none"]
    if failed and len(failed) == len(again) and not all(_lost_by_ourselves(call) for call in failed):
        first = failed[0]
        why = first.remeasured.why if first.remeasured is not None else ""
        raise ConfigError(
            f"cannot be measured again: {why}",
            where=Place(directory.timeline(first.call)),
            hint="run report without --remeasure; it uses the numbers measured live",
        )
    left = map(directory.timeline, without_line(directory, calls))
    return again + [call for call in (_without_line(path, tags) for path in left) if call is not None]


def without_line(directory: RunDirectory, calls: Sequence[CallResult]) -> list[str]:
    """The ids of the calls that have a timeline but are not among these, the lines of calls.jsonl; sorted."""
    known = {call.call for call in calls}
    return sorted(path.stem for path in directory.path.glob("timelines/*.jsonl") if path.stem not in known)


def _remeasured(call: CallResult, directory: RunDirectory, tags: Sequence[str]) -> CallResult:
    if _lost_by_ourselves(call):
        return _kept(call, "lost by ourselves (harness.*): their timelines may not be whole")
    path = directory.timeline(call.call)
    if not path.exists():
        raise ConfigError("the timeline is missing", where=Place(path), hint="report without --remeasure")
    try:
        events = read_timeline(path)
    except OSError as problem:
        return _kept(call, f"the timeline cannot be read: {problem.strerror}")
    except ValueError as problem:
        return _kept(call, f"the timeline is damaged ({problem})")
    fault = out_of_order(events) or breaks_off(events)
    if fault is not None:
        return _kept(call, fault)
    try:
        again = _measured(events, directory, tags, recording=call.recording)
    except _BROKEN as problem:
        return _kept(call, f"the timeline is damaged ({type(problem).__name__})")
    again.recording, again.retry_of = call.recording, call.retry_of
    return again


def _measured(
    events: Sequence[Event], directory: RunDirectory, tags: Sequence[str], *, recording: str | None
) -> CallResult:
    path = directory.path / recording if recording else None
    found, why = _voices_in(path, events)
    result = measure_call(events if found is None else found, tags=tags)
    result.remeasured = Remeasured(voices="recording") if found is not None else Remeasured(voices="call", why=why)
    return result


def _voices_in(path: Path | None, events: Sequence[Event]) -> tuple[list[Event] | None, str]:
    """The timeline with the voices found in its recording; or None and the reason."""
    import soundfile

    if path is None:
        return None, NOT_KEPT
    if not path.is_file():
        return None, "their recordings are missing"
    stream = HeardStream(events)
    why = stream.why_not()
    if why is not None:
        return None, why
    try:
        with soundfile.SoundFile(path) as wav:
            if (wav.samplerate, wav.channels) != (SAMPLE_RATE, 2):
                return None, "their recordings are not as they were made (48 kHz, two channels)"

            def read(place: int, count: int) -> NDArray[np.int16]:
                wav.seek(min(place, wav.frames))
                both: NDArray[np.int16] = wav.read(count, dtype="int16", always_2d=True)
                return np.ascontiguousarray(both[:, 1])

            return stream.with_voices(stream.find_voices(read)), ""
    except (soundfile.LibsndfileError, OSError):
        return None, "their recordings cannot be read"
    except EOFError:
        return None, "their recordings are shorter than the timelines say"


def _kept(call: CallResult, why: str) -> CallResult:
    return call.model_copy(update={"remeasured": Remeasured(voices="none", why=why)})


def _lost_by_ourselves(call: CallResult) -> bool:
    """Whether a disk error or a bug may have left the timeline incomplete, so that only the call's line is reliable."""
    return any(side_of(failure.kind) == "harness" for failure in call.failures)


def _without_line(path: Path, tags: Mapping[str, Sequence[str]]) -> CallResult | None:
    """A call from its timeline alone, as cut if that has no end; None if the timeline is not usable."""
    try:
        events = read_timeline(path)
        start = events[0] if events else None
        if not isinstance(start, CallStarted) or out_of_order(events) is not None or start.scenario not in tags:
            return None
        ended = any(isinstance(event, CallEnded) for event in events)
        cut = [] if ended else [Cut(t_ns=max(event.t_ns for event in events))]
        result = measure_call([*events, *cut], tags=tags[start.scenario])
    except _BROKEN:
        return None
    why = "their lines were missing" if ended else "their run was killed before they ended"
    result.remeasured = Remeasured(voices="call", why=why)
    return result
