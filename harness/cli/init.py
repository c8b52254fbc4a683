"""`voice-harness init`: writes the first files for testing a service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.target.first_workflow import Ci


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to write to; defaults to the current one.")
    ] = Path(),
    ci: Annotated[
        str, typer.Option("--ci", metavar="github|gitlab|none", help="The CI server to write a workflow for.")
    ] = "github",
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> int:
    """Write the first files for testing your own service."""
    from harness.installed_from import installed_from_git
    from harness.target.init import write_first_files

    source, server = installed_from_git(), _read_ci(ci)
    written = write_first_files(folder, force=force, source=source, ci=server)
    for path in written:
        typer.echo(f"wrote {path}")
    typer.echo("next: set url and agent in voice-harness.toml, set the variable with the key, then run")
    typer.echo("      voice-harness run scenarios/first-call.yaml")
    for line in _about_ci(server, source, {path.relative_to(folder).as_posix() for path in written}):
        typer.echo(line)
    return 0


def _read_ci(text: str) -> Ci:
    match text:
        case "github" | "gitlab" | "none":
            return text
        case _:
            raise UsageError(f"--ci must be github, gitlab or none (got {text!r})")


def _about_ci(ci: Ci, source: str | None, written: set[str]) -> Iterator[str]:
    """What is left to do for the CI server."""
    from harness.target.first_workflow import PIPELINE_FILE, WORKFLOW_FILE, pipeline

    if ci == "none":
        return
    if ci == "gitlab" and PIPELINE_FILE not in written:
        yield f"for CI: {PIPELINE_FILE} is left as it is; add this to it:"
        yield from (f"    {line}" for line in pipeline(source).splitlines())
        return
    file = WORKFLOW_FILE if ci == "github" else PIPELINE_FILE
    if source is not None:
        yield f"for CI: {file} installs {source}"
    else:
        name = "VOICE_HARNESS_SOURCE" if ci == "github" else "source"
        yield f"for CI: set {name} in {file} to where voice-harness is installed from"
