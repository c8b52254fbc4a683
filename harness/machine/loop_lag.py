"""Event-loop lag: schedules a tick at each deadline and measures how late the loop runs it.

Each tick also reads what the loop's thread did (`stall`), and once a second what the machine was busy with.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from harness.clock import NS_PER_MS, NS_PER_S, Clock
from harness.machine.meter import Machine, MachineSecond
from harness.machine.own_work import OWN_WORK
from harness.machine.stall import Stall

TICK_NS = 20 * NS_PER_MS
TELL_NS = 10 * NS_PER_MS
KEPT_NS = 3 * NS_PER_S

OnLag = Callable[[int, int, Stall], None]


class LoopLag:
    """The process's lag monitor; lags over 10 ms are reported to all calls at once.

    A call receives the tick's deadline, its lag, and what happened meanwhile. `machine` is the machine's last
    one-second reading; None before the first.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: deque[tuple[int, int]] = deque()
        self._watchers: set[OnLag] = set()
        self._task: asyncio.Task[None] | None = None
        self.machine: MachineSecond | None = None

    async def __aenter__(self) -> LoopLag:
        OWN_WORK.watch_collector()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        OWN_WORK.unwatch_collector()

    def watch(self, on_lag: OnLag) -> None:
        """Reports each further lag over 10 ms to `on_lag`."""
        self._watchers.add(on_lag)

    def unwatch(self, on_lag: OnLag) -> None:
        """Undoes `watch`."""
        self._watchers.discard(on_lag)

    def longest_ns(self, since_ns: int) -> int:
        """The longest lag of the ticks since `since_ns`, which is at most 3 s ago."""
        return max((late_ns for due_ns, late_ns in self._recent if due_ns >= since_ns), default=0)

    async def _run(self) -> None:
        due_ns = self._clock.now_ns()
        machine, read_ns = Machine(self._clock), due_ns + NS_PER_S
        try:
            await self._tick(machine, due_ns, read_ns)
        finally:
            machine.close()

    async def _tick(self, machine: Machine, due_ns: int, read_ns: int) -> None:
        before = machine.thread.read()
        while True:
            due_ns += TICK_NS
            await self._clock.sleep_until_ns(due_ns)
            now = machine.thread.read()
            late_ns = max(0, now.at_ns - due_ns)
            self._recent.append((due_ns, late_ns))
            while due_ns - self._recent[0][0] > KEPT_NS:
                self._recent.popleft()
            if late_ns > TELL_NS:
                stall = machine.thread.stall(before, now)
                for watcher in list(self._watchers):
                    watcher(due_ns, late_ns, stall)
                due_ns += late_ns // TICK_NS * TICK_NS
            before = now
            if due_ns >= read_ns:
                self.machine = machine.read()
                read_ns = due_ns + NS_PER_S
