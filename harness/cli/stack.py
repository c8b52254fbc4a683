"""`voice-harness stack`: runs the embedded stack in the foreground, and prints one session's credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AgentOption, TargetOption

app = typer.Typer(help="The embedded stack: LiveKit server, session service, reference agents.", no_args_is_help=True)


@app.command("up")
def up(
    agents: Annotated[
        Path | None,
        typer.Option(
            "--agents", metavar="FILE", help="A file of agents, in addition to the shipped demo, light and truth."
        ),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", metavar="FILE", help="Write the agents' truth log to this file.")
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The session service's port; by default any free one.")
    ] = 0,
    backend: Annotated[
        bool, typer.Option("--backend", help="Also serve a call page and the backend route that it uses.")
    ] = False,
    private_urls: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-private-urls",
            metavar="HOST[:PORT],…",
            help="Private hosts from which reference audio may be fetched, also by http.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one line of JSON.")] = False,
) -> int:
    """Start the embedded stack on 127.0.0.1 and keep it running until Ctrl-C."""
    import asyncio

    from harness.stack.foreground import stack_up

    return asyncio.run(
        stack_up(
            agents_file=agents,
            truth_log=truth,
            port=port,
            private_hosts=private_urls or (),
            json_output=as_json,
            backend=backend,
        )
    )


@app.command("session")
def session(target: TargetOption = None, agent: AgentOption = None) -> int:
    """Create one session and print its credentials, for another client to join with."""
    import asyncio

    from harness.cli.session import print_session

    return asyncio.run(print_session(target, agent))
