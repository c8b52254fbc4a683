"""In CI a skipped test fails the run: what was not tested must not look tested.

Each failure is named as it happens, in one line: a log of which only a part is kept, or of a run that never came to its
summary, says so what broke.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from harness.machine.networks import NO_NETWORK, has_network
from tests.golden import Golden

_MESSAGE_LIMIT = 200
_skipped: list[str] = []
_terminal: list[pytest.TerminalReporter] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden files as things are now.")


@pytest.fixture(scope="session")
def golden(pytestconfig: pytest.Config) -> Golden:
    return Golden(update=bool(pytestconfig.getoption("--update-golden")))


@pytest.hookimpl(trylast=True)  # once the terminal's own plugin is there
def pytest_configure(config: pytest.Config) -> None:
    # What starts a job in the background (nohup, a shell's `&`) may have it ignore SIGINT, and processes inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    found = config.pluginmanager.get_plugin("terminalreporter")
    _terminal[:] = [found] if found is not None else []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)
    if report.failed:
        _tell_at_once(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)
    if report.failed:
        _tell_at_once(report)


def _tell_at_once(report: pytest.TestReport | pytest.CollectReport) -> None:
    stage = f" ({report.when})" if report.when in ("setup", "teardown") else ""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash is not None else report.longreprtext).strip().splitlines() or [""]
    # The first line of what was raised; where there is only a text (an import that failed), the last, which has it.
    message = " ".join((lines[0] if crash is not None else lines[-1]).split())[:_MESSAGE_LIMIT]
    for terminal in _terminal:
        terminal.write(
            "\n"
        ) if terminal.verbosity < 0 else terminal.ensure_newline()  # with -q dots have no file's name
        terminal.write_line(f"FAILED NOW {report.nodeid}{stage}: {message}", red=True)
        if not has_network(ipv6=False):
            terminal.write_line(f"  {NO_NETWORK}", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if os.environ.get("CI") and _skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("CI") and _skipped:
        terminalreporter.section("skipped, and CI must run them", red=True)
        for name in _skipped:
            terminalreporter.line(name)


@pytest.fixture
def disk_full_at() -> Callable[[int], AbstractContextManager[None]]:
    """A disk on which no file can grow beyond so many bytes, while the context lasts.

    Not for the whole test: pytest's own output, written at its end, may be a file too.
    """

    @contextmanager
    def full_at(size: int) -> Iterator[None]:
        old_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, old_limit[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
            signal.signal(signal.SIGXFSZ, old_handler)

    return full_at
