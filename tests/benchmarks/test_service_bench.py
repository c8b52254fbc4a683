"""The session service on one core: 200 session requests a second, and a list of 1,000 agents.

An open model: each request has a time at which it is due, whatever became of the others, and its time counts from then,
so that a service that falls behind shows it. The service is a process on a core of its own; the requests come from this
one. Its own lateness is measured and belongs to the figures too: a request that is sent late counts from its due time.

The database is in memory, or in a file as with `--data`. What a session costs the LiveKit server and the agents, which
are other processes, is not in it. Limits: p99 of a session below 50 ms, the list (median) below 100 ms. Figures go to
`reports/bench/latest.json` under "service".
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from latest import record
from processes import cpu_s
from rich.console import Console

PROGRAM = Path(__file__).with_name("service.py")
RATE_PER_S = int(os.environ.get("SERVICE_RATE", "200"))
LASTS_S = float(os.environ.get("SERVICE_S", "20"))
WARM_UP_S = 2.0
AGENTS = 1000
LISTS = 20
P99_LIMIT_MS, LIST_LIMIT_MS = 50.0, 100.0


@dataclass(frozen=True)
class Served:
    """A running service: where it is, its key, one of its agents, and its process."""

    url: str
    key: str
    agent: str
    pid: int


@asynccontextmanager
async def service(data: Path | None) -> AsyncIterator[Served]:
    """The service on the last core, and this process on the others."""
    *ours, core = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, ours or [core])
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        settings = {"data": None if data is None else str(data), "agents": AGENTS, "core": core}
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        yield Served(**json.loads(await process.stdout.readline()), pid=process.pid)
    finally:
        process.stdin.close()
        await process.wait()
        os.sched_setaffinity(0, {*ours, core})


async def sessions(served: Served, http: aiohttp.ClientSession, lasts_s: float) -> tuple[list[float], list[float]]:
    """Requests sessions at the rate; each one's milliseconds from its due time, and how late it was sent."""
    took_ms, late_ms = [], []
    began_s = time.monotonic()

    async def one(due_s: float) -> None:
        late_ms.append(1000 * (time.monotonic() - due_s))
        async with http.post(served.url, json={"agent": served.agent, "language": "en"}) as answer:
            assert answer.status == 200
            await answer.read()
        took_ms.append(1000 * (time.monotonic() - due_s))

    async with asyncio.TaskGroup() as group:
        for number in range(round(RATE_PER_S * lasts_s)):
            due_s = began_s + number / RATE_PER_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            group.create_task(one(due_s))
    return took_ms, late_ms


async def lists(served: Served, http: aiohttp.ClientSession) -> list[float]:
    """Lists all agents, one time after the other; milliseconds of each."""
    took_ms = []
    for _ in range(LISTS):
        began_s = time.monotonic()
        async with http.get(served.url.removesuffix("agent-session/")) as answer:
            listed = json.loads(await answer.read())["data"]["agents"]
        took_ms.append(1000 * (time.monotonic() - began_s))
        assert len(listed) == AGENTS
    return took_ms


def percentile(values: list[float], percent: float) -> float:
    """By the nearest rank."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


@pytest.mark.parametrize("kept", ["in memory", "with --data"])
async def test_the_service_on_one_core(tmp_path: Path, kept: str) -> None:
    headers = {"Content-Type": "application/json"}
    async with service(None if kept == "in memory" else tmp_path) as served:
        headers["x-api-key"] = served.key
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(headers=headers, connector=connector) as http:
            await sessions(served, http, WARM_UP_S)
            used_s, began_s = cpu_s([served.pid]), time.monotonic()
            took_ms, late_ms = await sessions(served, http, LASTS_S)
            cpu_percent = 100 * (cpu_s([served.pid]) - used_s) / (time.monotonic() - began_s)
            listed_ms = await lists(served, http)
    figures = {
        "rate_per_s": RATE_PER_S,
        "p50_ms": round(percentile(took_ms, 50), 1),
        "p99_ms": round(percentile(took_ms, 99), 1),
        "max_ms": round(max(took_ms), 1),
        "sent_late_p99_ms": round(percentile(late_ms, 99), 1),
        "cpu_percent": round(cpu_percent, 1),
        "list_median_ms": round(statistics.median(listed_ms), 1),
        "list_max_ms": round(max(listed_ms), 1),
    }
    record("service", {kept: figures})
    told = ", ".join(f"{name} {value}" for name, value in figures.items())
    Console(width=160).print(f"{kept}: {told}", highlight=False)
    assert percentile(took_ms, 99) < P99_LIMIT_MS
    assert statistics.median(listed_ms) < LIST_LIMIT_MS
