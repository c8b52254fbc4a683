"""Tokens for MCP servers: taken out of the environment, so that no child process inherits one.

They travel from the process that starts the stack to the agents' process over pipes, as the LiveKit secret does.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from pathlib import Path

from harness.errors import HarnessError
from harness.secret import Secret
from harness.stack.agents_file import AgentSpec, load_agents
from harness.stack.tools.declared import TOKEN_PREFIX

# A stack may be started again in the same process, after the variables have been removed.
_taken: dict[str, Secret] = {}


def token_names(agents: Iterable[AgentSpec]) -> set[str]:
    """The variables that the agents' servers name."""
    return {server.token_env for spec in agents for server in spec.mcp.values() if server.token_env is not None}


def take_tokens(agents_file: Path | None, environment: MutableMapping[str, str]) -> dict[str, Secret]:
    """Moves the tokens of MCP servers out of `environment`; returns all that were ever taken.

    Those are the variables that the agents file names and, for agents that are not in the file, all whose name begins
    with `MCP_TOKEN`. A file that cannot be read names none: whoever uses it reports what is wrong with it.
    """
    try:
        named = token_names(load_agents(agents_file).values())
    except HarnessError:
        named = set()
    for name in list(environment):
        if name in named or name.startswith(TOKEN_PREFIX):
            _taken[name] = Secret(environment.pop(name).strip())
    return dict(_taken)
