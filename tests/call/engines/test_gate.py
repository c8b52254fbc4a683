"""Many joins at once: our own loop is waited for, a server never."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from harness.call.engines.gate import LATE_S, MOST_STEPS, STEP_S, Gate
from tests.call.world import in_virtual_time


def test_a_server_that_takes_long_keeps_no_other_call_from_asking_it() -> None:
    async def work() -> list[float]:
        gate, loop = Gate(), asyncio.get_running_loop()
        all_begun, answered = asyncio.Event(), asyncio.Event()
        begun: list[float] = []

        async def join() -> None:
            await gate.wait()
            begun.append(loop.time())
            if len(begun) == 24:
                all_begun.set()
            await answered.wait()

        begins = loop.time()
        joins = [asyncio.create_task(join()) for _ in range(24)]
        await all_begun.wait()  # not one of them has been answered
        answered.set()
        await asyncio.gather(*joins)
        return [at - begins for at in begun]

    begun = in_virtual_time(work())
    assert begun[0] == 0  # nobody is waited for where nobody was before
    assert begun[-1] < 24 * STEP_S
    gaps = [after - before for before, after in pairwise(begun)]
    assert min(gaps) > STEP_S * 0.99  # each begins by itself


async def test_a_loop_that_is_busy_is_waited_for_and_not_without_end() -> None:
    gate, loop = Gate(), asyncio.get_running_loop()
    begun: list[float] = []
    busy = True

    def work() -> None:
        time.sleep(STEP_S + 3 * LATE_S)
        if busy:
            loop.call_soon(work)

    async def join() -> None:
        await gate.wait()
        begun.append(loop.time())

    loop.call_soon(work)
    await asyncio.gather(join(), join())
    busy = False
    assert begun[1] - begun[0] >= 2 * STEP_S * MOST_STEPS  # it was too late at each step
