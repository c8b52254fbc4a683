"""A clock that the test moves, and tasks that run until all of them wait."""

from __future__ import annotations

import asyncio

from harness.clock import NS_PER_S
from harness.testing import FakeClock


class HandClock(FakeClock):
    """Time passes when the test says so: `passed` wakes those whose deadline has come, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._sleeping: list[tuple[int, asyncio.Future[None]]] = []

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        if deadline_ns > self.now_ns():
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._sleeping.append((deadline_ns, woken))
            await woken
        await asyncio.sleep(0)

    async def passed(self, seconds: float) -> None:
        until_ns = self.now_ns() + round(seconds * NS_PER_S)
        await settle()
        while due := sorted((one for one in self._sleeping if one[0] <= until_ns), key=lambda one: one[0]):
            self.advance((due[0][0] - self.now_ns()) / NS_PER_S)
            self._sleeping.remove(due[0])
            if not due[0][1].done():
                due[0][1].set_result(None)
            await settle()
        self.advance((until_ns - self.now_ns()) / NS_PER_S)
        await settle()


async def settle() -> None:
    """Lets every task run until all of them wait."""
    for _ in range(20):
        await asyncio.sleep(0)
