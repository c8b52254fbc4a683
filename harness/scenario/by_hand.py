"""A scenario made from steps on the command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import Place
from harness.parsing.yaml_places import Keys
from harness.scenario.load import LoadedScenario, examine
from harness.secret import masked

LISTEN = "1s"
_SHOWN = 40


def scenario_by_hand(
    steps: Sequence[tuple[str, str]],
    *,
    sets: Sequence[tuple[str, str]],
    folder: Path,
    env: Mapping[str, str],
) -> LoadedScenario:
    """The scenario `call` with these (say | type, text) steps; without steps it only listens to the greeting.

    Errors name the option that gave the value.

    Raises:
        ScenarioError: A step or a --set is invalid.
    """
    turns: list[dict[str, Any]] = [{kind: text} for kind, text in steps]
    raw = {"name": "call", "turns": turns or [{"wait": LISTEN}]}
    options = [_option(kind, text) for kind, text in steps]

    def place_in(_: Any, keys: Keys) -> Place:
        match keys:
            case ("turns", int(step), *more) if step < len(options) and (not more or more == [steps[step][0]]):
                return Place(options[step])
            case () | ("name",) | ("turns",):
                return Place("command line")
            case _:
                return Place("--set")

    return examine(raw, folder / "command line", sets=sets, env=env, place_in=place_in).valid()


def _option(kind: str, text: str) -> str:
    shown = masked(text)
    return f"--{kind} {shlex.quote(shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + '…')}"
