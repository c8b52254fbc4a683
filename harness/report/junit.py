"""Renders `junit.xml` for CI servers: what each case is, and whether it passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from harness.errors import EXIT_AGENT, EXIT_OK
from harness.failures import side_of
from harness.judge.excused import Excused
from harness.judge.parts import Part, around_expectation
from harness.record.capacity import Capacity
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult, FailureSeen, StepOf, counted_calls
from harness.record.summary import PassRateResult, Summary, ThresholdResult
from harness.report.hints import hint_of, unmeasured_notes
from harness.report.junit_xml import Case, Suite, render_suites, told_apart
from harness.report.numbers import expectation_value, is_time, threshold_value
from harness.report.shown.pass_rates import in_words
from harness.text.counted import counted
from harness.text.plain_text import one_line

THRESHOLDS_SUITE = "thresholds"
PASS_RATES_SUITE = "pass rates"  # noqa: S105 - no password


def render_junit(run: RecordedRun) -> str:
    """Renders the run as JUnit XML: a suite per scenario, one of thresholds, one of pass rates.

    A scenario's suite has a case per call and per expectation.
    A call's case fails by the kinds of failure in the call; its expectations have their own cases. `agent.*` and
    expectations are failures. `session.*`, `room.*`, `harness.*` and silence while the harness was late are errors.
    Anything cut short, undecided, or excused by a threshold or a pass rate is skipped.

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
        if any(result.limit is not None for result in run.summary.pass_rates):
            suites.append(_pass_rate_suite(run.summary, run.settings.started))
        if run.summary.exit_code == EXIT_OK:
            for suite in suites:
                suite.cases = [_not_counted(case) for case in suite.cases]
        # A search's single case shows its verdict, whichever it is.
        elif not _shows(suites, EXIT_AGENT if capacity is not None else run.summary.exit_code):
            suites.append(_verdict_suite(run.summary, run.settings.started))
    return render_suites(f"voice-harness {run.settings.run}", suites, _properties(run))


def _shows(suites: Sequence[Suite], exit_code: int) -> bool:
    """Whether a case shows why the run did not pass. That it was unfit or interrupted is in no case of a call."""
    errors = sum(suite.count("error") for suite in suites)
    match exit_code:
        case 1:
            return errors + sum(suite.count("failure") for suite in suites) > 0
        case 3:
            return errors > 0
        case _:
            return False


def _not_counted(case: Case) -> Case:
    """The case in a run that passed: what failed in it did not count, such as a call lost by the harness itself."""
    if case.outcome not in ("failure", "error"):
        return case
    return replace(case, outcome="skipped", message=f"not counted, the run passed: {case.message}")


def _scenario_suites(run: RecordedRun) -> Iterator[Suite]:
    excused = Excused.of(run.summary)
    rates = _rates(run.summary)
    by_scenario: dict[str, list[CallResult]] = {name: [] for name in run.settings.scenarios}
    judged = counted_calls(run.calls)
    for call in sorted(judged, key=lambda call: call.call):
        by_scenario.setdefault(call.scenario, []).append(call)
    for name, calls in by_scenario.items():
        cases = [case for call in calls for case in _call_cases(call, excused, rates, run.folder)]
        started = min((call.started for call in calls), default=None)
        agents = sorted({call.agent for call in calls if call.agent})
        seconds = sum(call.duration_ms for call in calls) / 1000
        yield Suite(one_line(name), seconds, started, list(told_apart(cases)), agents)


def _call_cases(call: CallResult, excused: Excused, rates: Mapping[Part, str], folder: Path) -> Iterator[Case]:
    """Yields the cases of one call; each body names the call, the report and the recording."""
    where = f"call: {call.call}\nreport: {folder / 'report.html'}"
    if call.recording is not None:
        where += f"\nrecording: {folder / call.recording}"
    for case in (_call_case(call, excused), *_expectation_cases(call, excused, rates)):
        yield replace(case, body=f"{case.body}\n{where}".strip())


def _rates(summary: Summary | None) -> Mapping[Part, str]:
    """Returns in how many calls an expectation passed, in words, for those that failed in one of several."""
    found = summary.pass_rates if summary is not None else []
    return {Part(each.scenario, each.step, each.expect): in_words(each) for each in found if each.pattern is not None}


def _expectation_cases(call: CallResult, excused: Excused, rates: Mapping[Part, str]) -> Iterator[Case]:
    placed: list[tuple[str, StepOf, Sequence[ExpectationResult]]] = []
    if call.greeting is not None:
        placed.append(("greeting", "greeting", call.greeting.expectations))
    placed += [(f"turn {turn.turn}", turn.step, turn.expectations) for turn in call.turns]
    for wait in call.waits:
        place = f"wait after turn {wait.after_turn}" if wait.after_turn else "wait after greeting"
        placed.append((place, wait.step, wait.expectations))
    for place, step, expectations in placed:
        for expectation in expectations:
            case = _expectation_case(call, place, expectation, excused.expectation(call, step, expectation))
            told = next((rates[part] for part in around_expectation(call, step, expectation)[:-2] if part in rates), "")
            yield replace(case, body=f"{case.body}\n{told}".strip()) if expectation.outcome == "failed" else case


def _call_case(call: CallResult, excused: Excused) -> Case:
    name, classname, time_s = "call", call.scenario, call.duration_ms / 1000
    again = [f"repeats call {call.retry_of}, which could not be measured"] if call.retry_of else []
    notes = [*again, *unmeasured_notes(call), *call.notes]
    body = "\n".join([*map(_told, call.failures), *(f"note: {note}" for note in notes)])
    if call.cut or call.ok is None:
        return Case(name, classname, time_s, "skipped", "cut", "the call was cut short on request", body)
    kind = call.sure_failure or call.failure or (call.failures[0].kind if call.failures else None)
    if call.ok or kind is None:
        return Case(name, classname, time_s, body=body)
    what = next((seen.what for seen in call.failures if seen.kind == kind), "")
    message = f"{kind}: {what}" if what else kind
    by = excused.call(call)
    if by is not None:
        return Case(name, classname, time_s, "skipped", kind, f"excused by {by}: {message}", body)
    outcome: Literal["failure", "error"] = "failure" if side_of(kind) == "agent" and call.sure_failure else "error"
    return Case(name, classname, time_s, outcome, kind, message, body)


def _told(seen: FailureSeen) -> str:
    where = [f"turn {seen.turn}"] if seen.turn is not None else []
    where += [f"at {seen.at_ms / 1000:.1f} s"] if seen.at_ms is not None else []
    where += ["ended the call"] if seen.ended else []
    told = f"{seen.kind}: {seen.what}" + (f" ({', '.join(where)})" if where else "")
    return f"{told}\nhint: {hint_of(seen)}"


def _expectation_case(call: CallResult, place: str, expectation: ExpectationResult, by: str | None) -> Case:
    timed = is_time(expectation.expect)
    name, time_s = f"{place} {expectation.expect}", (expectation.value or 0.0) / 1000 if timed else 0.0
    value = expectation_value(expectation.expect, expectation.value)
    limit = f"limit: {expectation.limit}"
    if expectation.outcome == "held":
        return Case(name, call.scenario, time_s, body=limit)
    said = expectation.why or f"{expectation.expect} was {value}, expected {expectation.limit}"
    body = "\n".join(part for part in (said, f"value: {value}", limit, expectation.place) if part)
    outcome: Literal["failure", "skipped"] = "skipped"
    if call.cut:
        said = f"the call was cut short on request: {said}"
    elif expectation.outcome == "failed" and by is None:
        outcome = "failure"
    elif by is not None:
        said = f"excused by {by}: {said}"
    return Case(name, call.scenario, time_s, outcome, f"expectation.{expectation.expect}", said, body)


def _threshold_suite(summary: Summary, started: str | None) -> Suite:
    cases = [_threshold_case(threshold) for threshold in summary.thresholds]
    return Suite(THRESHOLDS_SUITE, 0.0, started, list(told_apart(cases)))


def _threshold_case(threshold: ThresholdResult) -> Case:
    aggregate = threshold.limit.aggregate or ""
    name = f"{threshold.metric} {aggregate}"
    value = threshold_value(threshold)
    limit = f"limit: {threshold.limit}"
    if threshold.ok:
        return Case(name, THRESHOLDS_SUITE, body=f"value: {value}\n{limit}\nsamples: {threshold.samples}")
    said = f"{threshold.metric} was {value} over {counted(threshold.samples, 'sample')}, the limit is {threshold.limit}"
    if threshold.ok is None:
        return Case(name, THRESHOLDS_SUITE, outcome="skipped", kind="threshold", message=threshold.why or said)
    said += f" ({threshold.why})" if threshold.why else ""
    body = f"{said}\nvalue: {value}\n{limit}\nsamples: {threshold.samples}"
    return Case(name, THRESHOLDS_SUITE, outcome="failure", kind="threshold", message=said, body=body)


def _pass_rate_suite(summary: Summary, started: str | None) -> Suite:
    cases = [_pass_rate_case(result) for result in summary.pass_rates if result.limit is not None]
    return Suite(PASS_RATES_SUITE, 0.0, started, list(told_apart(cases)))


def _pass_rate_case(result: PassRateResult) -> Case:
    said = in_words(result)
    body = f"{said}\n{result.place}".strip()
    if result.ok:
        return Case(result.name, PASS_RATES_SUITE, body=body)
    outcome: Literal["failure", "skipped"] = "skipped" if result.ok is None else "failure"
    why = f"{result.why}: " if result.why else ""
    kind = f"pass.{result.pattern or 'missed'}" if result.ok is False else "pass.undecided"
    return Case(result.name, PASS_RATES_SUITE, outcome=outcome, kind=kind, message=f"{why}{said}", body=body)


def _capacity_suite(capacity: Capacity, run: RecordedRun) -> Suite:
    code, words = capacity.answer.exit_code, capacity.answer.words
    name = "; ".join(capacity.objectives)
    outcome: Literal["passed", "failure", "error"] = "error"
    if code in (EXIT_OK, EXIT_AGENT):
        outcome = "passed" if code == EXIT_OK else "failure"
    kind = run.summary.verdict if run.summary is not None else ""
    case = Case(one_line(name), "capacity", 0.0, outcome, kind, words, words)
    seconds = sum(step.set_up_s + step.window_s for step in capacity.steps)
    return Suite("capacity", seconds, run.settings.started, [case])


def _verdict_suite(summary: Summary, started: str | None) -> Suite:
    reasons = "; ".join(str(reason.what) for reason in summary.reasons) or summary.verdict
    outcome: Literal["failure", "error"] = "failure" if summary.exit_code == 1 else "error"
    return Suite("run", 0.0, started, [Case("verdict", "run", 0.0, outcome, summary.verdict, reasons)])


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
