"""`voice-harness init`: writes the first files for testing a service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to write to; defaults to the current one.")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> int:
    """Write the first files for testing your own service."""
    from harness.installed_from import installed_from_git
    from harness.target.first_workflow import WORKFLOW_FILE
    from harness.target.init import write_first_files

    source = installed_from_git()
    for path in write_first_files(folder, force=force, source=source):
        typer.echo(f"wrote {path}")
    typer.echo("next: set url and agent in voice-harness.toml, set the variable with the key, then run")
    typer.echo("      voice-harness run scenarios/first-call.yaml")
    if source is None:
        typer.echo(f"for CI: set VOICE_HARNESS_SOURCE in {WORKFLOW_FILE} to where voice-harness is installed from")
    else:
        typer.echo(f"for CI: {WORKFLOW_FILE} installs {source}")
    return 0
