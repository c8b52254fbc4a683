"""`voice-harness contract`: holds a session service and a backend route against the contract."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from harness.cli.options import JunitOption, TargetOption, resolve_target
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.contract.gather import Asked
    from harness.secret import Secret
    from harness.target.target import Target

app = typer.Typer(help="The contract of session services and backend routes.", no_args_is_help=True)
STDOUT = "-"


class JsonWithOrWithoutFile(TyperCommand):
    """A command whose `--json` may come without a file, which means standard output."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Gives a `--json` without a value the value `-`."""
        given: list[str] = []
        for place, word in enumerate(args):
            given.append(word)
            following = args[place + 1] if place + 1 < len(args) else None
            if word == "--json" and (following is None or (following.startswith("-") and following != STDOUT)):
                given.append(STDOUT)
        return super().parse_args(ctx, given)


@app.command("check", cls=JsonWithOrWithoutFile)
def check(
    target: TargetOption = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="ID", help="The agent's id; by default the target's.")
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option("--backend", metavar="URL", help="Your own backend route; alone, only this is checked."),
    ] = None,
    revoked_key_env: Annotated[
        str | None,
        typer.Option("--revoked-key-env", metavar="NAME", help="The environment variable with a revoked key."),
    ] = None,
    voice_url: Annotated[
        str | None,
        typer.Option("--voice-url", metavar="URL", help="Audio for the override reference_audio_url."),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", metavar="sdk|light", help="What joins the room; see docs/engines.md.")
    ] = "sdk",
    no_room: Annotated[bool, typer.Option("--no-room", help="Join no room.")] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Create no session: try only what must be refused.")
    ] = False,
    as_json: Annotated[
        str | None,
        typer.Option("--json", metavar="[FILE]", help="Write the result as JSON; to standard output without a file."),
    ] = None,
    junit: JunitOption = None,
) -> int:
    """Check a session service and a backend route against every rule of the contract."""
    import asyncio

    from harness.call.engines.make import engine_name
    from harness.secret import forget_keys

    chosen = None if no_room else engine_name(engine)
    revoked = _revoked_key(revoked_key_env)
    files = _Files(as_json, junit)
    found = _target(target, backend)
    forget_keys(os.environ, revoked)
    return asyncio.run(
        _check(found, agent, backend, revoked, files, voice_url=voice_url, engine=chosen, read_only=read_only)
    )


class _Files:
    """Where the result goes; each place is checked before a packet is sent.

    Raises:
        ConfigError: A file cannot be written there.
    """

    def __init__(self, as_json: str | None, junit: Path | None) -> None:
        self.to_stdout = as_json == STDOUT
        self._json = None if as_json is None or self.to_stdout else Path(as_json)
        self._junit = junit
        for option, path in (("--json", self._json), ("--junit", junit)):
            if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
                raise ConfigError(
                    f"{path} cannot be written: it is a folder, or its folder does not exist",
                    where=option,
                    hint="name a file in an existing folder",
                )

    def write(self, as_json: str, junit: str) -> None:
        """Writes the files.

        Raises:
            ConfigError: A file cannot be written.
        """
        for option, path, text in (("--json", self._json, as_json), ("--junit", self._junit, junit)):
            if path is None:
                continue
            try:
                path.write_text(text, encoding="utf-8")
            except OSError as problem:
                raise ConfigError(
                    f"{path} cannot be written: {problem.strerror}", where=option, hint="name another file"
                ) from None


def _revoked_key(variable: str | None) -> Secret | None:
    from harness.target.keys import key_from

    # Read before the target, after which no key is left in the environment.
    return None if variable is None else key_from(os.environ, variable)


def _target(option: str | None, backend: str | None) -> Target | None:
    """The target; None if only a backend route is checked."""
    from harness.target.endpoint import check_endpoint
    from harness.target.shown import holds_key

    if backend is not None:
        if holds_key(backend):
            raise ConfigError(
                "this contains an API key, and everyone on this machine can read command lines",
                where="--backend",
                hint="give the URL without a key; the route adds the key itself",
            )
        try:
            check_endpoint(backend)
        except ValueError as problem:
            raise ConfigError(str(problem), where="--backend", hint="give the complete URL of the route") from None
        if option is None:
            return None
    return resolve_target(option)


async def _check(
    target: Target | None,
    agent: str | None,
    backend: str | None,
    revoked: Secret | None,
    files: _Files,
    *,
    voice_url: str | None,
    engine: str | None,
    read_only: bool,
) -> int:
    from harness.clock import SystemClock
    from harness.contract.check import check as checked_against
    from harness.contract.table import render_json, render_junit, render_table
    from harness.target.choose import check_agent

    check_agent(agent)
    agent_id = agent or (target.agent if target is not None else None)
    if agent_id is None:
        raise ConfigError("no agent is given", where="--agent", hint="add --agent ID")
    if target is not None and target.kind == "backend" and backend is not None:
        raise ConfigError(
            "the target is a backend route, and --backend names another",
            where="--backend",
            hint="leave out one of them, or give a target of kind session",
        )
    async with _reachable(target, agent_id) as running:
        asked = replace(
            _asked(running, agent_id, backend),
            revoked_key=revoked,
            voice_url=voice_url,
            read_only=read_only,
        )
        checked = await checked_against(asked, SystemClock(), engine=engine)
    as_json = render_json(checked)
    typer.echo(as_json if files.to_stdout else render_table(checked), nl=False)
    files.write(as_json, render_junit(checked))
    return checked.exit_code


def _asked(target: Target | None, agent: str, backend: str | None) -> Asked:
    from harness.contract.gather import Asked

    if target is None:
        return Asked(agent, backend_url=backend)
    is_route = target.kind == "backend"
    return Asked(
        agent,
        session_url=None if is_route else target.url,
        key=None if is_route else target.api_key,
        backend_url=target.url if is_route else backend,
        agent_identity=target.agent_identity,
        timeouts=target.timeouts,
    )


@asynccontextmanager
async def _reachable(target: Target | None, agent: str) -> AsyncIterator[Target | None]:
    """Yields the target with its address; an embedded stack is started first and stopped on exit."""
    if target is None or target.kind != "embedded":
        yield target
        return
    from harness.stack.embedded import EmbeddedStack

    stack = await EmbeddedStack.start(
        say=lambda line: typer.echo(line, err=True), agents_file=target.agents_file, warm=(agent,)
    )
    async with stack:
        yield replace(target, url=stack.address.session_url, api_key=stack.address.api_key)
