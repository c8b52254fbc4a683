"""`voice-harness report`: rebuilds all reports of a run from what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import JunitOption


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    remeasure: Annotated[
        bool, typer.Option("--remeasure", help="Measure again from timelines and recordings before judging.")
    ] = False,
    junit: JunitOption = None,
) -> int:
    """Judge a recorded run again and rebuild its reports, without making calls."""
    from harness.record.run_directory import read_run
    from harness.report.console import make_console, print_summary
    from harness.report.copies import check_copy, write_junit_copy
    from harness.run.finish import rebuild

    check_copy(junit, "--junit")
    summary = rebuild(run, remeasure=remeasure)
    write_junit_copy(run, junit)
    print_summary(make_console(), summary, read_run(run).calls, run)
    return summary.exit_code
