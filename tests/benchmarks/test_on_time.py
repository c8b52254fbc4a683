"""How many calls two cores hold on time beside LiveKit server and agents: ours on engine `light`, and plain ones.

On time is the audio where it matters, at the agent's socket: 99 % of the packets within 20 ms of their RTP time, by a
process that looks at the interface (`packet_times.py`): it is independent of either side's own word. The plain client's
RTP clock runs on when it falls behind, with silence in the place of what was to be said: so it must have handed over
99 % of real time as well. The number of calls goes up until that does not hold, twice; both sides take turns.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
from latest import record
from rich.console import Console
from sides import PlainCalls, Side, side_of

from harness.stack.embedded import EmbeddedStack, StackAddress

SEARCHES = int(os.environ.get("ON_TIME_SEARCHES", "3"))
HOLD_S = float(os.environ.get("ON_TIME_HOLD_S", "8"))
SETTLE_S = 2.0
TRIES = 2  # what a machine does beside is no limit of a side
LEVELS = {"light": (30, 50, 60, 70, 80, 90, 100), "plain": (4, 6, 8, 10, 12, 14, 16, 20)}
ON_TIME = 0.99
LEAST_LIGHT = 60
LEAST_OF_PLAIN = 5.0
SNIFFER = (sys.executable, str(Path(__file__).with_name("packet_times.py")))


def agents_ports() -> list[int]:
    """The UDP ports of the agents' process of our stack."""
    ours = psutil.Process().children(recursive=True)
    agents = [process for process in ours if "harness.stack.agents" in process.cmdline()]
    return [socket.laddr.port for process in agents for socket in process.net_connections("udp")]


async def packets(seconds: float) -> tuple[int, float]:
    """How many calls were heard at the agents' sockets, and the share of their packets that were on time."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*SNIFFER, stdin=pipe, stdout=pipe)
    order = json.dumps({"ports": agents_ports(), "seconds": seconds})
    out, _ = await process.communicate(f"{order}\n".encode())
    streams = [json.loads(line) for line in out.splitlines()]
    sent = sum(stream["packets"] for stream in streams)
    late = sum(stream["late"] for stream in streams)
    return len({stream["port"] for stream in streams}), 1 - late / max(1, sent)


async def holds(side: Side, calls: int) -> tuple[bool, str]:
    """Whether so many calls are on time, and how it went."""
    try:
        await side.have(calls)
    except TimeoutError:
        return False, "they did not all join"
    await asyncio.sleep(SETTLE_S)
    before = await side.status() if isinstance(side, PlainCalls) else None
    heard, share = await packets(HOLD_S)
    told = f"{heard} heard, {share:.2%} on time"
    pushed = 1.0
    if isinstance(side, PlainCalls) and before is not None:
        after = await side.status()
        pushed = (after["pushed_s"] - before["pushed_s"]) / (after["at_s"] - before["at_s"]) / calls
        told += f", {pushed:.1%} of real time handed over"
    return heard >= calls and share >= ON_TIME and pushed >= ON_TIME, told


async def search(name: str, stack: StackAddress, folder: Path) -> int:
    """The most calls of a side that were on time, going up."""
    most = 0
    levels: Sequence[int] = LEVELS[name]
    async with side_of(name, levels[-1], stack, folder) as side:
        for calls in levels:
            for _ in range(TRIES):
                held, told = await holds(side, calls)
                Console().print(f"{name:5} {calls:3} calls: {told}", highlight=False)
                if held:
                    most = calls
                    break
            if most < calls:
                break
    return most


async def searches(folder: Path) -> dict[str, list[int]]:
    """What each search of each side came to."""
    found: dict[str, list[int]] = {name: [] for name in LEVELS}
    async with await EmbeddedStack.start(say=print, warm=("light",)) as stack:
        for number in range(SEARCHES):
            for name, seen in found.items():
                seen.append(await search(name, stack.address, folder / f"{number}-{name}"))
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="looking at packets needs root")
def test_how_many_calls_are_on_time(tmp_path: Path) -> None:
    found = asyncio.run(searches(tmp_path))
    most = {name: statistics.median_low(seen) for name, seen in found.items()}
    record("scale", {"max_calls_on_time": most, "max_calls_on_time_searches": found})
    Console().print(f"on time: {most}, of {found}", highlight=False)
    assert most["light"] >= LEAST_LIGHT
    assert most["light"] >= LEAST_OF_PLAIN * most["plain"]
