"""The one pacer of a process: calls a packet's time, slot by slot, by absolute deadlines; and reads what has come.

A packet's 20 ms are divided into slots of 10 ms: many calls do not all send at one moment, and the event loop wakes up
100 times a second however many there are. Waking up is dear: with slots of 5 ms, a call cost a fifth more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.clock import NS_PER_MS, NS_PER_S, Clock
from harness.machine.own_work import OWN_WORK

PACKET_NS = 20 * NS_PER_MS
SLOTS = 2
SLOT_NS = PACKET_NS // SLOTS
SKIP_AFTER_NS = 200 * NS_PER_MS  # further behind than this, the missed time is left out instead of sent in a burst

Job = Callable[[int, int], None]
"""Told when it was due and when it is (ns)."""


class Pacer:
    """Calls each job once in 20 ms, as long as anyone is there: in each slot those that send, then those that listen.

    Args:
        clock: Tells time; the event loop's timers wait.
        flush: Called when all of a slot's jobs have posted what they send.
        read: Called after it, before any listens.
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
        """Someone is there: slots begin."""
        self._users += 1
        if self._timer is None:
            self._due_ns = self._clock.now_ns()
            self._schedule()

    def release(self) -> None:
        """One of them has gone; without any, slots end."""
        self._users -= 1
        if self._users == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def add_sender(self, job: Job) -> None:
        """Calls it from now on, in the slot with the fewest of its kind."""
        min(self._senders, key=len).append(job)

    def add_listener(self, job: Job) -> None:
        """As `add_sender`, after what has come was read."""
        min(self._listeners, key=len).append(job)

    def remove(self, job: Job) -> None:
        """Calls it no more."""
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
