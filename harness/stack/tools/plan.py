"""A tool call that an answer plans, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.stack.tools.listed import Property, Tool

MOST_FRAME_BYTES = 14_000  # LiveKit carries about 15 kB in a packet


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that is made once the turn is confirmed.

    Attributes:
        tool: The tool.
        arguments: Its arguments, as far as they were said.
        missing: The required argument that the agent asks for instead of calling; None if nothing is missing.
    """

    tool: Tool
    arguments: Mapping[str, Any] = field(default_factory=dict)
    missing: Property | None = None


@dataclass(frozen=True, slots=True)
class CallMade:
    """A call that was made.

    Attributes:
        name: The tool's name.
        arguments: Its arguments.
        result: The text of its result, or what went wrong; at most 10 kB, without secrets.
        ms: How long it took, in milliseconds.
        ok: Whether the tool was called and says that it worked.
        answer: What the agent says.
    """

    name: str
    arguments: Mapping[str, Any]
    result: str
    ms: float
    ok: bool
    answer: str

    def told(self) -> dict[str, Any]:
        """The fields of the truth log's event and of the caller's frame."""
        return {
            "name": self.name,
            "arguments": dict(self.arguments),
            "result": self.result,
            "ms": self.ms,
            "ok": self.ok,
        }

    def frame(self) -> dict[str, Any]:
        """The frame for the caller; a result that would not fit into a packet is cut."""
        frame: dict[str, Any] = {"type": "tool_call", **self.told()}
        while frame["result"] and len(json.dumps(frame, ensure_ascii=False).encode()) > MOST_FRAME_BYTES:
            frame["result"] = frame["result"][: len(frame["result"]) * 9 // 10]
        return frame
