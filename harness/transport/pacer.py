"""The process's pacer: runs each job once per packet time, slot by slot, by absolute deadlines, and reads the sockets.

A packet's 20 ms are divided into slots of 10 ms, so that the calls do not all send at one moment while the event loop
wakes up only 100 times a second, however many there are. Wake-ups are expensive: slots of 5 ms made a call cost a fifth
more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.clock import NS_PER_MS, NS_PER_S, Clock
from harness.machine.own_work import OWN_WORK

PACKET_NS = 20 * NS_PER_MS
SLOTS = 2
SLOT_NS = PACKET_NS // SLOTS
SKIP_AFTER_NS = 200 * NS_PER_MS  # beyond this lag the missed time is skipped instead of sent in a burst

Job = Callable[[int, int], None]  # called with its deadline and the current time (ns)


class Pacer:
    """Runs each job every 20 ms while it is in use: in each slot the senders first, then the listeners.

    Args:
        clock: Time source; the event loop's timers do the waiting.
        flush: Called once all senders of a slot have queued their packets.
        read: Called after `flush`, before the listeners.
    """

    def __init__(self, clock: Clock, *, flush: Callable[[], None], read: Callable[[], None]) -> None:
        self._clock = clock
        self._flush = flush
        self._read = read
        self._senders: list[list[Job]] = [[] for _ in range(SLOTS)]
        self._listeners: list[list[Job]] = [[] for _ in range(SLOTS)]
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due_ns = 0
        self._slot = 0

    def acquire(self) -> None:
        """Adds a user; the first one starts the slots."""
        self._users += 1
        if self._timer is None:
            self._due_ns = self._clock.now_ns()
            self._schedule()

    def release(self) -> None:
        """Removes a user; the last one stops the slots."""
        self._users -= 1
        if self._users == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def add_sender(self, job: Job) -> None:
        """Runs `job` from now on, in the slot with the fewest senders."""
        min(self._senders, key=len).append(job)

    def add_listener(self, job: Job) -> None:
        """Runs `job` from now on, after received packets have been read, in the slot with the fewest listeners."""
        min(self._listeners, key=len).append(job)

    def remove(self, job: Job) -> None:
        """Stops running `job`."""
        for slot in (*self._senders, *self._listeners):
            if job in slot:
                slot.remove(job)

    def _schedule(self) -> None:
        wait_s = max(0, self._due_ns - self._clock.now_ns()) / NS_PER_S
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._run)

    def _run(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns - self._due_ns > SKIP_AFTER_NS:
            self._due_ns += (now_ns - self._due_ns) // PACKET_NS * PACKET_NS
        passed: list[tuple[int, int]] = []
        began_ns = OWN_WORK.now_ns()
        while self._due_ns <= now_ns:
            for job in list(self._senders[self._slot]):
                job(self._due_ns, now_ns)
            self._flush()
            passed.append((self._slot, self._due_ns))
            self._slot = (self._slot + 1) % SLOTS
            self._due_ns += SLOT_NS
        OWN_WORK.done("sending", began_ns)
        began_ns = OWN_WORK.now_ns()
        self._read()
        for slot, due_ns in passed:
            for job in list(self._listeners[slot]):
                job(due_ns, self._clock.now_ns())
        OWN_WORK.done("hearing", began_ns)
        if self._users:
            self._schedule()
