"""`voice-harness doctor`: what is missing or risky on this machine for a measurement."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer


def doctor(
    embedded: Annotated[
        bool,
        typer.Option("--embedded", help="Count what only the embedded stack needs as needed."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Check this machine before you measure on it.

    Exit codes: 0, also with risks; 3 something needed is missing.
    """
    from harness import __version__
    from harness.clock import SystemClock
    from harness.doctor.read import read_all
    from harness.doctor.registry import diagnose
    from harness.report.console import make_console
    from harness.report.doctor_table import print_diagnosis

    diagnosis = diagnose(asyncio.run(read_all(SystemClock())), harness_version=__version__, embedded=embedded)
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=2))
    else:
        print_diagnosis(make_console(), diagnosis)
    return diagnosis.exit_code
