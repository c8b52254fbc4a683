"""What a call costs: CPU and memory of the processes that make the calls, side by side with the plain client.

The sides take turns, each with as many calls as the table says, and each is looked at once all its calls are past their
joins. The other side of all is the agent `light` of one embedded stack, whose CPU is not counted.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from pathlib import Path
from typing import Any

from latest import record
from processes import cpu_s, rss_mb
from rich.console import Console
from sides import Side, side_of

from harness.stack.embedded import EmbeddedStack

ROUNDS = int(os.environ.get("SCALE_ROUNDS", "2"))
WINDOW_S = float(os.environ.get("SCALE_WINDOW_S", "20"))
SETTLE_S = 3.0  # decoders, jitter buffers and the joins' own rubbish
PLAIN, SDK, FEWER, MORE = ("plain", 5), ("sdk", 5), ("light", 20), ("light", 40)
MOST_OF_PLAIN = {FEWER: 0.06, MORE: 0.045, SDK: 1.0}
MOST_MB_PER_CALL = 1.0

Configuration = tuple[str, int]


async def cost(side: Side, calls: int) -> tuple[float, float]:
    """CPU a call in percent of a core, and the processes' memory in MB."""
    async with side:
        await side.have(calls)
        await asyncio.sleep(SETTLE_S)
        used_s, began_s = cpu_s(side.pids), time.monotonic()
        await asyncio.sleep(WINDOW_S)
        percent = 100 * (cpu_s(side.pids) - used_s) / (time.monotonic() - began_s) / calls
        return percent, rss_mb(side.pids)


async def rounds(folder: Path) -> dict[Configuration, list[tuple[float, float]]]:
    """What each configuration costs, a round each time."""
    found: dict[Configuration, list[tuple[float, float]]] = {PLAIN: [], FEWER: [], SDK: [], MORE: []}
    async with await EmbeddedStack.start(say=print, warm=("light",)) as stack:
        for number in range(ROUNDS):
            for (name, calls), seen in found.items():
                side = side_of(name, calls, stack.address, folder / f"{number}-{name}-{calls}")
                seen.append(await cost(side, calls))
    return found


def test_what_a_call_costs(tmp_path: Path) -> None:
    found = asyncio.run(rounds(tmp_path))
    percent = {each: statistics.fmean(cpu for cpu, _ in seen) for each, seen in found.items()}
    memory = {each: statistics.fmean(mb for _, mb in seen) for each, seen in found.items()}
    mb_per_call = (memory[MORE] - memory[FEWER]) / (MORE[1] - FEWER[1])
    ratios = {each: percent[each] / percent[PLAIN] for each in MOST_OF_PLAIN}
    record(
        "scale",
        {
            "cpu_percent_per_call": _by_name({each: round(value, 3) for each, value in percent.items()}),
            "cpu_of_plain": _by_name({each: round(value, 4) for each, value in ratios.items()}),
            "mb_per_call": round(mb_per_call, 2),
            "shard_mb": _by_name({each: round(value, 1) for each, value in memory.items()}),
        },
    )
    for each, seen in found.items():
        told = ", ".join(f"{cpu:.2f} %" for cpu, _ in seen)
        of_plain = f", {ratios[each]:.3f} of plain" if each in ratios else ""
        Console().print(f"{each[0]:5} {each[1]:3} calls: {told} of a core a call{of_plain}", highlight=False)
    Console().print(f"a further light call: {mb_per_call:.2f} MB", highlight=False)
    assert {each: ratio for each, ratio in ratios.items() if ratio > MOST_OF_PLAIN[each]} == {}
    assert mb_per_call <= MOST_MB_PER_CALL


def _by_name(values: dict[Configuration, Any]) -> dict[str, dict[str, Any]]:
    names = dict.fromkeys(name for name, _ in values)
    return {name: {str(calls): value for (other, calls), value in values.items() if other == name} for name in names}
