"""Which turn each tool call belongs to, and whose it is."""

from __future__ import annotations

from harness.record.result import ToolCallSeen
from tests.measure.timelines import CallMade


class Call(CallMade):
    def tool(self, at_ms: float, name: str, *, identity: str | None = "agent") -> Call:
        return self.event(at_ms, "agent.tool_call", name=name, arguments={}, result=None, ok=True, identity=identity)

    def junk(self, at_ms: float, *, identity: str | None = "agent") -> Call:
        return self.event(at_ms, "agent.tool_call.junk", why="not JSON", identity=identity)


def names(calls: list[ToolCallSeen]) -> list[str]:
    return [call.name for call in calls]


def test_a_tool_call_belongs_to_the_turn_before_until_the_turns_caller_has_ended() -> None:
    call = Call().tool(700, "greets").tool(4000, "still-greets").tool(5000, "at-the-end").tool(8990, "after-the-reply")
    call.say(3000, 5000, 9000)
    call.say(9200, 10_000, 14_000).tool(9050, "between").tool(9900, "while-speaking").tool(10_400, "second")
    call.wait(14_000, 16_000).tool(15_000, "in-the-wait")
    measured = call.hung_up(16_100).measured()
    assert measured.greeting is not None
    assert names(measured.greeting.tool_calls) == ["greets", "still-greets"]
    assert [names(turn.tool_calls) for turn in measured.turns] == [
        ["at-the-end", "after-the-reply", "between", "while-speaking"],
        ["second", "in-the-wait"],
    ]
    assert [tool.at_ms for tool in measured.turns[1].tool_calls] == [10_400.0, 15_000.0]
    assert measured.stray_tool_calls == 0


def test_a_turn_whose_caller_has_not_ended_has_none_and_loses_none() -> None:
    call = Call().say(3000, 5000, 9000).begun(9100).tool(9500, "late")
    first, second = call.hung_up(10_000).measured().turns
    assert (names(first.tool_calls), names(second.tool_calls)) == (["late"], [])


def test_tool_calls_of_each_agent_that_answered_count_and_those_of_others_do_not() -> None:
    call = Call().say(3000, 5000, 9000).tool(5100, "first").tool(5200, "nobody", identity=None)
    call.tool(5300, "observer", identity="observer").junk(5400, identity="observer").junk(5500)
    call.event(5600, "agent.handover", identity="agent", to="colleague").tool(5700, "second", identity="colleague")
    measured = call.hung_up(10_000).measured()
    assert names(measured.turns[0].tool_calls) == ["first", "nobody", "second"]
    assert (measured.other_tool_frames, measured.junk_tool_frames, measured.other_texts) == (2, 1, 0)


def test_without_a_greeting_those_before_the_first_turn_are_counted() -> None:
    call = Call(greeting=None, awaited=False).tool(700, "early").say(3000, 5000, 9000)
    measured = call.hung_up(10_000).measured()
    assert (measured.stray_tool_calls, measured.reports_tool_calls) == (1, True)
    assert not Call().say(3000, 5000, 9000).hung_up(9100).measured().reports_tool_calls
