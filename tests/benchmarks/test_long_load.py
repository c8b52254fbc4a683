"""What many calls leave behind: a shard's memory after hundreds of short calls, and how late calls at a rate start.

Memory is that of the shards between calls, all of them ended: after the first hundred, and after all. A process of
engine `sdk` ends after fifty calls and another takes its place: there it is ten calls earlier, so that the process that
lives has made forty. Both engines run at once, each in its shards: nothing here is timed.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from latest import record
from processes import rss_mb
from rich.console import Console
from sides import pool_of, prepared

from harness.call.engines.make import EngineName
from harness.caller.prepare import Prepared
from harness.clock import SystemClock
from harness.record.result import CallResult
from harness.run.pacing import plan_pace
from harness.run.slots import Runner
from harness.shards.pool import ShardPool
from harness.shards.size import CALLS_OF_A_SHARD
from harness.stack.embedded import EmbeddedStack, StackAddress

FIRST = int(os.environ.get("LONG_LOAD_FIRST", "100"))
CALLS: dict[EngineName, int] = {
    "light": int(os.environ.get("LONG_LOAD_LIGHT", "1000")),
    "sdk": int(os.environ.get("LONG_LOAD_SDK", "400")),
}
AT_ONCE: dict[EngineName, int] = {"light": 20, "sdk": 5}
EARLIER = 10
RETIRES_S, LOOK_S = 30.0, 0.1
MOST_GROWTH = 0.05
RATE_PER_MIN = 240.0
ARRIVALS_S = float(os.environ.get("ARRIVALS_S", "30"))
MOST_LATE_MS = 50.0
AGENTS = {"agents": {"short": {"prompt": "Yes.", "greeting": "Yes.", "ear": "none", "brain": "fixed"}}}
SCENARIO = {"name": "short", "timeouts": {"end_silence": "500ms"}, "turns": [{"type": "One"}]}


async def short_calls(folder: Path) -> tuple[EmbeddedStack, Prepared]:
    """A stack whose agent says next to nothing, and a scenario of one typed text."""
    (folder / "agents.yaml").write_text(json.dumps(AGENTS), encoding="utf-8")
    (folder / "short.yaml").write_text(json.dumps(SCENARIO), encoding="utf-8")
    stack = await EmbeddedStack.start(say=print, warm=("short",), agents_file=folder / "agents.yaml")
    return stack, await prepared(folder / "short.yaml", stack.address, "short")


async def some(pool: ShardPool, scenario: Prepared, numbers: range, at_once: int) -> list[CallResult]:
    """Makes calls, so many at once, to the end of the last."""
    left: Iterator[int] = iter(numbers)

    async def slot() -> list[CallResult]:
        return [await pool.start(f"{number:04d}", scenario).make() for number in left]

    ended = await asyncio.gather(*(slot() for _ in range(at_once)))
    return [result for each in ended for result in each]


async def growth(stack: StackAddress, engine: EngineName, scenario: Prepared, folder: Path) -> tuple[float, float, int]:
    """A shard's memory (MB) after the first calls and after all, and how many calls went well."""
    at_once = AT_ONCE[engine]
    earlier = 0 if CALLS_OF_A_SHARD[engine] is None else EARLIER
    first, last = FIRST - earlier, CALLS[engine] - earlier
    async with pool_of(stack, engine, scenario, folder / engine, most=at_once) as pool:
        results = await some(pool, scenario, range(first), at_once)
        before_mb = rss_mb([await the_one(pool)])
        results += await some(pool, scenario, range(first, last), at_once)
        after_mb = rss_mb([await the_one(pool)])
        assert not pool.died
        return before_mb, after_mb, sum(result.ok is True for result in results)


async def the_one(pool: ShardPool) -> int:
    """The process that is left once those that retire have ended."""
    for _ in range(round(RETIRES_S / LOOK_S)):
        if len(pool.pids) == 1:
            break
        await asyncio.sleep(LOOK_S)
    (pid,) = pool.pids
    return pid


def test_memory_stays(tmp_path: Path) -> None:
    async def both() -> list[tuple[float, float, int]]:
        stack, scenario = await short_calls(tmp_path)
        async with stack:
            return await asyncio.gather(*(growth(stack.address, engine, scenario, tmp_path) for engine in CALLS))

    found = dict(zip(CALLS, asyncio.run(both()), strict=True))
    grown = {engine: round(after / before - 1, 4) for engine, (before, after, _) in found.items()}
    record("scale", {"memory_growth": grown})
    for engine, (before_mb, after_mb, went_well) in found.items():
        told = f"{before_mb:.1f} MB after {FIRST} calls, {after_mb:.1f} after {CALLS[engine]} ({went_well} went well)"
        Console().print(f"{engine:5} {told}: {grown[engine]:+.1%}", highlight=False)
    assert {engine: share for engine, share in grown.items() if share > MOST_GROWTH} == {}
    least = {engine: 0.99 * (calls - EARLIER) for engine, calls in CALLS.items()}
    assert {engine: went_well for engine, (*_, went_well) in found.items() if went_well < least[engine]} == {}


def test_calls_at_a_rate_start_when_they_are_due(tmp_path: Path) -> None:
    async def arrivals() -> list[CallResult]:
        stack, scenario = await short_calls(tmp_path)
        pace = plan_pace(scenarios=1, calls=None, repeat=1, rate_per_min=RATE_PER_MIN, duration_s=ARRIVALS_S)
        async with stack, pool_of(stack.address, "light", scenario, tmp_path / "run") as pool:
            ended: list[CallResult] = []
            runner = Runner(
                [scenario],
                pace,
                start=lambda wanted: pool.start(wanted.call, wanted.scenario, wanted.due_ns),
                ended=ended.append,
                clock=SystemClock(),
            )
            await runner.run()
            return ended

    late_ms = [result.start_late_ms for result in asyncio.run(arrivals()) if result.start_late_ms is not None]
    p99_ms = float(np.percentile(late_ms, 99))
    record("scale", {"arrival_late_p99_ms": round(p99_ms, 2), "arrivals": len(late_ms)})
    Console().print(f"{len(late_ms)} arrivals at {RATE_PER_MIN:g} a minute: late p99 {p99_ms:.1f} ms", highlight=False)
    assert len(late_ms) == int(RATE_PER_MIN * ARRIVALS_S / 60)
    assert p99_ms < MOST_LATE_MS
