"""A scenario made from a value in a program: a `Scenario`, or a mapping with the same keys as a scenario's file."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import Place
from harness.parsing.yaml_places import Keys
from harness.scenario.load import LoadedScenario, examine
from harness.scenario.model import Scenario


def scenario_by_value(
    value: Scenario | Mapping[str, Any],
    *,
    sets: Sequence[tuple[str, str]],
    folder: Path,
    where: str,
    env: Mapping[str, str],
) -> LoadedScenario:
    """The scenario of a value.

    Args:
        value: The value; it is not changed.
        sets: Overrides: dotted key and YAML value.
        folder: Paths in it are relative to this folder.
        where: What errors name in place of a file.
        env: The values of `${NAME}`.

    Raises:
        ScenarioError: It is invalid.
        SeveralErrors: There is more than one error in it.
    """
    if isinstance(value, Scenario):
        raw = value.model_dump(exclude_none=True, exclude_defaults=True)
    else:
        raw = copy.deepcopy(dict(value))
    raw.setdefault("name", "call")

    def place_in(_: Any, keys: Keys) -> Place:
        return Place(f"{where}: {'.'.join(map(str, keys))}" if keys else where)

    return examine(raw, folder / "scenario", sets=sets, env=env, place_in=place_in).valid()
