"""The malformed frames that an agent with the fault `garbage_frames` sends before each valid one."""

from __future__ import annotations

import json

GARBAGE: tuple[bytes, ...] = (
    b"this is no JSON",
    b'{"type": "agent_text", "text": "\xff\xfe"}',
    json.dumps(["agent_text", "a list, not an object"]).encode(),
    json.dumps({"type": "agent_text", "text": "   "}).encode(),
    json.dumps({"type": 7, "text": {"a": "mapping"}}).encode(),
    json.dumps({"kind": "agent_text", "words": "neither of the right keys"}).encode(),
    b"\x00" * 10_000,
)
