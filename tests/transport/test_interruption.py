"""An interruption of a room's line is reported once as lost and once as over, however often it was lost meanwhile."""

from __future__ import annotations

import asyncio

from harness.testing.fake_clock import FakeClock
from harness.transport.interruption import Interruption
from tests.transport.rooms import Seen


def interrupted() -> tuple[Interruption, Seen, FakeClock]:
    seen, clock = Seen(), FakeClock()
    return Interruption(clock, seen), seen, clock


def reports(seen: Seen) -> list[tuple[str, str]]:
    return [seen.line.get_nowait() for _ in range(seen.line.qsize())]


def test_a_line_lost_twice_is_one_interruption_with_the_first_reason() -> None:
    interruption, seen, clock = interrupted()
    assert interruption.lost("a socket closed") == 0.0
    clock.advance(1.5)
    assert interruption.lost("it closed again") == 1.5
    interruption.over("signalling")
    interruption.over("signalling")
    assert interruption.why == "a socket closed"
    assert reports(seen) == [("reconnecting", "a socket closed"), ("reconnected", "signalling")]


async def test_it_is_over_once_the_time_is_up_in_which_the_server_may_restart_media() -> None:
    interruption, seen, _ = interrupted()
    interruption.lost("lost")
    interruption.over_in(0.01, "signalling")
    assert reports(seen) == [("reconnecting", "lost")]
    assert await asyncio.wait_for(seen.line.get(), 5) == ("reconnected", "signalling")


async def test_it_is_not_over_while_we_publish_again() -> None:
    interruption, seen, _ = interrupted()
    interruption.lost("lost")
    interruption.publishes_again()
    interruption.over_in(60, "signalling")
    interruption.over("media")
    assert reports(seen) == [("reconnecting", "lost")]
    interruption.published_again("signalling and media")
    assert reports(seen) == [("reconnected", "signalling and media")]


async def test_publishing_again_does_not_end_it_before_the_server_may_have_restarted_media() -> None:
    interruption, seen, _ = interrupted()
    interruption.lost("lost")
    interruption.publishes_again()
    interruption.over_in(60, "signalling")
    interruption.published_again("signalling and media")
    assert reports(seen) == [("reconnecting", "lost")]
    interruption.over("media")
    assert reports(seen) == [("reconnected", "media")]


async def test_a_room_that_ended_reports_nothing_more() -> None:
    interruption, seen, _ = interrupted()
    interruption.lost("lost")
    interruption.over_in(0.0, "signalling")
    interruption.end()
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.0, later.set)
    await later.wait()
    interruption.over("media")
    assert reports(seen) == [("reconnecting", "lost")]
