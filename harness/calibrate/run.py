"""Makes a calibration: runs its stages against the embedded stack, then computes the points from the results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from harness import __version__
from harness.calibrate.onset import onset_over_noise
from harness.calibrate.plan import FIXED_MS, Script, Stage, agents_of, scenario_of
from harness.calibrate.points import PointSpec, point_of, random_delays
from harness.calibrate.truth import CallCheck, TurnCheck, check_call
from harness.call.engines.make import DEFAULT_ENGINE, EngineName
from harness.clock import Clock
from harness.errors import ConfigError, Place
from harness.process.signals import Signals
from harness.record.calibration import Calibration, Kind, Machine, Point
from harness.record.result import CallResult
from harness.record.run_directory import DEFAULT_PARENT as REPORTS
from harness.record.run_directory import TRUTH_FILE, RunDirectory
from harness.run.execute import Watcher, execute
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.run.run import begin, make_ready
from harness.run.settings import Planned
from harness.target.target import Target
from harness.timeline.timeline import read_timeline

DEFAULT_PARENT = REPORTS / "calibrations"
CALIBRATION_FILE = "calibration.json"


Turns = list[tuple[PointSpec, TurnCheck]]


def new_folder(out: Path | None, now: datetime) -> Path:
    """Creates the folder of a calibration: `out`, or one named after the time.

    Raises:
        ConfigError: The folder already holds a calibration, or cannot be created.
    """
    stem = DEFAULT_PARENT / f"{now:%Y%m%d-%H%M%S}"
    folder, number = out if out is not None else stem, 1
    if (folder / CALIBRATION_FILE).exists():
        raise ConfigError(
            "the folder already contains a calibration", where=Place(folder), hint="use another folder for --out"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                folder.mkdir(exist_ok=out is not None)
                break
            except FileExistsError:
                if out is not None:
                    raise
                number += 1
                folder = stem.with_name(f"{stem.name}-{number}")
    except OSError as problem:
        raise ConfigError(
            f"cannot be written: {problem.strerror}",
            where=Place(folder),
            hint="use a writable folder: --out DIR",
        ) from None
    return folder


async def calibrate(
    folder: Path,
    watcher: Watcher,
    *,
    stages: Sequence[Stage],
    quick: bool,
    seed: int,
    machine: Machine,
    clock: Clock,
    signals: Signals,
    engine: EngineName = DEFAULT_ENGINE,
) -> tuple[Calibration, Turns] | None:
    """Makes all calls and returns the calibration and its turns; None if it was interrupted.

    Args:
        folder: An existing folder; each stage's run is written to a folder of its own in it.
        watcher: Shows the progress.
        stages: What to call; see `stages_of`.
        quick: Whether they are the quick ones; onsets over noise are then looked for in one minute instead of ten.
        seed: The seed of everything random in the runs.
        machine: The machine that makes it.
        clock: The clock.
        signals: A signal cuts the running calls.
        engine: The media engine to calibrate.

    Raises:
        HarnessError: The embedded stack did not start, or nothing can be written.
    """
    points: list[Point] = []
    turns: Turns = []
    made = clock.utc()
    for stage in stages:
        results = await _run(stage, folder, watcher, engine=engine, seed=seed, clock=clock, signals=signals)
        if signals.received:
            return None
        for script in stage.scripts:
            checks = _checks(results, script, folder / stage.name)
            for kind in get_args(Kind):
                spec = PointSpec(engine, kind, stage.calls, script.condition)
                points.append(point_of(spec, checks))
                turns += [(spec, turn) for check in checks for turn in check.turns if turn.kind == kind]
    watcher.say("onset detection over noise")
    calibration = Calibration(
        made=made.isoformat(timespec="seconds").replace("+00:00", "Z"),
        harness_version=__version__,
        quick=quick,
        machine=machine,
        points=points,
        random=random_delays([(spec, turn) for spec, turn in turns if spec.calls > 1], FIXED_MS),
        onset=onset_over_noise(seed=seed, quick=quick),
    )
    return calibration, turns


async def _run(
    stage: Stage, folder: Path, watcher: Watcher, *, engine: EngineName, seed: int, clock: Clock, signals: Signals
) -> Sequence[CallResult]:
    agents_file = folder / stage.name / "agents.yaml"
    agents_file.parent.mkdir()
    agents_file.write_text(json.dumps(agents_of(stage), indent=2), encoding="utf-8")
    request = Request(
        name=stage.name,
        scenarios=[scenario_of(script, Path.cwd()) for script in stage.scripts],
        target=Target("embedded", "embedded", agents_file=agents_file),
        seed=seed,
        engine=engine,
        record="none",
        out=folder / stage.name,
        command=("voice-harness", "calibrate"),
    )
    scenarios = await make_ready(request, watcher.say)
    pace = Pace(stage.calls, stage.calls * stage.repeat * len(scenarios), None, stage.repeat)
    run = begin(request, scenarios, Planned(pace), clock=clock, say=watcher.say)
    outcome, _ = await execute(run, pace, watcher, signals)
    return outcome.results


def _checks(results: Sequence[CallResult], script: Script, run: Path) -> list[CallCheck]:
    truth = read_truth(run / TRUTH_FILE)
    directory = RunDirectory(run)
    return [
        check_call(result, read_timeline(directory.timeline(result.call)), truth)
        for result in results
        if result.scenario == script.condition
    ]


def read_truth(path: Path) -> list[dict[str, Any]]:
    """Returns the entries of a truth log; empty if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
