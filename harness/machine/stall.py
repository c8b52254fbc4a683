"""Why the event loop was late: whether its thread was computing, waiting for a CPU or stopped, and on what.

Read at each tick of the loop (10 us), so that a lag is explained by exactly the time it covers.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from harness.clock import Clock, ms
from harness.machine.own_work import OWN_WORK, OwnWork

SCHEDSTAT = Path("/proc/self/task")


@dataclass(frozen=True, slots=True)
class Stall:
    """What happened while the event loop was late, in ms; 0 for what did not.

    Attributes:
        cpu_ms: CPU time of the loop's thread: it was computing.
        others_ms: CPU time of our process's other threads, which hold the GIL while they compute.
        waited_ms: Time for which the loop's thread was runnable but had no CPU; 0 where the system does not report it.
        page_faults: How often our memory had to be read from disk.
        gc_ms: The garbage collector's pauses.
        disk_ms: A thread was writing to disk.
        measuring_ms: A thread was measuring a finished call.
        saving_ms: A thread was saving a finished call's recording.
        hearing_ms: Processing received packets.
        sending_ms: Sending packets.
        joining: Number of calls that were joining a room.
    """

    cpu_ms: float = 0.0
    others_ms: float = 0.0
    waited_ms: float = 0.0
    page_faults: int = 0
    gc_ms: float = 0.0
    disk_ms: float = 0.0
    measuring_ms: float = 0.0
    saving_ms: float = 0.0
    hearing_ms: float = 0.0
    sending_ms: float = 0.0
    joining: int = 0


@dataclass(frozen=True, slots=True)
class ThreadCounters:
    """Cumulative counters of the loop's thread: nanoseconds, and counts."""

    at_ns: int
    cpu_ns: int
    own_ns: int
    waited_ns: int
    page_faults: int
    preempted: int


class LoopThread:
    """Reads the counters of the thread that creates it: the event loop's."""

    def __init__(self, clock: Clock, ledger: OwnWork = OWN_WORK) -> None:
        self._clock = clock
        self._ledger = ledger
        self._schedstat: int | None = None
        with contextlib.suppress(OSError):
            self._schedstat = os.open(SCHEDSTAT / str(threading.get_native_id()) / "schedstat", os.O_RDONLY)

    def close(self) -> None:
        """Closes the files it reads."""
        if self._schedstat is not None:
            os.close(self._schedstat)
            self._schedstat = None

    def read(self) -> ThreadCounters:
        """The current counters."""
        used = resource.getrusage(resource.RUSAGE_THREAD if sys.platform == "linux" else resource.RUSAGE_SELF)
        return ThreadCounters(
            at_ns=self._clock.now_ns(),
            cpu_ns=time.thread_time_ns(),
            own_ns=time.process_time_ns(),
            waited_ns=self._waited_ns(),
            page_faults=used.ru_majflt,
            preempted=used.ru_nivcsw,
        )

    def _waited_ns(self) -> int:
        if self._schedstat is None:
            return 0
        try:
            return int(
                os.pread(self._schedstat, 128, 0).split()[1]
            )  # sched-stats(5): the second is the time on a run queue
        except (OSError, ValueError, IndexError):
            return 0

    def stall(self, before: ThreadCounters, now: ThreadCounters) -> Stall:
        """What happened between two readings."""
        cpu_ns = now.cpu_ns - before.cpu_ns
        work = self._ledger.between(before.at_ns, now.at_ns)
        return Stall(
            cpu_ms=ms(cpu_ns),
            others_ms=ms(max(0, now.own_ns - before.own_ns - cpu_ns)),
            waited_ms=ms(now.waited_ns - before.waited_ns),
            page_faults=now.page_faults - before.page_faults,
            joining=self._ledger.joining,
            **{f"{name}_ms": ms(took_ns) for name, took_ns in work.items()},
        )

    def second(self, before: ThreadCounters, now: ThreadCounters) -> dict[str, float]:
        """The thread's counters over the second between two readings: fields of `MachineSecond`."""
        work = self._ledger.between(before.at_ns, now.at_ns)
        return {
            "gc_ms": ms(work.get("gc", 0)),
            "gc_longest_ms": ms(self._ledger.longest("gc", before.at_ns)),
            "disk_ms": ms(self._ledger.longest("disk", before.at_ns)),
            "waited_ms": ms(now.waited_ns - before.waited_ns),
            "page_faults": now.page_faults - before.page_faults,
            "preempted": now.preempted - before.preempted,
        }
