"""What a project pays that has the harness installed and does not use it."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points

import pytest

from harness.pytest_plugin.statuses import too_many
from tests.pytest_plugin.project import ROOT


def test_loading_the_plugin_imports_nothing_but_the_plugin() -> None:
    code = (
        "import sys, pytest\nbefore = set(sys.modules)\nimport harness.pytest_plugin.hooks\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "harness.pytest_plugin.hooks" in told
    others = [name for name in told.split() if name != "harness" and not name.startswith("harness.pytest_plugin")]
    assert others == []


def test_more_workers_than_cores_are_warned_of_where_the_agent_is_called() -> None:
    assert list(too_many(1)) == []
    [line] = too_many(10_000)
    assert "10000 workers make calls at once" in line


def test_the_entry_point_names_the_hooks() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        named = tomllib.load(file)["project"]["entry-points"]["pytest11"]
    assert named == {"voice_harness": "harness.pytest_plugin.hooks"}
    hooks = importlib.import_module(named["voice_harness"])
    assert hasattr(hooks, "pytest_addoption")
    for installed in entry_points(group="pytest11", name="voice_harness"):
        assert installed.value == named["voice_harness"]


def test_all_options_and_names_in_the_configuration_begin_with_voice() -> None:
    from harness.pytest_plugin.options import add_options

    parser = pytest.Parser(_ispytest=True)
    add_options(parser)
    names = [name for option in parser._anonymous.options for name in option.names()]
    names += [name for group in parser._groups for option in group.options for name in option.names()]
    assert sorted(names) == sorted(
        f"--voice-{name}" for name in ("target", "agent", "engine", "record", "out", "retry-unfit")
    )
    assert all(name.startswith("voice_") for name in parser._inidict)
