"""What went wrong in a run, gathered by the place in a scenario file where CI servers can show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from harness.errors import EXIT_AGENT, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNFIT, Place
from harness.failures import FailureKind, side_of
from harness.judge.excused import Excused
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, counted_calls
from harness.record.settings import RunSettings
from harness.record.summary import Summary, ThresholdResult
from harness.report.hints import hint_of
from harness.report.numbers import threshold_value
from harness.report.shown.pass_rates import in_words
from harness.text.counted import counted

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that went wrong, in however many calls.

    Attributes:
        level: A warning if it says nothing about the agent (exit codes 4 and 130, calls lost by the harness itself).
        name: What it is called in every run, such as `expectation ttfa`.
        title: One line.
        message: What happened and what to do, perhaps with texts of an agent.
        place: Where it is written; None if it is of the whole run.
        count: In how many calls.
    """

    level: Level
    name: str
    title: str
    message: str
    place: Place | None = None
    count: int = 1


def findings(run: RecordedRun) -> list[Finding]:
    """Gathers what went wrong and counts for the verdict: of the run, thresholds, pass rates, expectations, calls.

    A run that passed has none. In each group the most frequent come first.
    """
    summary = run.summary
    if summary is None or summary.exit_code == EXIT_OK:
        return []
    found = [*_of_run(summary), *_thresholds(summary, run.settings), *_pass_rates(summary)]
    if run.capacity is None:  # a search makes calls fail on purpose
        excused = Excused.of(summary)
        calls = [call for call in counted_calls(run.calls) if not call.cut]
        found += [*_gathered(_expectations(calls, excused)), *_gathered(_failures(calls, excused, run.settings))]
    if not found:
        found = [_of_reason("error", str(reason.what)) for reason in summary.reasons]
    untrusted = summary.exit_code in (EXIT_UNFIT, EXIT_INTERRUPTED)
    return [replace(one, level="warning") for one in found] if untrusted else found


def _of_run(summary: Summary) -> Iterator[Finding]:
    """The reasons that no call or threshold shows."""
    for reason in summary.reasons:
        what = str(reason.what)
        if reason.code == EXIT_AGENT or what in get_args(FailureKind):
            continue
        yield _of_reason("warning" if reason.code in (EXIT_UNFIT, EXIT_INTERRUPTED) else "error", what)


def _of_reason(level: Level, what: str) -> Finding:
    return Finding(level, "verdict", "voice-harness", what)


def _thresholds(summary: Summary, settings: RunSettings) -> Iterator[Finding]:
    written = {(one.metric, one.limit): one.where for one in settings.thresholds}
    for one in summary.thresholds:
        if one.ok is not False:
            continue
        where = written.get((str(one.metric), str(one.limit)))
        place = where if isinstance(where, Place) else None
        yield Finding("error", f"threshold {one.metric}", f"threshold {one.metric} {one.limit}", _missed(one), place)


def _missed(one: ThresholdResult) -> str:
    why = f" ({one.why})" if one.why else ""
    return f"{one.metric} was {threshold_value(one)} over {counted(one.samples, 'sample')}, limit {one.limit}{why}"


def _pass_rates(summary: Summary) -> Iterator[Finding]:
    for one in summary.pass_rates:
        if one.ok is False:
            place = Place.read(one.place) if one.place else None
            yield Finding("error", f"pass rate {one.name}", f"pass rate of {one.name}", in_words(one), place)


def _expectations(calls: Iterable[CallResult], excused: Excused) -> Iterator[Finding]:
    for call in calls:
        for (turn, one), (step, _) in zip(call.expectations(), call.expectations_by_step(), strict=True):
            if one.outcome != "failed" or excused.expectation(call, step, one) is not None:
                continue
            where = "" if turn is None else f" turn {turn}"
            title = f"{call.scenario}{where}: {one.expect} {one.limit}"
            place = Place.read(one.place) if one.place else None
            why = one.why or f"expected {one.limit}"
            yield Finding("error", f"expectation {one.expect}", title, f"{call.call}: {why}", place)


def _failures(calls: Iterable[CallResult], excused: Excused, settings: RunSettings) -> Iterator[Finding]:
    for call in calls:
        if call.ok is not False or excused.call(call) is not None:
            continue
        for seen in call.failures:
            if seen.kind != (call.sure_failure or call.failure):
                continue
            where = "" if seen.turn is None else f" turn {seen.turn}"
            message = f"{call.call}: {seen.what}\nhint: {hint_of(seen)}"
            place = _of_turn(call, seen.turn) or _of_scenario(settings, call.scenario)
            ours = call.sure_failure is None or side_of(seen.kind) == "harness"
            title = f"{call.scenario}{where}: {seen.kind}"
            yield Finding("warning" if ours else "error", seen.kind, title, message, place)
            break


def _of_turn(call: CallResult, turn: int | None) -> Place | None:
    """The first line of a turn's expectations; None if it has none."""
    places = [Place.read(one.place) for number, one in call.expectations() if number == turn and one.place]
    return min(places, key=lambda place: place.line or 0, default=None) if turn is not None else None


def _of_scenario(settings: RunSettings, name: str) -> Place | None:
    entry = settings.scenarios.get(name)
    return Place(entry.path, 1) if entry is not None and entry.path else None


def _gathered(found: Iterable[Finding]) -> list[Finding]:
    """One for each title and place, with the message of the first and the number of all."""
    groups: dict[tuple[str, Place | None], list[Finding]] = {}
    for one in found:
        groups.setdefault((one.title, one.place), []).append(one)
    gathered = [
        replace(
            those[0],
            count=len(those),
            message=those[0].message + (f"\nand in {counted(len(those) - 1, 'other call')}" if len(those) > 1 else ""),
        )
        for those in groups.values()
    ]
    return sorted(gathered, key=lambda one: -one.count)
