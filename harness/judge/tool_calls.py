"""Judges `calls_tool`: whether the agent reported, in this turn, the tool calls that the scenario expects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from harness.record.result import CallResult, ExpectationResult, ToolCallSeen, TurnResult
from harness.scenario.expect import WantedTool
from harness.text.as_read import as_read
from harness.text.plain_text import clipped

NO_TOOL_CALLS = "the service reported no tool call (voice.tool_call) in the whole call"
FAILED_CALL = "it was called, and the call failed"
_SHOWN_CHARS = 300
_MOST_SHOWN = 5


def judge_tools(
    wanted: Sequence[WantedTool], turn: TurnResult, call: CallResult, place: str, *, reported: bool
) -> list[ExpectationResult]:
    """Judges each tool that a turn must call.

    It holds if the turn has a call of that name with these arguments, whether that call succeeded or not. It is
    undecided if the agent is not known to report its tool calls: then it may have called the tool all the same.

    Args:
        wanted: The tools.
        turn: The turn.
        call: Its call.
        place: Where the expectation is written.
        reported: Whether the agent is known to report its tool calls.
    """
    return [_judge_tool(tool, turn, call, place, reported=reported) for tool in wanted]


def tool_limit(tool: WantedTool) -> str:
    """Returns a wanted tool with its arguments, as the limit of its expectation."""
    return tool.name if not tool.arguments else f"{tool.name} {_shown(tool.arguments)}"


def unreported(calls: Sequence[CallResult]) -> list[CallResult]:
    """Returns the calls without a tool call whose agent reported one in another of these calls.

    What was undecided in them can be decided: the agent reports its tool calls, and there were none.
    """
    reporting = {call.agent for call in calls if call.reports_tool_calls}
    return [
        call
        for call in calls
        if call.agent in reporting
        and not call.reports_tool_calls
        and any(expectation.expect == "calls_tool" for _, expectation in call.expectations())
    ]


def _judge_tool(
    tool: WantedTool, turn: TurnResult, call: CallResult, place: str, *, reported: bool
) -> ExpectationResult:
    result = ExpectationResult(expect="calls_tool", limit=tool_limit(tool), outcome="held", place=place)
    if not reported:
        result.outcome, result.why, result.by_agent = "undecided", NO_TOOL_CALLS, True
        return result
    named = [seen for seen in turn.tool_calls if seen.name == tool.name]
    fitting = [seen for seen in named if _has_arguments(seen, tool)]
    if not fitting:
        result.outcome, result.why = "failed", _why_not(tool, named, turn, call)
    elif not any(seen.ok for seen in fitting):
        result.why = FAILED_CALL
    return result


def _why_not(tool: WantedTool, named: Sequence[ToolCallSeen], turn: TurnResult, call: CallResult) -> str:
    if named:
        return f"it was called with {' and '.join(_shown(seen.arguments) for seen in named[:_MOST_SHOWN])}"
    elsewhere = list(_elsewhere(tool, turn, call))
    if elsewhere:
        return f"it was not called in this turn, but {' and '.join(elsewhere[:_MOST_SHOWN])}"
    others = list(dict.fromkeys(seen.name for seen in turn.tool_calls))
    if others:
        return f"the agent called {', '.join(others[:_MOST_SHOWN])} instead"
    return "the agent called no tool in this turn"


def _elsewhere(tool: WantedTool, turn: TurnResult, call: CallResult) -> Iterator[str]:
    """Where else in the call the tool was called."""
    greeting = call.greeting.tool_calls if call.greeting is not None else []
    if any(seen.name == tool.name for seen in greeting):
        yield "before turn 1"
    for other in call.turns:
        if other.turn != turn.turn and any(seen.name == tool.name for seen in other.tool_calls):
            yield f"in turn {other.turn}"


def _has_arguments(seen: ToolCallSeen, tool: WantedTool) -> bool:
    return all(
        name in seen.arguments and _is_same(seen.arguments[name], value)
        for name, value in (tool.arguments or {}).items()
    )


def _is_same(found: Any, wanted: str) -> bool:
    """Whether an argument is the text, or the number, that a scenario wants."""
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    if _compared(text) == _compared(wanted):
        return True
    try:
        return not isinstance(found, bool) and float(text) == float(wanted)
    except ValueError:
        return False


def _compared(text: str) -> str:
    return as_read(text).casefold()


def _shown(arguments: dict[str, Any]) -> str:
    return clipped(json.dumps(arguments, ensure_ascii=False), _SHOWN_CHARS)
