"""Options that mean the same in every command, and how their values are read."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError, each_of, raise_all
from harness.secret import forget_keys

if TYPE_CHECKING:
    from harness.caller.recorded_call import RecordMode
    from harness.judge.thresholds import Threshold
    from harness.recordings.two_channels import Side
    from harness.scenario.load import LoadedScenario
    from harness.target.target import Target

ScenarioPaths = Annotated[
    list[Path],
    typer.Argument(metavar="SCENARIO…", help="Scenario files, folders of them, or a shipped one's name: smoke."),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target", metavar="NAME|URL|embedded", help="Whom to call: a name in voice-harness.toml, a URL, or embedded."
    ),
]
AgentOption = Annotated[
    str | None, typer.Option("--agent", metavar="ID", help="The agent's id, before the scenario's own.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the scenario, such as session.language=fr."),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Where the run is written; a new folder in reports/ if left out."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine", metavar="sdk|light", help="Who carries the media: LiveKit's SDK, or packets at the socket: cheaper."
    ),
]
RecordOption = Annotated[str, typer.Option("--record", metavar="none|failed|all", help="Which calls' audio is kept.")]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option("--threshold", metavar="'METRIC: LIMIT'", help="Such as 'turn.ttfa: p(95)<1500ms'."),
]
JunitOption = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the JUnit report there as well.")
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Print every event of every call.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print only failures and the verdict.")]
COMMAND_LINE = "--threshold"


def resolve_target(option: str | None) -> Target:
    """The target that is meant, by the option, voice-harness.toml and the environment, which holds no key afterwards.

    Raises:
        ConfigError: None is named where one must be, or it is not usable.
    """
    from harness.target.choose import choose_target
    from harness.target.config import find_config, load_config

    path = find_config(Path.cwd())
    config = load_config(path) if path else None
    for warning in config.warnings if config else ():
        typer.echo(f"warning: {warning}", err=True)
    target = choose_target(option, config=config, env=os.environ)
    forget_keys(os.environ, target.api_key)
    for note in target.notes:
        typer.echo(f"note: {note}", err=True)
    return target


def read_record(text: str) -> RecordMode:
    """The value of --record.

    Raises:
        UsageError: It is none of the three.
    """
    match text:
        case "none" | "failed" | "all":
            return text
        case _:
            raise UsageError(f"--record must be none, failed or all (got {text!r})")


def read_side(text: str) -> Side:
    """The value of --caller.

    Raises:
        UsageError: It is neither side.
    """
    match text:
        case "left" | "right":
            return text
        case _:
            raise UsageError(f"--caller must be left or right (got {text!r})")


def read_scenarios(
    paths: Sequence[Path], sets: Sequence[str] | None, expression: str | None = None
) -> list[LoadedScenario]:
    """The scenarios of files and folders, with --set laid over them, chosen by -k.

    Raises:
        UsageError: A scenario cannot be followed, or nothing is left.
    """
    from harness.scenario.select import select

    loaded, problems = read_each_scenario(paths, sets)
    raise_all(problems)
    return select(loaded, expression) if expression else loaded


def read_each_scenario(
    paths: Sequence[Path], sets: Sequence[str] | None
) -> tuple[list[LoadedScenario], list[UsageError]]:
    """Those scenarios of files and folders that can be followed, and what is wrong with the others.

    Raises:
        UsageError: A --set cannot be read.
    """
    from harness.scenario.load import load_all, parse_set
    from harness.scenario.shipped import shipped_scenarios

    shipped = shipped_scenarios()
    # A bare name that is nothing here; whatever is here goes first.
    paths = [path if path.exists() else shipped.get(str(path), path) for path in paths]
    return load_all(paths, sets=[parse_set(text) for text in sets or []], env=os.environ)


def read_thresholds(
    scenarios: Sequence[LoadedScenario], options: Sequence[str] | None, engine: str = "sdk"
) -> list[Threshold]:
    """The scenarios' thresholds and those of the command line, checked to be possible.

    Raises:
        UsageError: One cannot be read, or no script can give its samples, or not this engine.
    """
    from harness.judge.thresholds import Threshold, check_possible, scenario_thresholds
    from harness.metrics.threshold import check_threshold, parse_threshold_option

    found, problems = [], []
    for loaded in scenarios:
        found.extend(scenario_thresholds(loaded.model, loaded.place, alone=len(scenarios) == 1))
    for text in options or []:
        try:
            found.append(Threshold(*check_threshold(*parse_threshold_option(text)), COMMAND_LINE))
        except ValueError as problem:
            problems.append(UsageError(str(problem), where=COMMAND_LINE))
    try:
        check_possible(found, [loaded.model for loaded in scenarios], engine=engine)
    except UsageError as problem:
        problems += each_of(problem)
    raise_all(problems)
    return found


def read_seed(option: int | None) -> int:
    """The value of --seed, or any."""
    return random.SystemRandom().randrange(2**31) if option is None else option


def read_duration(text: str | None, option: str) -> float | None:
    """A duration in seconds.

    Raises:
        UsageError: It is none.
    """
    from harness.parsing.durations import duration_s

    if text is None:
        return None
    try:
        return duration_s(text)
    except ValueError as problem:
        raise UsageError(str(problem), where=option) from None
