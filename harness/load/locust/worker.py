"""A worker of a load, as its master sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Worker:
    """A worker, as seen by the master."""

    number: int
    host: str
    pid: int
    ready: bool = False
    gone: bool = False
    second: dict[str, Any] = field(default_factory=dict)
    told_at: float = 0.0
    calls: dict[str, int] = field(default_factory=dict)

    @property
    def pending(self) -> int:
        """The number of calls that it was asked to make and that have not ended."""
        return max(int(self.second.get("pending", 0)), len(self.calls))
