"""What goes over the pipes of the host: its settings."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class HostSettings:
    """What the host is told in its first line.

    Attributes:
        server: The livekit-server to start.
        api_key: The session service's key.
        port: The session service's port; 0 chooses one.
        agents_file: Adds to the shipped agents, or replaces them.
        truth_log: Where the agents write what they heard and sent.
        warm: The agents whose models are loaded before the stack is ready.
        agents_command: What runs the agents.
    """

    server: str
    api_key: str = field(repr=False)
    port: int = 0
    agents_file: str | None = None
    truth_log: str | None = None
    warm: list[str] = field(default_factory=list)
    agents_command: list[str] = field(default_factory=lambda: [sys.executable, "-m", "harness.stack.agents"])

    def to_message(self) -> dict[str, Any]:
        """The first line's JSON object."""
        return asdict(self)
