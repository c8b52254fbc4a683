"""A target: whom the calls go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.secret import Secret
from harness.target.shown import shown_url

TargetKind = Literal["session", "backend", "embedded"]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom the calls go to, resolved: the key is at hand, the files are there.

    Args:
        name: Its name in the configuration, `embedded`, or the URL as it may be shown.
        kind: How sessions are made.
        url: The complete endpoint; None for an embedded stack that does not run yet.
        api_key: The key of kind `session`, or of the embedded stack once it runs.
        agent: The agent that is called unless the command or the scenario names another.
        timeouts: The waits that the target sets, in seconds, by their names in `timeouts`.
        agents_file: The embedded stack's file of agents.
        agent_identity: The agent's identity in the room; None: the one that answers is found.
        key_variable: The variable that the key is from; None where it is from none.
        notes: What a person should know before the calls start.
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

    def describe(self) -> str:
        """The target as verdict lines and reports name it; never with user, password or query of its URL."""
        detail: str = self.kind
        if self.url is not None and self.kind != "embedded":
            detail = shown_url(self.url, secrets=(self.api_key,))
        return self.name if detail == self.name else f"{self.name} ({detail})"
