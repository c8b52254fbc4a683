"""How calls that did not pass are shown: unfit and unreachable apart from failed, each with report and recording."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

import pytest

from harness.pytest_plugin.collect import ScenarioItem
from harness.pytest_plugin.state import CALLS, State

# As outcomes of a call name themselves (`harness.testing.CallOutcome.status`): letter and word in pytest's progress.
APART = {"unfit": ("U", "UNFIT"), "unreachable": ("N", "UNREACHABLE")}
_STATUS = "voice_status"
_FIT_HINT = "unfit says nothing about the agent: the machine was too busy to measure"


def mark(report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Adds to the report of a test's phase what its calls say."""
    status = _status_of_call(call)
    if status in APART and call.excinfo is not None:
        # An expected failure is one of the agent, and nothing that was not measured.
        report.outcome = "failed"
        if hasattr(report, "wasxfail"):
            del report.wasxfail
        report.longrepr = item.repr_failure(call.excinfo)
        setattr(report, _STATUS, status)
    elif isinstance(item, ScenarioItem) and call.excinfo is not None and report.failed:
        report.longrepr = item.repr_failure(call.excinfo)  # pytest asks for it only in the phase `call`
    properties = [(_STATUS, status)] if status and report.failed else []
    made = item.stash.get(CALLS, None)
    if made is not None and report.when == "call":
        properties += made.properties(failed=report.failed)
        if report.failed:
            report.sections += made.sections(told=bool(status))
        made.over(passed=report.passed)
    report.user_properties += properties
    item.user_properties += properties  # JUnit's are those of the report on the teardown


def _status_of_call(call: pytest.CallInfo[None]) -> str:
    outcomes = sys.modules.get("harness.testing.outcomes")
    if outcomes is None or call.excinfo is None or not isinstance(call.excinfo.value, outcomes.CallOutcome):
        return ""
    return str(call.excinfo.value.status)


def status_of(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Category, letter and word of a report that is counted apart; None for all others."""
    status = getattr(report, _STATUS, None)
    if status not in APART or not report.failed:
        return None
    letter, word = APART[status]
    return status, letter, (word, {"yellow": True})


def summarise(terminal: pytest.TerminalReporter, state: State) -> None:
    """Prints the failures that are counted apart, which pytest's own sections leave out."""
    config = terminal.config
    for status, (_, word) in APART.items():
        reports: list[pytest.TestReport] = terminal.stats.get(status, [])
        if not reports:
            continue
        terminal.section(word, sep="=", bold=True)
        for report in reports:
            if config.getoption("tbstyle") == "no":
                continue
            terminal.section(report.head_line or report.nodeid, sep="_", yellow=True, bold=True)
            report.toterminal(config.get_terminal_writer())
            for title, content in report.sections:
                if title.startswith("voice call"):
                    terminal.section(title, sep="-")
                    terminal.write_line(content)
        for report in reports:
            terminal.write_line(f"{word} {report.nodeid} - {_first_line(report)}")
        if status == "unfit":
            terminal.write_line("\n".join([_FIT_HINT, *too_many(state.workers)]))
    if state.fall is not None:
        terminal.write_line(f"voice-harness: {state.fall}", red=True)


def _first_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    line = next(iter(text.splitlines()), "")
    return re.sub(r"^harness\.testing\.\w+: ", "", line)


def too_many(workers: int) -> Iterator[str]:
    """Yields a line if more calls run at once than there are cores; docs/pytest.md says why that is the limit."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers > cores:
        yield (
            f"voice-harness: {workers} workers make calls at once on {cores} cores, which may make them unfit; "
            f"use -n {cores} or less"
        )
