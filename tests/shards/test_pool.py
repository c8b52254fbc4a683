"""Calls in processes of their own: real shards, a session service that answers as it is told."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.call.engines.make import EngineName
from harness.caller.prepare import Prepared
from harness.clock import SystemClock
from harness.errors import StackError, UsageError
from harness.record.result import CallResult
from harness.shards import silence
from harness.shards.policy import WAIT_S
from harness.shards.pool import ShardPool
from harness.shards.protocol import ShardOrder
from harness.testing import FakeSessionService, hanging, refusal
from tests.prepared import prepared

KEY = "sk_live_tests_only_0123456789"


def order(folder: Path, url: str, *, engine: EngineName = "light", rate: float | None = None) -> ShardOrder:
    (folder / "timelines").mkdir(exist_ok=True)
    return ShardOrder(
        engine=engine,
        prepared="",
        directory=str(folder),
        record="none",
        target="fake",
        described="fake",
        kind="session",
        url=url,
        api_key=KEY,
        seed=1,
        session_rate_per_min=rate,
    )


async def make_all(pool: ShardPool, scenario: Prepared, names: list[str]) -> list[CallResult]:
    return list(await asyncio.gather(*(pool.start(name, scenario).make() for name in names)))


@asynccontextmanager
async def pool_with_a_call(
    folder: Path, call: str, scenario: Prepared
) -> AsyncIterator[tuple[ShardPool, asyncio.Future[CallResult]]]:
    """A pool with this call under way, whose session request is never answered."""
    async with (
        FakeSessionService(hanging()) as service,
        ShardPool(order(folder, service.url), [scenario], clock=SystemClock()) as pool,
    ):
        running = asyncio.ensure_future(pool.start(call, scenario).make())
        await service.wait_for_requests(1)
        yield pool, running


async def test_a_call_is_made_in_a_process_of_its_own_and_its_result_comes_back(tmp_path: Path) -> None:
    scenario = prepared("x")
    async with (
        FakeSessionService(refusal(503)) as service,
        ShardPool(order(tmp_path, service.url), [scenario], clock=SystemClock()) as pool,
    ):
        (result,) = await make_all(pool, scenario, ["0001-x"])
        assert os.getpid() not in pool.pids
    assert (result.call, result.failure, result.engine) == ("0001-x", "session.server_error", "light")
    assert service.requests[0].headers["x-api-key"] == KEY
    assert (tmp_path / "timelines" / "0001-x.jsonl").exists()


async def test_a_shard_that_is_killed_costs_its_own_calls_and_another_takes_its_place(tmp_path: Path) -> None:
    scenario = prepared("x")
    async with (
        FakeSessionService([hanging(), hanging(), refusal(503)]) as service,
        ShardPool(order(tmp_path, service.url), [scenario], clock=SystemClock()) as pool,
    ):
        running = [asyncio.ensure_future(pool.start(name, scenario).make()) for name in ("a", "b")]
        await service.wait_for_requests(2)
        (first,) = pool.pids
        os.kill(first, signal.SIGKILL)
        lost = await asyncio.gather(*running)
        (after,) = await make_all(pool, scenario, ["c"])
        assert pool.pids != [first]
    assert [(result.call, result.failure, result.ok) for result in lost] == [
        ("a", "harness.shard_died", False),
        ("b", "harness.shard_died", False),
    ]
    assert "SIGKILL" in lost[0].failures[0].what
    assert after.failure == "session.server_error"


async def test_a_shard_that_is_frozen_is_ended_and_costs_its_own_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENT_S", 4.0)
    scenario = prepared("x")
    async with pool_with_a_call(tmp_path, "a", scenario) as (pool, running):
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        lost = await running
        assert pool.pids == []
    assert (lost.failure, lost.ok) == ("harness.shard_died", False)
    assert "it sent nothing for 4 s" in lost.failures[0].what


async def test_a_cut_reaches_the_call_and_the_end_of_the_pool_cuts_what_runs(tmp_path: Path) -> None:
    scenario = prepared("x")
    async with FakeSessionService(hanging()) as service:
        async with ShardPool(order(tmp_path, service.url), [scenario], clock=SystemClock()) as pool:
            calls = [pool.start(name, scenario) for name in ("a", "b")]
            running = [asyncio.ensure_future(call.make()) for call in calls]
            await service.wait_for_requests(2)
            calls[0].cut()
            cut = await running[0]
            (pid,) = pool.pids
        left = await running[1]
    assert (cut.cut, cut.ok, left.cut) == (True, None, True)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_call_that_is_due_later_starts_then_and_says_how_late(tmp_path: Path) -> None:
    scenario, clock = prepared("x"), SystemClock()
    async with (
        FakeSessionService(refusal(503)) as service,
        ShardPool(order(tmp_path, service.url), [scenario], clock=clock) as pool,
    ):
        due_ns = clock.now_ns() + 200_000_000
        result = await pool.start("a", scenario, due_ns).make()
        assert clock.now_ns() > due_ns
    assert result.start_late_ms is not None
    assert result.start_late_ms >= 0


async def test_sessions_are_asked_for_at_the_rate(tmp_path: Path) -> None:
    scenario, clock = prepared("x"), SystemClock()
    async with (
        FakeSessionService(refusal(503)) as service,
        ShardPool(order(tmp_path, service.url, rate=600), [scenario], clock=clock, most=1) as pool,
    ):
        started_ns = clock.now_ns()
        results = await make_all(pool, scenario, ["a", "b", "c", "d"])
        assert clock.now_ns() - started_ns >= 3 * 100_000_000
    assert all((result.session_create_ms is None) and result.failure for result in results)


async def test_a_target_that_cannot_be_called_is_told_before_any_call(tmp_path: Path) -> None:
    pool = ShardPool(order(tmp_path, "ftp://127.0.0.1/"), [prepared("x")], clock=SystemClock())
    with pytest.raises(UsageError):
        await pool.__aenter__()
    assert pool.pids == []


async def test_a_shard_that_has_made_its_calls_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.shards.policy.CALLS_OF_A_SHARD", {"light": 2})
    scenario = prepared("x")
    async with (
        FakeSessionService(refusal(503)) as service,
        ShardPool(order(tmp_path, service.url), [scenario], clock=SystemClock()) as pool,
    ):
        (first,) = pool.pids
        for name in ("a", "b", "c"):
            (result,) = await make_all(pool, scenario, [name])
            assert result.failure == "session.server_error"
        assert first not in pool.pids
        assert pool.died == 0


async def test_a_call_that_is_cut_before_its_shard_is_ready_has_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.shards.policy.CALLS_IN_A_SHARD", {"light": 1})
    scenario = prepared("x")
    async with (
        FakeSessionService(hanging()) as service,
        ShardPool(order(tmp_path, service.url), [scenario], clock=SystemClock()) as pool,
    ):
        calls = [pool.start(name, scenario) for name in ("a", "b", "c")]
        calls[2].cut()
        running = [asyncio.ensure_future(call.make()) for call in calls]
        await service.wait_for_requests(1)
        for call in calls[:2]:
            call.cut()
        results = await asyncio.gather(*running)
        assert len(pool.pids) > 1
    assert [(result.call, result.cut, result.ok) for result in results] == [(name, True, None) for name in "abc"]


async def test_a_process_that_cannot_be_started_is_told_before_any_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.shards.pool.COMMAND", (str(tmp_path / "nothing"),))
    pool = ShardPool(order(tmp_path, "http://127.0.0.1/"), [prepared("x")], clock=SystemClock())
    with pytest.raises(StackError, match="did not start: it could not be started: No such file"):
        await pool.__aenter__()


async def test_a_shard_that_cannot_be_started_again_fails_its_calls_and_the_next_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = prepared("x")
    async with pool_with_a_call(tmp_path, "0", scenario) as (pool, running):
        os.kill(pool.pids[0], signal.SIGKILL)
        await running
        monkeypatch.setattr("harness.shards.pool.COMMAND", (str(tmp_path / "nothing"),))
        began_s = time.monotonic()
        results = [(await make_all(pool, scenario, [name]))[0] for name in ("a", "b")]
    assert [result.failure for result in results] == ["harness.shard_died"] * 2
    assert time.monotonic() - began_s >= WAIT_S


async def test_a_process_that_ends_at_once_is_told_with_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.shards.pool.COMMAND", (sys.executable, "-c", "import no_such_module"))
    pool = ShardPool(order(tmp_path, "http://127.0.0.1/"), [prepared("x")], clock=SystemClock())
    with pytest.raises(StackError) as failed:
        await pool.__aenter__()
    assert "No module named 'no_such_module'" in failed.value.what
    assert "Traceback" in failed.value.what
