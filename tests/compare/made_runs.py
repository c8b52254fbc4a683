"""Run directories with many calls, made from one recorded call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.scenario.load import load_scenario

RECORDED = Path(__file__).parents[1] / "recorded" / "talk-light"
SCENARIO = "smoke"


def made_run(
    folder: Path,
    *,
    calls: int,
    seed: int,
    later_ms: float = 0.0,
    settings: Callable[[dict], None] = lambda settings: None,
) -> Path:
    """Writes a run of calls whose delays vary about those of a recorded call; without timelines.

    Args:
        folder: Where.
        calls: How many calls.
        seed: Of the delays.
        later_ms: How much later the agent answers.
        settings: Changes run.json.
    """
    folder.mkdir(parents=True)
    (folder / "timelines").mkdir()
    known = json.loads((RECORDED / "run.json").read_text(encoding="utf-8"))
    known["scenarios"] = {SCENARIO: known["scenarios"][SCENARIO]}
    known["run"] = folder.name
    known["thresholds"] = []
    settings(known)
    (folder / "run.json").write_text(json.dumps(known), encoding="utf-8")
    lines = (RECORDED / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    [call] = [call for call in map(json.loads, lines) if call["scenario"] == SCENARIO]
    rng = np.random.default_rng(seed)
    with (folder / "calls.jsonl").open("w", encoding="utf-8") as file:
        for number in range(calls):
            call["call"] = f"{number + 1:04}-{SCENARIO}"
            for turn in call["turns"]:
                turn["ttfa_ms"] = round(float(rng.lognormal(np.log(700), 0.2)) + later_ms, 1)
            file.write(json.dumps(call) + "\n")
    return folder


def of_scenario(path: Path) -> Callable[[dict], None]:
    """Makes the run one of the scenario as this file has it."""
    model = load_scenario(path).model.model_dump(exclude_none=True, exclude_defaults=True)
    return lambda known: known["scenarios"][SCENARIO].update(model=model)
