"""A fault of the harness itself, as stored in a call's line.

`calls.jsonl` stores it as `name: what`. Only `SelfFaultSeen.read` parses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SelfFaultName = Literal[
    "outside of the call",
    "voice without an end",
    "voice without an onset",
    "voice before its time",
    "positions that repeat",
    "one voice heard twice",
    "heard against time",
    "read against time",
    "decoded against time",
    "received against decoded",
    "sent against due",
]


@dataclass(frozen=True, slots=True)
class SelfFaultSeen:
    """Something impossible: its name (a `SelfFaultName`, or that of another version), and what was observed."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"

    @classmethod
    def read(cls, text: str) -> SelfFaultSeen:
        """Parses the text of a fault."""
        name, _, what = text.partition(": ")
        return cls(name, what)
