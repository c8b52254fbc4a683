"""`voice-harness validate` and `schema`: checks scenarios without calls, and prints their schema for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from harness.cli.options import ScenarioPaths, SetOption
from harness.errors import UsageError, each_of, raise_all
from harness.text.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.caller.prepare import Prepared
    from harness.scenario.load import LoadedScenario


def validate(scenarios: ScenarioPaths, sets: SetOption = None) -> int:
    """Check scenarios, fixtures and thresholds without making calls; list every problem and every valid scenario.

    It shows where the voice of own WAVs is. Exit codes: 0 all can be followed, 2 something cannot.
    """
    import asyncio

    from harness.run.reading import read_each_scenario

    loaded, problems = read_each_scenario(scenarios, sets)
    if not sets:  # with --set, the values in the file may not be the ones used
        problems += _speech_of_the_others(scenarios, loaded)
    told: set[str] = set()

    def say(line: str) -> None:
        if line not in told:
            told.add(line)
            typer.echo(line)

    some_unknown = bool(problems)
    shown: set[Path] = set()
    for scenario in loaded:
        try:
            prepared = asyncio.run(_check(scenario, loaded, say, some_unknown=some_unknown))
        except UsageError as problem:
            problems += each_of(problem)
            continue
        turns = sum(step.kind != "wait" for step in scenario.model.turns)
        typer.echo(f"ok  {scenario.path}  {scenario.name}: {counted(turns, 'turn')}")
        _show_voices(prepared, shown)
    raise_all(problems)
    return 0


def _show_voices(prepared: Prepared, shown: set[Path]) -> None:
    """Prints where the voice in the user's WAVs is, each once; shipped fixtures are known to be right."""
    from harness.cli.looks import show
    from harness.utterances.find import shipped_folder
    from harness.utterances.picture import look_at

    for said in prepared.speech:
        if said is not None and said.path is not None and said.path not in shown:
            shown.add(said.path)
            if said.path.parent != shipped_folder():
                show(said.path.name, look_at(said))


def _speech_of_the_others(paths: Sequence[Path], loaded: Sequence[LoadedScenario]) -> list[UsageError]:
    """Returns the errors of fixtures in files that are not valid scenarios for other reasons."""
    from harness.caller.prepare import speech_problems
    from harness.scenario.load import scenario_files

    known = {scenario.path for scenario in loaded}
    files, _ = scenario_files([path for path in paths if path.exists()])
    return [problem for file in files if file not in known for problem in speech_problems(file)]


async def _check(
    scenario: LoadedScenario, others: Sequence[LoadedScenario], say: Callable[[str], None], *, some_unknown: bool
) -> Prepared:
    """Checks one scenario's thresholds, fixtures and texts.

    Args:
        scenario: The scenario to check.
        others: All valid scenarios, since a threshold may be on the calls of another one.
        say: Prints a note.
        some_unknown: Whether there are more scenarios, which are not valid.

    Raises:
        UsageError: Everything that is wrong with it.
    """
    from harness.caller.prepare import prepare
    from harness.judge.thresholds import check_possible, scenario_thresholds
    from harness.target.target import Target

    problems: list[UsageError] = []
    thresholds = scenario_thresholds(scenario.model, scenario.place, alone=len(others) == 1)
    if some_unknown:
        names = {other.name for other in others}
        thresholds = [each for each in thresholds if dict(each.ref.tags).get("scenario", scenario.name) in names]
    try:
        check_possible(thresholds, [other.model for other in others])
    except UsageError as problem:
        problems += each_of(problem)
    ready: Sequence[Prepared] = ()
    try:
        ready = await prepare([scenario], Target(name="any", kind="embedded"), agent=None, say=say, speak=False)
    except UsageError as problem:
        problems += each_of(problem)
    raise_all(problems)
    return ready[0]


def schema() -> int:
    """Print the JSON Schema of a scenario, for editors."""
    import json

    from harness.scenario.schema import scenario_schema

    typer.echo(json.dumps(scenario_schema(), indent=2))
    return 0
