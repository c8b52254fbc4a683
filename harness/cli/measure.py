"""`voice-harness measure`: measures a stereo recording made by another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import read_side
from harness.errors import EXIT_OK


def measure(
    recording: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.wav", help="A stereo recording with the caller in one channel and the agent in the other."
        ),
    ],
    caller: Annotated[str, typer.Option("--caller", metavar="left|right", help="Which channel the caller is in.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print only the numbers, as JSON.")] = False,
) -> int:
    """Measure a recorded conversation: each turn's latency and who talked over whom, from the sound alone.

    Exit codes: 0 measured, 2 it cannot be measured.
    """
    from harness.recordings.foreign import measure_recording

    measured = measure_recording(recording, read_side(caller))
    if as_json:
        typer.echo(measured.model_dump_json(indent=2))
    else:
        from harness.report.console import make_console
        from harness.report.recording_table import print_recording

        print_recording(make_console(), measured)
    return EXIT_OK
