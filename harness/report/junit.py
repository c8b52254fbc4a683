"""Renders `junit.xml` for CI servers, in the layout that Jenkins and GitLab accept (Jenkins' `junit-10.xsd`)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from harness.errors import EXIT_AGENT, EXIT_OK
from harness.failures import side_of
from harness.judge.excused import Excused
from harness.record.capacity import Capacity
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult, FailureSeen, standing
from harness.record.summary import Summary, ThresholdResult
from harness.report.hints import hint_of, unmeasured_notes
from harness.report.numbers import expectation_value, is_time, threshold_value, utc
from harness.text.counted import counted
from harness.text.plain_text import clipped, one_line, printable

THRESHOLDS_SUITE = "thresholds"
_TEXT_LIMIT = 4000


@dataclass(frozen=True)
class _Case:
    name: str
    classname: str
    time_s: float = 0.0
    outcome: Literal["passed", "failure", "error", "skipped"] = "passed"
    kind: str = ""
    message: str = ""
    body: str = ""


@dataclass
class _Suite:
    name: str
    time_s: float
    started: str | None
    cases: list[_Case] = field(default_factory=list)
    agents: Sequence[str] = ()

    def count(self, outcome: str) -> int:
        return sum(case.outcome == outcome for case in self.cases)


def render_junit(run: RecordedRun) -> str:
    """Renders the run as JUnit XML: a suite per scenario (a case per call and per expectation), and one of thresholds.

    A call's case fails by the kinds of failure in the call; its expectations have their own cases. `agent.*` and
    expectations are failures. `session.*`, `room.*`, `harness.*` and silence while the harness was late are errors.
    Anything cut short, undecided, or excused by a threshold that held is skipped.

    A judged run has a failure or an error if and only if its exit code is not 0. If it did not pass and no case shows
    why (unfit turns, an interrupted run), a suite `run` does. If it passed, what is left is skipped with its reason.

    Names are stable between runs, so that a CI server keeps a history: several calls of a scenario are numbered, and
    the call's id is in the case. A capacity search is a single case, since it makes calls fail on purpose.
    """
    capacity = run.capacity
    suites = list(_scenario_suites(run)) if capacity is None else [_capacity_suite(capacity, run)]
    if run.summary is not None:
        if run.summary.thresholds:
            suites.append(_threshold_suite(run.summary, run.settings.started))
        if run.summary.exit_code == EXIT_OK:
            for suite in suites:
                suite.cases = [_not_counted(case) for case in suite.cases]
        # A search's single case shows its verdict, whichever it is.
        elif not _shows(suites, EXIT_AGENT if capacity is not None else run.summary.exit_code):
            suites.append(_verdict_suite(run.summary, run.settings.started))
    root = ET.Element(
        "testsuites",
        name=one_line(f"voice-harness {run.settings.run}"),
        tests=str(sum(len(suite.cases) for suite in suites)),
        failures=str(sum(suite.count("failure") for suite in suites)),
        errors=str(sum(suite.count("error") for suite in suites)),
        time=_seconds(sum(suite.time_s for suite in suites)),
    )
    properties = _properties(run)
    for suite in suites:
        _add_suite(root, suite, properties)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _shows(suites: Sequence[_Suite], exit_code: int) -> bool:
    """Whether a case shows why the run did not pass. That it was unfit or interrupted is in no case of a call."""
    errors = sum(suite.count("error") for suite in suites)
    match exit_code:
        case 1:
            return errors + sum(suite.count("failure") for suite in suites) > 0
        case 3:
            return errors > 0
        case _:
            return False


def _not_counted(case: _Case) -> _Case:
    """The case in a run that passed: what failed in it did not count, such as a call lost by the harness itself."""
    if case.outcome not in ("failure", "error"):
        return case
    return replace(case, outcome="skipped", message=f"not counted, the run passed: {case.message}")


def _scenario_suites(run: RecordedRun) -> Iterator[_Suite]:
    excused = Excused(run.summary.thresholds if run.summary is not None else [])
    by_scenario: dict[str, list[CallResult]] = {name: [] for name in run.settings.scenarios}
    counted_calls = [call for call in standing(run.calls) if not call.warm_up and not call.canary]
    for call in sorted(counted_calls, key=lambda call: call.call):
        by_scenario.setdefault(call.scenario, []).append(call)
    for name, calls in by_scenario.items():
        cases = [case for call in calls for case in _call_cases(call, excused, run.folder)]
        started = min((call.started for call in calls), default=None)
        agents = sorted({call.agent for call in calls if call.agent})
        seconds = sum(call.duration_ms for call in calls) / 1000
        yield _Suite(one_line(name), seconds, started, list(_told_apart(cases)), agents)


def _call_cases(call: CallResult, excused: Excused, folder: Path) -> Iterator[_Case]:
    """Yields the cases of one call; each body names the call, the report and the recording."""
    where = f"call: {call.call}\nreport: {folder / 'report.html'}"
    if call.recording is not None:
        where += f"\nrecording: {folder / call.recording}"
    for case in (_call_case(call, excused), *_expectation_cases(call, excused)):
        yield replace(case, body=f"{case.body}\n{where}".strip())


def _expectation_cases(call: CallResult, excused: Excused) -> Iterator[_Case]:
    placed: list[tuple[str, Sequence[ExpectationResult]]] = []
    if call.greeting is not None:
        placed.append(("greeting", call.greeting.expectations))
    placed += [(f"turn {turn.turn}", turn.expectations) for turn in call.turns]
    for wait in call.waits:
        place = f"wait after turn {wait.after_turn}" if wait.after_turn else "wait after greeting"
        placed.append((place, wait.expectations))
    for place, expectations in placed:
        for expectation in expectations:
            yield _expectation_case(call, place, expectation, excused.expectation(call, expectation))


def _call_case(call: CallResult, excused: Excused) -> _Case:
    name, classname, time_s = "call", call.scenario, call.duration_ms / 1000
    again = [f"repeats call {call.retry_of}, which could not be measured"] if call.retry_of else []
    notes = [*again, *unmeasured_notes(call), *call.notes]
    body = "\n".join([*map(_told, call.failures), *(f"note: {note}" for note in notes)])
    if call.cut or call.ok is None:
        return _Case(name, classname, time_s, "skipped", "cut", "the call was cut short on request", body)
    kind = call.sure_failure or call.failure or (call.failures[0].kind if call.failures else None)
    if call.ok or kind is None:
        return _Case(name, classname, time_s, body=body)
    what = next((seen.what for seen in call.failures if seen.kind == kind), "")
    message = f"{kind}: {what}" if what else kind
    by = excused.call(call)
    if by is not None:
        return _Case(name, classname, time_s, "skipped", kind, f"excused by {by}: {message}", body)
    outcome: Literal["failure", "error"] = "failure" if side_of(kind) == "agent" and call.sure_failure else "error"
    return _Case(name, classname, time_s, outcome, kind, message, body)


def _told(seen: FailureSeen) -> str:
    where = [f"turn {seen.turn}"] if seen.turn is not None else []
    where += [f"at {seen.at_ms / 1000:.1f} s"] if seen.at_ms is not None else []
    where += ["ended the call"] if seen.ended else []
    told = f"{seen.kind}: {seen.what}" + (f" ({', '.join(where)})" if where else "")
    return f"{told}\nhint: {hint_of(seen)}"


def _expectation_case(call: CallResult, place: str, expectation: ExpectationResult, by: str | None) -> _Case:
    timed = is_time(expectation.expect)
    name, time_s = f"{place} {expectation.expect}", (expectation.value or 0.0) / 1000 if timed else 0.0
    value = expectation_value(expectation.expect, expectation.value)
    limit = f"limit: {expectation.limit}"
    if expectation.outcome == "held":
        return _Case(name, call.scenario, time_s, body=limit)
    said = expectation.why or f"{expectation.expect} was {value}, expected {expectation.limit}"
    body = "\n".join(part for part in (said, f"value: {value}", limit, expectation.place) if part)
    outcome: Literal["failure", "skipped"] = "skipped"
    if call.cut:
        said = f"the call was cut short on request: {said}"
    elif expectation.outcome == "failed" and by is None:
        outcome = "failure"
    elif by is not None:
        said = f"excused by {by}: {said}"
    return _Case(name, call.scenario, time_s, outcome, f"expectation.{expectation.expect}", said, body)


def _threshold_suite(summary: Summary, started: str | None) -> _Suite:
    cases = [_threshold_case(threshold) for threshold in summary.thresholds]
    return _Suite(THRESHOLDS_SUITE, 0.0, started, list(_told_apart(cases)))


def _threshold_case(threshold: ThresholdResult) -> _Case:
    aggregate = threshold.limit.aggregate or ""
    name = f"{threshold.metric} {aggregate}"
    value = threshold_value(threshold)
    limit = f"limit: {threshold.limit}"
    if threshold.ok:
        return _Case(name, THRESHOLDS_SUITE, body=f"value: {value}\n{limit}\nsamples: {threshold.samples}")
    said = f"{threshold.metric} was {value} over {counted(threshold.samples, 'sample')}, the limit is {threshold.limit}"
    if threshold.ok is None:
        return _Case(name, THRESHOLDS_SUITE, outcome="skipped", kind="threshold", message=threshold.why or said)
    said += f" ({threshold.why})" if threshold.why else ""
    body = f"{said}\nvalue: {value}\n{limit}\nsamples: {threshold.samples}"
    return _Case(name, THRESHOLDS_SUITE, outcome="failure", kind="threshold", message=said, body=body)


def _capacity_suite(capacity: Capacity, run: RecordedRun) -> _Suite:
    code, words = capacity.answer.exit_code, capacity.answer.words
    name = "; ".join(capacity.objectives)
    outcome: Literal["passed", "failure", "error"] = "error"
    if code in (EXIT_OK, EXIT_AGENT):
        outcome = "passed" if code == EXIT_OK else "failure"
    kind = run.summary.verdict if run.summary is not None else ""
    case = _Case(one_line(name), "capacity", 0.0, outcome, kind, words, words)
    seconds = sum(step.set_up_s + step.window_s for step in capacity.steps)
    return _Suite("capacity", seconds, run.settings.started, [case])


def _verdict_suite(summary: Summary, started: str | None) -> _Suite:
    reasons = "; ".join(str(reason.what) for reason in summary.reasons) or summary.verdict
    outcome: Literal["failure", "error"] = "failure" if summary.exit_code == 1 else "error"
    return _Suite("run", 0.0, started, [_Case("verdict", "run", 0.0, outcome, summary.verdict, reasons)])


def _told_apart(cases: Iterable[_Case]) -> Iterator[_Case]:
    """Makes the cases' names single-line and unique: the second of two equal names ends in `(2)`."""
    seen: Counter[str] = Counter()
    for case in cases:
        name = clipped(one_line(case.name), 200)
        seen[name] += 1
        told = name if seen[name] == 1 else f"{name} ({seen[name]})"
        yield _Case(told, one_line(case.classname), case.time_s, case.outcome, case.kind, case.message, case.body)


def _add_suite(root: ET.Element, suite: _Suite, properties: dict[str, str]) -> None:
    element = ET.SubElement(
        root,
        "testsuite",
        name=suite.name,
        tests=str(len(suite.cases)),
        failures=str(suite.count("failure")),
        errors=str(suite.count("error")),
        skipped=str(suite.count("skipped")),
        time=_seconds(suite.time_s),
    )
    timestamp = _timestamp(suite.started)
    if timestamp is not None:
        element.set("timestamp", timestamp)
    listed = ET.SubElement(element, "properties")
    agents = {"agent": one_line(", ".join(suite.agents))} if suite.agents else {}
    for name, value in (properties | agents).items():
        ET.SubElement(listed, "property", name=name, value=value)
    for case in suite.cases:
        _add_case(element, case)


def _add_case(suite: ET.Element, case: _Case) -> None:
    element = ET.SubElement(suite, "testcase", name=case.name, classname=case.classname, time=_seconds(case.time_s))
    body = clipped(printable(case.body), _TEXT_LIMIT)
    if case.outcome == "passed":
        if body:
            ET.SubElement(element, "system-out").text = body
        return
    message = clipped(one_line(case.message), _TEXT_LIMIT)
    ET.SubElement(element, case.outcome, type=one_line(case.kind), message=message).text = body or None


def _properties(run: RecordedRun) -> dict[str, str]:
    settings = run.settings
    found = {
        "run": settings.run,
        "target": settings.target,
        "engine": settings.engine,
        "seed": settings.seed,
        "harness_version": settings.harness_version,
    }
    if run.summary is not None:
        found |= {
            "target": run.summary.target,
            "verdict": run.summary.verdict,
            "exit_code": run.summary.exit_code,
        }
    return {name: one_line(str(value)) for name, value in found.items() if value is not None}


def _seconds(value: float) -> str:
    return f"{max(0.0, value):.3f}"


def _timestamp(started: str | None) -> str | None:
    """UTC without an offset, as the schema requires; None if `started` is not a time."""
    moment = utc(started)
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}"
