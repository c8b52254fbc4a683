"""`voice-harness validate` and `schema`: checks scenarios without calls, and prints schemas of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import ScenarioPaths, SetOption
from harness.errors import UsageError, each_of, raise_all
from harness.text.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.caller.prepare import Prepared
    from harness.scenario.load import Found, LoadedScenario


def validate(scenarios: ScenarioPaths, sets: SetOption = None) -> int:
    """Check scenarios, fixtures and thresholds without making calls; list every problem and every valid scenario.

    It shows where the voice of own WAVs is. Exit codes: 0 all can be followed, 2 something cannot.
    """
    import asyncio

    from harness.run.reading import read_each_scenario

    found = read_each_scenario(scenarios, sets)
    problems = list(found.problems)
    told: set[str] = set()

    def say(line: str) -> None:
        if line not in told:
            told.add(line)
            typer.echo(line)

    shown: set[Path] = set()
    for scenario in found.valid:
        try:
            prepared = asyncio.run(_check(scenario, found, say))
        except UsageError as problem:
            problems += each_of(problem)
            continue
        turns = sum(step.kind != "wait" for step in scenario.model.turns)
        typer.echo(f"ok  {scenario.path}  {scenario.name}: {counted(turns, 'turn')}")
        _show_voices(prepared, shown)
    for scenario in found.others:
        try:
            asyncio.run(_check(scenario, found, say))
        except UsageError as problem:
            problems += each_of(problem)
    raise_all(problems)
    return 0


def _show_voices(prepared: Prepared, shown: set[Path]) -> None:
    """Prints where the voice in the user's WAVs is, each once; shipped fixtures are known to be right."""
    from harness.cli.pictures import show
    from harness.utterances.find import shipped_folder
    from harness.utterances.picture import picture_of

    for said in prepared.speech:
        if said is not None and said.path is not None and said.path not in shown:
            shown.add(said.path)
            if said.path.parent != shipped_folder():
                show(said.path.name, picture_of(said))


async def _check(scenario: LoadedScenario, found: Found, say: Callable[[str], None]) -> Prepared:
    """Checks one scenario's thresholds, fixtures and texts.

    Args:
        scenario: The scenario to check, or what fits of it.
        found: All scenarios, since a threshold may be on the calls of another one.
        say: Prints a note.

    Raises:
        UsageError: Everything that is wrong with it.
    """
    from harness.caller.prepare import prepare
    from harness.target.target import Target

    problems: list[UsageError] = []
    try:
        _check_thresholds(scenario, found)
    except UsageError as problem:
        problems += each_of(problem)
    ready: Sequence[Prepared] = ()
    try:
        ready = await prepare([scenario], Target(name="any", kind="embedded"), agent=None, say=say, speak=False)
    except UsageError as problem:
        problems += each_of(problem)
    raise_all(problems)
    return ready[0]


def _check_thresholds(scenario: LoadedScenario, found: Found) -> None:
    """Checks that samples for a scenario's thresholds are possible, as far as that is known."""
    from harness.judge.thresholds import check_possible, scenario_thresholds

    if any(keys[0] in ("turns", "greeting") for keys in scenario.left_out):
        return  # what is left out might give the samples
    known = [scenario, *(other for other in found.valid if other is not scenario)]
    thresholds = scenario_thresholds(scenario.model, scenario.place, alone=len(known) == 1)
    if found.problems:
        names = {each.name for each in known}
        thresholds = [each for each in thresholds if dict(each.ref.tags).get("scenario", scenario.name) in names]
    check_possible(thresholds, [each.model for each in known])


def schema(
    report: Annotated[
        bool, typer.Option("--report", help="Print the schema of what report --json prints instead.")
    ] = False,
    comparison: Annotated[
        bool, typer.Option("--comparison", help="Print the schema of comparison.json and compare --json instead.")
    ] = False,
) -> int:
    """Print the JSON Schema of a scenario, for editors."""
    import json

    from harness.record.comparison import comparison_schema
    from harness.report.published import published_schema
    from harness.scenario.schema import scenario_schema

    if report and comparison:
        raise UsageError("--report and --comparison cannot be combined", hint="remove one of them")
    printed = published_schema() if report else comparison_schema() if comparison else scenario_schema()
    typer.echo(json.dumps(printed, indent=2))
    return 0
