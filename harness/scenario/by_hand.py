"""A scenario made of a command line's steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import ScenarioError
from harness.scenario.load import LoadedScenario, checked_scenario

LISTEN = "1s"


def scenario_by_hand(
    steps: Sequence[tuple[str, str]],
    *,
    sets: Sequence[tuple[str, str]],
    folder: Path,
    env: Mapping[str, str],
) -> LoadedScenario:
    """The scenario `call`: these (say | type, text) steps, or listening to the greeting where there are none.

    Raises:
        ScenarioError: A step or a --set cannot be followed.
    """
    turns: list[dict[str, Any]] = [{kind: text} for kind, text in steps]
    raw = {"name": "call", "turns": turns or [{"wait": LISTEN}]}
    try:
        return checked_scenario(raw, folder / "command line", sets=sets, env=env)
    except ScenarioError as problem:
        raise ScenarioError(problem.what, where="command line", mend=problem.mend) from None
