"""The calls that a driver waits for: each ends once, with what came first, and none that is over is touched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.errors import OwnFailure
from harness.shards.awaited import AwaitedCalls

LOST = OwnFailure("harness.shard_died", "it is gone")


def awaited() -> AwaitedCalls[asyncio.Future[dict[str, Any]]]:
    return AwaitedCalls(asyncio.get_running_loop().create_future)


async def test_a_call_ends_with_its_result_and_a_later_failure_is_nothing() -> None:
    calls = awaited()
    waiter = calls.begin("a")
    calls.end("a", {"ok": True})
    calls.fail({"a": LOST})
    assert await waiter == {"ok": True}


async def test_only_the_calls_that_were_lost_fail() -> None:
    calls = awaited()
    lost, running = calls.begin("a"), calls.begin("b")
    calls.fail({"a": LOST})
    calls.end("a", {"ok": True})
    with pytest.raises(OwnFailure, match="it is gone"):
        await lost
    assert not running.done()


async def test_what_is_heard_of_a_call_that_is_over_has_no_effect() -> None:
    calls = awaited()
    waiter = calls.begin("a")
    calls.leave("a")
    calls.end("a", {})
    calls.fail({"a": LOST, "unknown": LOST})
    assert not waiter.done()


async def test_a_waiter_that_was_cancelled_is_left_alone() -> None:
    calls = awaited()
    waiter = calls.begin("a")
    waiter.cancel()
    calls.end("a", {})
    assert waiter.cancelled()
