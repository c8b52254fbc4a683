"""How tests are written: none is another's library, and none sleeps to wait."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SLEEPS = {
    "virtual time, in which no time passes": {
        "call/test_ear.py::test_who_waits_is_woken_by_an_edge_and_not_before_the_deadline_else",
        "call/test_script.py::test_a_reply_that_cannot_be_told_from_the_greeting_before_it_says_so",
        "call/world.py::LoopClock",
        "call/world.py::World",
        "transport/test_pacer.py::test_each_job_is_called_once_in_20_ms_by_absolute_deadlines_and_listening_comes_last",
        "transport/test_pacer.py::test_what_was_missed_for_long_is_left_out",
    },
    "the stimulus: an event loop that is busy": {
        "call/engines/test_gate.py::test_a_loop_that_is_busy_is_waited_for_and_not_without_end",
    },
    "the stimulus: a datagram that is read long after it came": {
        "transport/test_udp.py::test_media_goes_past_the_protocol_with_the_time_at_which_it_came",
    },
    "between two looks at a file that another process writes": {
        "benchmarks/sides.py::OurCalls",
        "browser/call_page.py::until",
        "stack/agents/calling.py::Process",
    },
    "between two looks at processes that begin or end": {
        "benchmarks/test_long_load.py::the_one",
        "load/bridge_calls.py::wait_until",
    },
    "benchmarks: they measure a stretch of time, and start calls at a pace": {
        "benchmarks/sides.py::OurCalls",
        "benchmarks/test_on_time.py::holds",
        "benchmarks/test_scale.py::cost",
        "benchmarks/test_service_bench.py::sessions",
    },
}
"""Places (`file::function or class`) that may sleep, by the reason."""


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Every name that is imported, with that of its module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def sleeps_of(tree: ast.Module) -> Iterator[str]:
    """The functions and classes of a module that sleep; `sleep(0)` is a turn of the event loop, no time."""
    for top in tree.body:
        calls = [node for node in ast.walk(top) if isinstance(node, ast.Call)]
        sleeps = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "sleep"]
        if any([ast.unparse(argument) for argument in call.args] != ["0"] for call in sleeps):
            yield getattr(top, "name", "")


@functools.cache
def modules() -> list[tuple[str, ast.Module]]:
    return [
        (path.relative_to(TESTS).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(TESTS.rglob("*.py"))
    ]


def test_no_test_file_is_a_library_of_another() -> None:
    borrowed = [
        f"{name} imports {imported}"
        for name, tree in modules()
        for imported in imports_of(tree)
        if any(part.startswith("test_") for part in imported.split("."))
    ]
    assert not borrowed, "move what is shared to a module of its own, named after what it holds"


def test_files_of_tests_have_names_of_their_own() -> None:
    # Without a package around them, pytest imports two files of one name as one module.
    seen: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        if not (path.parent / "__init__.py").exists() and "benchmarks" not in path.parts:
            seen.setdefault(path.name, []).append(path.relative_to(TESTS).as_posix())
    assert {name: files for name, files in seen.items() if len(files) > 1} == {}


def test_no_test_sleeps_to_wait() -> None:
    sleeping = {f"{name}::{place}" for name, tree in modules() for place in sleeps_of(tree)}
    allowed = set[str]().union(*SLEEPS.values())
    assert sleeping - allowed == set(), "wait for what is to happen; a sleep that is the stimulus has its reason above"
    assert allowed - sleeping == set(), "these sleep no more"


@pytest.mark.parametrize(
    ("code", "imported"),
    [
        ("import tests.load.test_board", "tests.load.test_board"),
        ("from tests.load import test_board", "tests.load.test_board"),
        ("from .test_board import Load", "test_board.Load"),
        ("def later():\n    from . import test_board", ".test_board"),
    ],
)
def test_every_form_of_import_is_seen(code: str, imported: str) -> None:
    assert list(imports_of(ast.parse(code))) == [imported]


def test_every_form_of_sleep_is_seen() -> None:
    code = "async def f():\n await asyncio.sleep(0)\nclass C:\n def m(self):\n  time.sleep(1)\nsleep(2)\n"
    assert list(sleeps_of(ast.parse(code))) == ["C", ""]
