"""`voice-harness report`: every report of a run, again, from what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    remeasure: Annotated[
        bool, typer.Option("--remeasure", help="Measure again from the timelines, then judge.")
    ] = False,
) -> int:
    """Judge a recorded run again and rebuild its reports; nobody is called."""
    from harness.report.console import make_console, print_summary
    from harness.report.run_directory import read_run
    from harness.report.write import rebuild

    summary = rebuild(run, remeasure=remeasure)
    print_summary(make_console(), summary, read_run(run).calls, run)
    return summary.exit_code
