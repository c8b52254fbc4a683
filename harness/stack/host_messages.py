"""Messages over the host's pipes: its settings."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.stack.web.options import PageOptions


@dataclass(frozen=True)
class HostSettings:
    """The host's settings, sent as its first line.

    Attributes:
        server: The livekit-server to start.
        api_key: The session service's key.
        port: The session service's port; 0 picks a free one.
        agents_file: Adds to the built-in agents, or replaces them.
        truth_log: File for what the agents really heard and sent.
        warm: The agents whose models are loaded before the stack is ready.
        tokens: The tokens of MCP servers by their variables; passed on to the agents' process and to no other.
        pages: Which pages to serve, and where: the fields of `PageOptions`.
        page_password: The pages' password; None if they need none.
        data: The folder of the database; None for one in memory.
        rate_per_s: How many sessions each key may create in a second.
        private_hosts: Private hosts, `HOST[:PORT]`, from which reference audio may be fetched.
        agents_command: The command that runs the agents.
    """

    server: str
    api_key: str = field(repr=False)
    port: int = 0
    agents_file: str | None = None
    truth_log: str | None = None
    warm: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    pages: dict[str, Any] = field(default_factory=dict)
    page_password: str | None = field(default=None, repr=False)
    data: str | None = None
    rate_per_s: float = 1000.0
    private_hosts: list[str] = field(default_factory=list)
    agents_command: list[str] = field(default_factory=lambda: [sys.executable, "-m", "harness.stack.agents"])

    @property
    def page_options(self) -> PageOptions:
        """Which pages to serve, and where."""
        runs = self.pages.get("runs")
        return PageOptions(**self.pages | {"runs": None if runs is None else Path(runs)})

    def to_message(self) -> dict[str, Any]:
        """The settings as the first line's JSON object."""
        return asdict(self)
