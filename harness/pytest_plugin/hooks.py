"""The hooks that pytest calls.

Loading this imports nothing but pytest; the rest of the harness is imported by the first scenario or call. Options and
fixtures begin with `voice`, and so do the names in pytest's configuration.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.collect import ScenarioFile, is_scenario
from harness.pytest_plugin.options import add_options
from harness.pytest_plugin.state import MARKER, STATE, State, state_of
from harness.pytest_plugin.statuses import mark, status_of, summarise, too_many

if TYPE_CHECKING:
    from harness.testing.voice_call import VoiceCall

_FIXTURE = "voice_call"
_NO_ASYNC_PLUGIN = "async def function"
_HOW_ASYNC = (
    "no plugin runs this async test, so nothing was called\n"
    "  hint: install pytest-asyncio and set asyncio_mode = auto (or mark the test with pytest.mark.asyncio), "
    "use anyio's pytest.mark.anyio, or write an ordinary test with voice_call.now(…)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Makes the state of this process; it is closed whatever ends pytest, Ctrl-C among it."""
    config.addinivalue_line("markers", f"{MARKER}: makes calls of a voice agent (set by voice-harness)")
    state = config.stash[STATE] = State(config)
    config.add_cleanup(state.close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of xdist how to get the stack that all workers share."""
    state_of(node.config).share_with(node.workerinput)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Says who is called, in projects that say so, and whether by too many workers."""
    state = state_of(config)
    if not state.options.are_used:
        return []
    wanted = getattr(config.option, "numprocesses", None)
    said = [f"voice-harness: target {state.options.target}"] if state.options.target else []
    return [*said, *too_many(wanted if isinstance(wanted, int) else 0)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects a scenario's file."""
    if is_scenario(file_path, parent.config):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks tests that use the fixture, so that `-m 'not voice'` leaves out all that call."""
    if _FIXTURE in getattr(item, "fixturenames", ()):
        item.add_marker(MARKER)


@pytest.fixture
def voice_call(request: pytest.FixtureRequest) -> VoiceCall:
    """Makes calls of a voice agent; `harness.testing.VoiceCall` says how."""
    __tracebackhide__ = True
    state = state_of(request.config)
    state.ready(None)
    return state.calls_of(request.node)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Says how to run an async test that nothing runs. Older versions of pytest skip such a test; here it fails."""
    if _FIXTURE not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(inspect.unwrap(pyfuncitem.obj)):
        return (yield)
    try:
        return (yield)
    except (pytest.fail.Exception, pytest.skip.Exception) as problem:
        if _NO_ASYNC_PLUGIN not in str(problem):
            raise
    pytest.fail(_HOW_ASYNC, pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to a test's report what its calls say; outermost, so after what marks an expected failure."""
    report = yield
    mark(report, item, call)
    return report


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Counts unfit and unreachable apart from failed."""
    return status_of(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what is counted apart."""
    summarise(terminalreporter, state_of(terminalreporter.config))
