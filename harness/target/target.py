"""A target: the service that is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.secret import Secret
from harness.target.observe import Observing
from harness.target.shown import shown_url

TargetKind = Literal["session", "backend", "embedded"]


@dataclass(frozen=True, slots=True)
class Target:
    """The service that is called, resolved: the key has been read, the files exist.

    Args:
        name: Its name in the configuration, `embedded`, or the URL in a form safe to show.
        kind: How sessions are created.
        url: The complete endpoint; None for an embedded stack that the run starts and stops.
        api_key: The key of kind `session`, or of the embedded stack once it runs.
        agent: The agent to call unless the command or the scenario names another.
        timeouts: The timeouts that the target sets, in seconds, by their names in `timeouts`.
        agents_file: The embedded stack's agents file.
        agent_identity: The agent's identity in the room; None to detect the one that answers.
        key_variable: The variable that the key came from; None if it came from none.
        notes: What the user should know before the calls start.
        observe: What to observe of its hosts; None for nothing.
    """

    name: str
    kind: TargetKind
    url: str | None = field(default=None, repr=False)
    api_key: Secret | None = None
    agent: str | None = None
    timeouts: Mapping[str, float] = field(default_factory=dict)
    agents_file: Path | None = None
    agent_identity: str | None = None
    key_variable: str | None = None
    notes: tuple[str, ...] = ()
    observe: Observing | None = None

    def describe(self) -> str:
        """The target's name for verdict lines and reports; never contains its URL's user, password or query."""
        detail: str = self.kind
        if self.url is not None and self.kind != "embedded":
            detail = shown_url(self.url, secrets=(self.api_key,))
        return self.name if detail == self.name else f"{self.name} ({detail})"
