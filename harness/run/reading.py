"""Reads and checks what users name: a target, scenarios, thresholds; for commands and for scripts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.call.engines.make import DEFAULT_ENGINE, EngineName
from harness.errors import UsageError, each_of, raise_all
from harness.judge.thresholds import Threshold, check_possible, scenario_thresholds
from harness.metrics.threshold import check_threshold, parse_threshold_option
from harness.run.request import Request, chosen_seed
from harness.scenario.load import Found, LoadedScenario, find_scenarios, parse_set
from harness.scenario.select import select
from harness.scenario.shipped import shipped_scenarios
from harness.secret import forget_keys
from harness.stack.mcp_tokens import take_tokens
from harness.target.choose import choose_target
from harness.target.config import find_config, load_config
from harness.target.target import Target

COMMAND_LINE = "--threshold"
AGAINST_SET = "--against-set"


def read_target(option: str | None, *, warn: Callable[[str], None], folder: Path | None = None) -> Target:
    """As `read_targets`, for one target."""
    return read_targets(option, warn=warn, folder=folder)[0]


def read_targets(
    option: str | None, against: str | None = None, *, warn: Callable[[str], None], folder: Path | None = None
) -> list[Target]:
    """Chooses targets by options, voice-harness.toml and the environment; removes keys from the environment.

    Args:
        option: The value of --target: a name, a URL, `embedded`, or None for the default.
        against: The value of --against; None for one target.
        warn: Prints warnings and notes.
        folder: Where to look for voice-harness.toml; None for the working folder.

    Raises:
        ConfigError: No target is named but one is required, or it is not usable.
    """
    path = find_config(folder or Path.cwd())
    config = load_config(path) if path else None
    for warning in config.warnings if config else ():
        warn(f"warning: {warning}")
    targets = [choose_target(option, config=config, env=os.environ)]
    if against is not None:
        targets.append(choose_target(against, config=config, env=os.environ, where="--against"))
    for target in targets:
        if target.kind == "embedded":
            take_tokens(target.agents_file, os.environ)  # before keys are removed, which some of them look like
    for target in targets:  # once all are read: they may share a key
        forget_keys(os.environ, target.api_key)
        if target.observe is not None:
            forget_keys(os.environ, target.observe.token)
    for note in dict.fromkeys(note for target in targets for note in target.notes):
        warn(f"note: {note}")
    return targets


def read_scenarios(
    paths: Sequence[Path],
    sets: Sequence[str] | None,
    expression: str | None = None,
    *,
    more_sets: Sequence[str] = (),
) -> list[LoadedScenario]:
    """Reads the scenarios of files and folders, applies --set, and selects by the expression of -k.

    Args:
        paths: Files, folders, or the names of shipped scenarios.
        sets: The values of --set.
        expression: The value of -k.
        more_sets: The values of --against-set, which come after.

    Raises:
        UsageError: A scenario is invalid, or none is selected.
    """
    found = read_each_scenario(paths, sets, more_sets)
    raise_all(found.problems)
    return select(found.valid, expression) if expression else list(found.valid)


def read_each_scenario(paths: Sequence[Path], sets: Sequence[str] | None, more_sets: Sequence[str] = ()) -> Found:
    """Reads the scenarios of files and folders: the valid ones, what fits of the others, and their errors.

    Raises:
        UsageError: A --set cannot be read.
    """
    shipped = shipped_scenarios()
    # A bare name means a shipped scenario, unless it exists as a path.
    paths = [path if path.exists() else shipped.get(str(path), path) for path in paths]
    overrides = [parse_set(text) for text in sets or []]
    overrides += [parse_set(text, AGAINST_SET) for text in more_sets]
    return find_scenarios(paths, sets=overrides, env=os.environ, names=list(shipped))


def make_request(
    scenarios: Sequence[LoadedScenario],
    target: Target,
    *,
    several: str,
    agent: str | None = None,
    engine: EngineName = DEFAULT_ENGINE,
    thresholds: Sequence[str] | None = None,
    seed: int | None = None,
) -> Request:
    """Returns the request to run scenarios, with what all its users have in common; the rest has its defaults.

    Args:
        scenarios: The scenarios.
        target: The target.
        several: The name of a run of more than one scenario; a single scenario gives the run its own name.
        agent: The agent's id; None for the scenario's or the target's.
        engine: The media engine.
        thresholds: Thresholds in addition to those of the scenarios.
        seed: The seed; None for a random one.

    Raises:
        UsageError: A threshold cannot be parsed, or no scenario or not this engine can give its samples.
    """
    return Request(
        name=scenarios[0].name if len(scenarios) == 1 else several,
        scenarios=scenarios,
        target=target,
        seed=chosen_seed(seed),
        agent=agent,
        engine=engine,
        thresholds=read_thresholds(scenarios, thresholds, engine),
    )


def read_thresholds(
    scenarios: Sequence[LoadedScenario], options: Sequence[str] | None, engine: str = "sdk"
) -> list[Threshold]:
    """Returns the scenarios' thresholds and those of the command line; checks that samples for them are possible.

    Raises:
        UsageError: A threshold cannot be parsed, or no scenario or not this engine can give its samples.
    """
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
