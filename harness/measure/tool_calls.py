"""Assigns each tool call that the agent reported to its turn.

A tool call belongs to a turn as reply text does: to the latest turn, or to the previous one (or the greeting) until the
caller has ended. Its time is when its frame was received, which is usually when the tool had answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.measure.texts import turn_answered
from harness.measure.times import Position
from harness.record.result import ToolCallSeen
from harness.timeline.events import ToolCalled
from harness.timeline.spans import TurnSpan


@dataclass
class AssignedToolCalls:
    """The tool calls of a call; `turns[i]` are those of the i-th turn, `before` those from before the first one."""

    before: list[ToolCallSeen]
    turns: list[list[ToolCallSeen]]


def assign_tool_calls(turns: Sequence[TurnSpan], calls: Sequence[ToolCalled], position: Position) -> AssignedToolCalls:
    """Assigns the tool calls of a call; `position` gives a time's place in the call."""
    assigned = AssignedToolCalls([], [[] for _ in turns])
    for event in calls:
        owner = turn_answered(turns, event.t_ns)
        seen = ToolCallSeen(
            name=event.name,
            arguments=dict(event.arguments),
            result=event.result,
            ms=event.ms,
            ok=event.ok,
            at_ms=position(event.t_ns),
            shortened=event.shortened,
        )
        (assigned.turns[owner] if owner >= 0 else assigned.before).append(seen)
    return assigned
