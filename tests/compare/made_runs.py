"""Run directories with many calls, made from one recorded call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.compare.candidate import as_baseline, of_run
from harness.record.baseline import write_baseline
from harness.record.run_directory import BASELINE_FILE, read_run
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


def compared_run(folder: Path, *, calls: int = 30, later_ms: float = 300.0) -> Path:
    """Writes a run to be compared with the baseline `main`, whose agent answered earlier; it is not yet judged."""

    def against_main(known: dict) -> None:
        known["baseline"] = {"name": "main"}

    before = read_run(made_run(folder.with_name(f"{folder.name}-before"), calls=calls, seed=1))
    baseline = as_baseline(of_run(before.settings, before.calls), saved="2030-01-01T00:00:00Z")
    made_run(folder, calls=calls, seed=2, later_ms=later_ms, settings=against_main)
    write_baseline(folder / BASELINE_FILE, baseline)
    return folder
