"""`voice-harness calibrate`: measures the harness's own error against an agent with known delays."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import EngineOption, Quiet
from harness.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNFIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.calibrate.plan import Stage
    from harness.call.engines.make import EngineName
    from harness.process.signals import Signals
    from harness.record.calibration import Calibration


def calibrate(
    as_json: Annotated[bool, typer.Option("--json", help="Print only the calibration, as JSON.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Take 3 minutes instead of 40, with fewer turns.")] = False,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--condition", metavar="NAME", help="Measure only this condition, such as standard; may be repeated."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The output folder; by default a new one in reports/calibrations/."),
    ] = None,
    engine: EngineOption = "sdk",
    seed: Annotated[int, typer.Option("--seed", help="Seed of all random choices.")] = 1,
    quiet: Quiet = False,
) -> int:
    """Measure the harness's own error on this machine, by calling embedded agents with known delays.

    Exit codes: 0 measured, 4 this machine did not carry some of the points, 130 interrupted.
    """
    from harness.calibrate.plan import stages_of
    from harness.call.engines.make import engine_name
    from harness.process.signals import run_interruptible

    name = engine_name(engine)
    stages = stages_of(name, quick=quick, conditions=condition or ())

    async def main(signals: Signals) -> int:
        calibration = await _calibrate(
            signals, stages, as_json=as_json, quick=quick, engine=name, out=out, seed=seed, quiet=quiet
        )
        if calibration is None:
            return EXIT_INTERRUPTED
        return EXIT_OK if calibration.fit else EXIT_UNFIT

    return run_interruptible(main)


async def _calibrate(
    signals: Signals,
    stages: Sequence[Stage],
    *,
    as_json: bool,
    quick: bool,
    engine: EngineName,
    out: Path | None,
    seed: int,
    quiet: bool,
) -> Calibration | None:
    from rich.console import Console

    from harness.calibrate.picture import render_picture
    from harness.calibrate.run import CALIBRATION_FILE, new_folder
    from harness.calibrate.run import calibrate as make
    from harness.calibrate.table import print_calibration
    from harness.clock import SystemClock
    from harness.record.calibration_store import keep, this_machine
    from harness.report.console import LinesWatcher, make_console

    clock = SystemClock()
    folder = new_folder(out, clock.utc())
    progress = Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    watcher = LinesWatcher(progress, quiet=quiet)
    done = await make(
        folder,
        watcher,
        stages=stages,
        quick=quick,
        seed=seed,
        machine=this_machine(),
        clock=clock,
        signals=signals,
        engine=engine,
    )
    if done is None:
        return None
    calibration, turns = done
    text = calibration.model_dump_json(indent=2)
    (folder / CALIBRATION_FILE).write_text(text + "\n", encoding="utf-8")
    (folder / "picture.html").write_text(render_picture(calibration, turns), encoding="utf-8")
    if any(point.condition == "clean" for point in calibration.points):  # what later runs report
        try:
            keep(calibration)
        except OSError as problem:
            watcher.say(f"the calibration could not be saved for later runs: {problem.strerror}")
    if as_json:
        typer.echo(text)
    else:
        console = make_console()
        print_calibration(console, calibration)
        console.print(f"written to {folder}; the picture is {folder / 'picture.html'}")
    return calibration
