"""The calls of one test: the fixture `voice_call`, and where the runs are kept."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError, UsageError
from harness.pytest_plugin.collect import scenario_files, shown, with_short_paths
from harness.pytest_plugin.session import Session, Wanted
from harness.record.recorded_run import RecordedRun
from harness.run.finish import discard_recordings
from harness.run.reading import read_scenarios
from harness.scenario.by_value import scenario_by_value
from harness.scenario.load import LoadedScenario, parse_set
from harness.scenario.shipped import shipped_scenarios
from harness.testing.outcomes import CallOutcome, FellShort, Unfit, Unreachable
from harness.testing.voice_result import VoiceResult, files_of, lines_of, result_of
from harness.text.plain_text import one_line

if TYPE_CHECKING:
    from harness.scenario.model import Scenario

    AnyScenario = str | os.PathLike[str] | Scenario | Mapping[str, Any]

_NAME = re.compile(rb"^name[ \t]*:[ \t]*[\"']?([\w.-]+)", re.MULTILINE)
_LONGEST_NAME = 100
_UNFIT_HINT = (
    "call again with less beside it (pytest -n 1), or let --voice-retry-unfit N repeat such calls; "
    "`voice-harness doctor` says what of this machine spoils a measurement"
)
_NO_ASYNCIO = "voice_call needs the event loop of asyncio"
_HOW_WITHOUT = "with anyio let the fixture anyio_backend return 'asyncio'; or write voice_call.now(…), without await"


class Calls:
    """The calls of one test; see `harness.testing.VoiceCall`.

    Args:
        session: What the calls of this process share.
        item: The test.
        runs: The folder of the run directories.
        scenarios: The files and folders of the project's scenarios.
    """

    def __init__(self, session: Session, item: pytest.Item, *, runs: Path, scenarios: Sequence[Path]) -> None:
        self._session = session
        self._item = item
        self._runs = runs
        self._scenarios = scenarios
        self._droppable: list[Path] = []
        self.results: list[VoiceResult] = []

    def __repr__(self) -> str:
        return "<voice_call>"

    async def __call__(
        self,
        scenario: AnyScenario,
        *,
        agent: str | None = None,
        sets: Sequence[str] = (),
        engine: str | None = None,
        check: bool = True,
    ) -> VoiceResult:
        """See `VoiceCall`."""
        __tracebackhide__ = True
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError(_NO_ASYNCIO, hint=_HOW_WITHOUT) from None
        try:
            wanted = self._wanted(scenario, agent=agent, sets=sets, engine=engine)
            target = await asyncio.to_thread(self._session.ready, agent or wanted.loaded.model.agent)
            run = await self._session.make_beside(wanted, target)
        except HarnessError as problem:
            raise self._not_made(problem) from None
        return self._judged(run, check=check)

    def now(
        self,
        scenario: AnyScenario,
        *,
        agent: str | None = None,
        sets: Sequence[str] = (),
        engine: str | None = None,
        check: bool = True,
    ) -> VoiceResult:
        """See `VoiceCall`."""
        __tracebackhide__ = True
        try:
            run = self._session.make(self._wanted(scenario, agent=agent, sets=sets, engine=engine))
        except HarnessError as problem:
            raise self._not_made(problem) from None
        return self._judged(run, check=check)

    def scenario(self, loaded: LoadedScenario) -> VoiceResult:
        """Calls a scenario that is a test of its own; its result decides at once whether the recording is kept."""
        out = self._new_folder(loaded.name)
        wanted = Wanted(loaded, None, None, keep_sound=False, out=out, test=self._item.nodeid)
        try:
            run = self._session.make(wanted)
        except HarnessError as problem:
            raise self._not_made(problem) from None
        return self._judged(run, check=True)

    def _wanted(self, scenario: AnyScenario, *, agent: str | None, sets: Sequence[str], engine: str | None) -> Wanted:
        loaded = self._loaded(scenario, sets)
        name = f"{self._item.path.stem}-{self._item.name}"
        return Wanted(loaded, agent, engine, keep_sound=True, out=self._new_folder(name), test=self._item.nodeid)

    def _loaded(self, scenario: AnyScenario, sets: Sequence[str]) -> LoadedScenario:
        if isinstance(scenario, str | os.PathLike):
            return read_scenarios([self._found(os.fspath(scenario))], sets)[0]
        return scenario_by_value(
            scenario,
            sets=[parse_set(text) for text in sets],
            folder=self._item.path.parent,
            where=self._item.nodeid,
            env=os.environ,
        )

    def _found(self, text: str) -> Path:
        """The file of a scenario by its path or name.

        Raises:
            UsageError: There is none, or there are several.
        """
        if text.endswith((".yaml", ".yml")):
            folders = (self._item.path.parent, self._item.config.rootpath)
            return next((folder / text for folder in folders if (folder / text).exists()), folders[0] / text).resolve()
        own = [file for file in scenario_files(self._scenarios) if text in (file.stem, _name_in(file))]
        if len(own) > 1:
            named = ", ".join(map(str, own))
            raise UsageError(f"the scenario {text!r} is in several files: {named}", hint="give the path of one of them")
        if own:
            return own[0]
        shipped = shipped_scenarios()
        if text in shipped:
            return shipped[text]
        where = ", ".join(map(str, self._scenarios)) or "the ini option voice_scenarios, which is not set"
        raise UsageError(
            f"there is no scenario {text!r} in {where}; shipped are {', '.join(shipped)}",
            hint="name a scenario, or give a path that ends in .yaml",
        )

    def _new_folder(self, name: str) -> Path:
        """A new, empty folder by this name; creating it is atomic, so that other workers get one of their own."""
        name = re.sub(r"[^\w.-]+", "-", name)[:_LONGEST_NAME].strip("-.") or "call"
        self._runs.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            folder = self._runs / (name if number == 1 else f"{name}-{number}")
            with suppress(FileExistsError):
                folder.mkdir()
                return folder
            number += 1

    def _not_made(self, problem: HarnessError) -> HarnessError:
        """The error as a test shall raise it: without our own traceback."""
        if problem.exit_code == Unreachable.exit_code and not isinstance(problem, CallOutcome):
            return Unreachable(problem.what, hint=problem.hint)
        return with_short_paths(problem, self._item.config)

    def _judged(self, run: RecordedRun, *, check: bool) -> VoiceResult:
        __tracebackhide__ = True
        result = result_of(run)
        self.results.append(result)
        if result.recording is not None and run.settings.record == "all":
            self._droppable.append(result.folder)
        what = shown("\n".join(lines_of(result)), self._item.config)
        if result.verdict == "unfit":
            raise Unfit(what, hint=_UNFIT_HINT, result=result)
        if result.verdict == "infrastructure":
            raise Unreachable(what, result=result)
        if check and not result.passed:
            raise FellShort(what, result=result)
        return result

    def properties(self, *, failed: bool) -> list[tuple[str, str]]:
        """The properties of the test in JUnit: where the reports are and, if it failed, the recordings."""
        found = [("voice_report", str(result.report)) for result in self.results]
        recordings = [result.recording for result in self.results if failed and result.recording is not None]
        return found + [("voice_recording", str(recording)) for recording in recordings]

    def sections(self, *, told: bool) -> list[tuple[str, str]]:
        """The sections of a failed test's report, one for each call.

        Args:
            told: Whether the failure itself tells what was wrong with the last call.
        """
        sections = []
        for result in self.results:
            lines = files_of(result) if told and result is self.results[-1] else (*lines_of(result), *files_of(result))
            title = f"voice call {one_line(result.scenario)}"
            sections.append((title, shown("\n".join(lines), self._item.config)))
        return sections

    def over(self, *, passed: bool) -> None:
        """Removes recordings that only a failed test keeps."""
        for folder in self._droppable if passed else ():
            with suppress(HarnessError):  # a disk that is full by now: the recording stays
                discard_recordings(folder)
        self._droppable.clear()


def _name_in(file: Path) -> str | None:
    """The name that a scenario's file gives it."""
    try:
        found = _NAME.search(file.read_bytes())
    except OSError:
        return None
    return found[1].decode() if found else None
