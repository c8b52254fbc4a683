"""A fault of the harness itself, as a call's line has it.

`calls.jsonl` holds it as `name: what`; `SelfFaultSeen.read` is the one place that reads it back.
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
    """What cannot be: its name (a `SelfFaultName`, or what another version called it), and what was seen of it."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"

    @classmethod
    def read(cls, text: str) -> SelfFaultSeen:
        """The fault that a line names."""
        name, _, what = text.partition(": ")
        return cls(name, what)
