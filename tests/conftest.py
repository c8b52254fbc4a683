"""In CI a skipped test fails the run; and which tests may run side by side."""

from __future__ import annotations

import os

import pytest

_skipped: list[str] = []


def pytest_configure() -> None:
    """The worker that has the live tests comes first: it measures, the other one computes."""
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0":
        os.nice(10)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of one stack go first and together; of the others, those of one file stay together."""
    items.sort(key=lambda item: "live" not in item.path.parent.name)
    for item in items:
        live = item.path.parent.name == "live"
        item.add_marker(pytest.mark.xdist_group("the stack" if live else str(item.path)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if os.environ.get("CI") and _skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("CI") and _skipped:
        terminalreporter.section("skipped, and CI must run them", red=True)
        for name in _skipped:
            terminalreporter.line(name)
