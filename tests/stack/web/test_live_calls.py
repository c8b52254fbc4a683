"""The table of calls: kept by what the stack is told anyway, and bounded."""

from __future__ import annotations

from harness.stack.web.live_calls import KEPT_OVER, MOST_CALLS, LiveCalls


async def ignored(_room: str, _on: bool) -> None: ...


def test_the_last_calls_that_are_over_stay_for_a_while() -> None:
    calls = LiveCalls(ignored)
    for number in range(KEPT_OVER + 10):
        calls.begun(f"call-{number}", "demo", "caller")
        calls.over(f"call-{number}")
        calls.over(f"call-{number}")
    told = calls.told(1000)
    assert told["under_way"] == 0
    assert [call["room"] for call in told["calls"]][:2] == [f"call-{KEPT_OVER + 9}", f"call-{KEPT_OVER + 8}"]
    assert len(told["calls"]) == KEPT_OVER


def test_calls_whose_end_is_never_told_do_not_grow_without_end() -> None:
    calls = LiveCalls(ignored)
    for number in range(MOST_CALLS + 10):
        calls.begun(f"call-{number}", "demo", "caller")
    assert calls.told(5)["under_way"] == MOST_CALLS
    assert calls.find("call-9") is None


def test_a_room_whose_callers_share_it_is_one_call_and_can_come_again() -> None:
    calls = LiveCalls(ignored)
    calls.begun("call-1", "demo", "caller")
    calls.met("call-1")
    calls.begun("call-1", "demo", "caller")
    assert calls.told(5)["calls"][0]["state"] == "live"
    calls.over("call-1")
    calls.met("call-1")
    calls.begun("call-1", "demo", "caller")
    assert [call["state"] for call in calls.told(5)["calls"]] == ["waiting"]


def test_what_is_told_of_a_room_that_is_not_known_changes_nothing() -> None:
    calls = LiveCalls(ignored)
    calls.met("call-1")
    calls.over("call-1")
    calls.framed("call-1", 0, {})
    assert calls.told(5) == {"calls": [], "under_way": 0}
