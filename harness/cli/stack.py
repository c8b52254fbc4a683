"""`voice-harness stack`: runs the embedded stack in the foreground, and prints one session's credentials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import stack_agent, stack_key
from harness.cli.options import AgentOption, TargetOption
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.stack.web.options import PageOptions

app = typer.Typer(help="The embedded stack: LiveKit server, session service, reference agents.", no_args_is_help=True)
app.add_typer(stack_key.app, name="key")
app.add_typer(stack_agent.app, name="agent")


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
    web: Annotated[
        bool, typer.Option("--web", help="Also serve the stack's own page: agents, live calls, listening in.")
    ] = False,
    runs: Annotated[
        Path | None,
        typer.Option("--runs", metavar="DIR", help="With --web: show the timelines of the runs in this folder."),
    ] = None,
    page_host: Annotated[
        str,
        typer.Option(
            "--page-host",
            metavar="ADDRESS",
            help="The address on which the pages listen. Off loopback they ask for a password, which is printed.",
        ),
    ] = "127.0.0.1",
    page_port: Annotated[
        int, typer.Option("--page-port", min=0, max=65535, help="The pages' port; by default any free one.")
    ] = 0,
    private_urls: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-private-urls",
            metavar="HOST[:PORT],…",
            help="Private hosts from which reference audio may be fetched, also by http.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="Keep keys and agents in this folder; else they go with the stack.",
        ),
    ] = None,
    rate_limit: Annotated[
        float | None,
        typer.Option(
            "--rate-limit", metavar="N", help="Sessions that each key may create in a second; 1000 by default."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one line of JSON.")] = False,
) -> int:
    """Start the embedded stack on 127.0.0.1 and keep it running until Ctrl-C."""
    import asyncio

    from harness.stack.foreground import stack_up

    pages = _pages(backend=backend, web=web, runs=runs, host=page_host, port=page_port)
    if rate_limit is not None and not 0 < rate_limit < float("inf"):
        raise UsageError(f"--rate-limit must be more than 0 (got {rate_limit:g})")
    return asyncio.run(
        stack_up(
            agents_file=agents,
            truth_log=truth,
            port=port,
            private_hosts=private_urls or (),
            json_output=as_json,
            pages=pages,
            data=data,
            rate_per_s=rate_limit,
        )
    )


def _pages(*, backend: bool, web: bool, runs: Path | None, host: str, port: int) -> PageOptions:
    """Which pages to serve.

    Raises:
        UsageError: The options do not go together, or are not usable.
    """
    from harness.stack.web.options import PageOptions

    pages = PageOptions(backend=backend, web=web, host=host, port=port, runs=runs)
    if runs is not None and not web:
        raise UsageError("--runs needs --web, whose page shows the runs")
    if runs is not None and runs.exists() and not runs.is_dir():
        raise UsageError(f"--runs must be a folder (got the file {runs})")
    if not pages.any and pages != PageOptions():
        raise UsageError("--page-host and --page-port need a page", hint="add --web or --backend")
    try:
        pages.address  # noqa: B018 - it is parsed
    except ValueError:
        hint = "use localhost, an address of this machine, or 0.0.0.0 for all of them"
        raise UsageError(f"--page-host must be an IP address or localhost (got {host!r})", hint=hint) from None
    return pages


@app.command("session")
def session(target: TargetOption = None, agent: AgentOption = None) -> int:
    """Create one session and print its credentials, for another client to join with."""
    import asyncio

    from harness.cli.session import print_session

    return asyncio.run(print_session(target, agent))
