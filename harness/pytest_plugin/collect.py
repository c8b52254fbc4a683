"""Scenario files as tests: which YAML files are scenarios, and the test of each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.state import MARKER, state_of

if TYPE_CHECKING:
    from harness.errors import HarnessError, UsageError
    from harness.scenario.load import LoadedScenario

_SUFFIXES = (".yaml", ".yml")
_HAS_TURNS = re.compile(rb"^[\"']?turns[\"']?[ \t]*:", re.MULTILINE)
# Markers by which pytest itself acts: a tag must not skip a test or excuse its failure.
_PYTESTS_OWN = frozenset({"filterwarnings", "parametrize", "skip", "skipif", "usefixtures", "xfail"})
_MARKER_NAME = re.compile(r"[^\W_][\w.+/-]*")


def is_scenario(file: Path, config: pytest.Config) -> bool:
    """Whether a file is a scenario. Other projects have YAML files too, which are none of ours.

    A file is one if the configuration (`voice_scenarios`) names it or a folder that it is in. A file with a top-level
    key `turns` is one if the command line names it, or a folder that it is in along with --voice-target.
    """
    if file.suffix not in _SUFFIXES:
        return False
    state = state_of(config)
    if any(file == each or each in file.parents for each in state.options.scenarios):
        return True
    in_named_folder = any(each in file.parents for each in state.named)
    if file not in state.named and not (in_named_folder and config.getoption("voice_target")):
        return False
    try:
        return _HAS_TURNS.search(file.read_bytes()) is not None
    except OSError:
        return False


class ScenarioFile(pytest.File):
    """A scenario's file; it has one test."""

    def collect(self) -> Iterable[ScenarioItem]:
        """Yields the test.

        Raises:
            CollectError: The scenario is invalid; names each error's line, with a hint.
        """
        from harness.errors import UsageError

        try:
            loaded, problems = _loaded(self.path)
        except UsageError as wrong:
            raise self.CollectError(shown(str(wrong), self.config)) from None
        yield ScenarioItem.from_parent(self, name=loaded.name, loaded=loaded, problems=problems)


def _loaded(path: Path) -> tuple[LoadedScenario, Sequence[UsageError]]:
    """Returns the scenario and what hinders calling it here: an environment variable that is not set.

    That is no error of the file: the test may not even be selected.

    Raises:
        UsageError: The scenario is invalid.
    """
    from harness.errors import raise_all
    from harness.scenario.load import UnsetVariableError, find_scenarios

    found = find_scenarios([path], env=os.environ)
    if found.valid:
        return found.valid[0], ()
    if found.others and all(isinstance(problem, UnsetVariableError) for problem in found.problems):
        return found.others[0], found.problems
    raise_all(found.problems)
    raise AssertionError("a file without a scenario has an error")


class ScenarioItem(pytest.Item):
    """The test of one scenario: a call, which has to pass.

    Args:
        loaded: The scenario.
        problems: Why it cannot be called here.
    """

    def __init__(self, *, loaded: LoadedScenario, problems: Sequence[UsageError], **rest: Any) -> None:
        super().__init__(**rest)
        self.loaded = loaded
        self._problems = problems
        self.add_marker(MARKER)
        for tag in loaded.model.tags:
            self._add_tag(tag)

    def _add_tag(self, tag: str) -> None:
        self.extra_keyword_matches.add(tag)
        if tag in _PYTESTS_OWN or _MARKER_NAME.fullmatch(tag) is None:
            return
        self.config.addinivalue_line("markers", f"{tag}: a tag of a scenario")  # known to --strict-markers
        self.add_marker(tag)

    def setup(self) -> None:
        """Gets the target ready: an embedded stack is started if no test has needed it yet."""
        from harness.errors import UsageError, raise_all

        try:
            raise_all(self._problems)
        except UsageError as problem:
            raise with_short_paths(problem, self.config) from None
        state_of(self.config).ready(self.loaded.model.agent)

    def runtest(self) -> None:
        """Makes the call.

        Raises:
            CallOutcome: It did not pass.
        """
        state_of(self.config).calls_of(self).scenario(self.loaded)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, without our own code's traceback."""
        from harness.errors import HarnessError

        if isinstance(excinfo.value, HarnessError):
            return excinfo.getrepr(style="value")
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file, and how reports name the test."""
        return self.path, 0, f"scenario: {self.name}"


def shown(text: str, config: pytest.Config) -> str:
    """A text with paths as pytest shows them: from the root."""
    return text.replace(f"{config.rootpath}/", "")


def with_short_paths(problem: HarnessError, config: pytest.Config) -> HarnessError:
    """An error whose places are shown as pytest shows them, and without the traceback of our own code."""
    for each in (problem, *getattr(problem, "errors", ())):
        each.where = None if each.where is None else shown(str(each.where), config)
    return problem.with_traceback(None)


def scenario_files(named: Iterable[Path]) -> Iterator[Path]:
    """The scenarios' files among files and folders, with those in folders of folders, in order."""
    for path in named:
        inside = path.rglob("*") if path.is_dir() else [path]
        yield from sorted(file for file in inside if file.suffix in _SUFFIXES)
