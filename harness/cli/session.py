"""`voice-harness stack session`: prints the credentials of one session to stdout."""

from __future__ import annotations

import json

import typer

from harness.cli.options import resolve_target
from harness.errors import ConfigError
from harness.scenario.timeouts import CallTimeouts
from harness.target.choose import check_agent
from harness.target.connect import session_client
from harness.target.session import SessionRequest


async def print_session(target_option: str | None, agent: str | None) -> int:
    """Creates a session at a running service and prints its token, URL and room. Nothing else prints a token.

    Raises:
        ConfigError: The target is not a running service, or no agent is named.
        SessionFailure: The session could not be created.
    """
    target = resolve_target(target_option)
    if target.kind == "embedded":
        raise ConfigError(
            "the embedded target only runs during a run",
            where="--target",
            hint="start `voice-harness stack up` and use the URL that it prints",
        )
    check_agent(agent)
    agent_id = agent or target.agent
    if agent_id is None:
        raise ConfigError("no agent is given", where="--agent", hint="add --agent ID")
    timeout_s = target.timeouts.get("session", CallTimeouts().session)
    async with session_client(target) as client:
        session = await client.create(SessionRequest(agent=agent_id), timeout_s=timeout_s)
    credentials = {
        "token": session.token.reveal(),
        "livekit_url": session.livekit_url,
        "room_name": session.room,
    }
    typer.echo(json.dumps(credentials, indent=2))
    return 0
