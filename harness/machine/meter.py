"""What the machine and our own process were busy with, read once a second for all calls of a process.

It explains why the harness was late but decides nothing: only lateness itself makes a turn unfit.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from harness.clock import NS_PER_MS, NS_PER_S, Clock
from harness.machine.stall import LoopThread, ThreadCounters

PROC_STAT = Path("/proc/stat")
PROC_SNMP = Path("/proc/net/snmp")
CGROUP_CPU = Path("/sys/fs/cgroup/cpu.stat")
_IDLE, _IOWAIT, _STEAL = 3, 4, 7  # columns of the line "cpu" in /proc/stat (proc(5))
_COUNTED = 8  # guest time, which follows, is already included in user time


@dataclass(frozen=True, slots=True)
class MachineSecond:
    """Readings over the time since the previous one; None where the system does not report a value.

    Attributes:
        own_cpu: CPU of this process with all its threads; 1.0 is one full core.
        loop_cpu: CPU of the event loop's thread; at 1.0 it is saturated.
        busy: Share of all the machine's cores that was in use, by anyone.
        steal: Share of all the machine's cores that the hypervisor gave to others.
        throttled_ms: Time for which a container's CPU quota held its processes back.
        udp_dropped: UDP packets that the kernel dropped because a socket's receive queue was full.
        clock_step_ms: How far the time of day moved against the monotonic clock.
        gc_ms: Total pauses of the garbage collector; `gc_longest_ms` is the longest one.
        disk_ms: The longest write to disk; threads write, so the event loop waits for none.
        waited_ms: Time for which the event loop's thread was runnable but had no CPU; 0 where the system does not
            report it.
        page_faults: How often memory of that thread had to be read from disk.
        preempted: How often that thread lost its CPU before it was done.
    """

    own_cpu: float
    loop_cpu: float
    busy: float | None = None
    steal: float | None = None
    throttled_ms: float | None = None
    udp_dropped: int | None = None
    clock_step_ms: float = 0.0
    gc_ms: float = 0.0
    gc_longest_ms: float = 0.0
    disk_ms: float = 0.0
    waited_ms: float = 0.0
    page_faults: float = 0
    preempted: float = 0


class Machine:
    """Reads the system's counters; each reading is the difference from the previous one.

    Create and read it on the event loop's thread.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.thread = LoopThread(clock)
        self._before = self._counters()

    def close(self) -> None:
        """Closes the files it reads."""
        self.thread.close()

    def read(self) -> MachineSecond:
        """The readings since the last call."""
        before, now = self._before, self._counters()
        self._before = now
        span_ns = max(1, now.at_ns - before.at_ns)
        busy = steal = None
        if before.cpu and now.cpu and (whole := sum(now.cpu) - sum(before.cpu)) > 0:
            spent = [after - earlier for after, earlier in zip(now.cpu, before.cpu, strict=True)]
            busy = round(1 - (spent[_IDLE] + spent[_IOWAIT]) / whole, 3)
            steal = round(spent[_STEAL] / whole, 3)
        return MachineSecond(
            own_cpu=round((now.loop.own_ns - before.loop.own_ns) / span_ns, 3),
            loop_cpu=round((now.loop.cpu_ns - before.loop.cpu_ns) / span_ns, 3),
            busy=busy,
            steal=steal,
            throttled_ms=_less(now.throttled_us, before.throttled_us, 1000),
            udp_dropped=None if (dropped := _less(now.udp_dropped, before.udp_dropped)) is None else int(dropped),
            clock_step_ms=round((now.wall_ns - before.wall_ns - span_ns) / NS_PER_MS, 1) + 0.0,
            **self.thread.second(before.loop, now.loop),
        )

    def _counters(self) -> _Counters:
        now_ns = self._clock.now_ns()
        return _Counters(
            at_ns=now_ns,
            wall_ns=round(self._clock.utc().timestamp() * NS_PER_S),
            loop=self.thread.read(),
            cpu=_cpu_times(),
            throttled_us=_throttled_us(),
            udp_dropped=_udp_dropped(),
        )


@dataclass(frozen=True, slots=True)
class _Counters:
    at_ns: int
    wall_ns: int
    loop: ThreadCounters
    cpu: list[int]
    throttled_us: int | None
    udp_dropped: int | None


def _less(now: int | None, before: int | None, by: int = 1) -> float | None:
    return None if now is None or before is None else (now - before) / by


def _lines(path: Path) -> list[list[str]]:
    """The file's lines, split into words; empty if the system has no such file."""
    with contextlib.suppress(OSError):
        return [line.split() for line in path.read_text(encoding="ascii", errors="replace").splitlines()]
    return []


def _cpu_times() -> list[int]:
    """CPU ticks of all cores together, by kind of use."""
    words = next((line for line in _lines(PROC_STAT) if line[:1] == ["cpu"]), [])
    return [int(word) for word in words[1 : 1 + _COUNTED]] if len(words) > _COUNTED else []


def _throttled_us() -> int | None:
    return next((int(line[1]) for line in _lines(CGROUP_CPU) if line[:1] == ["throttled_usec"]), None)


def _udp_dropped() -> int | None:
    udp = [line for line in _lines(PROC_SNMP) if line[:1] == ["Udp:"]]
    if len(udp) != 2 or "RcvbufErrors" not in udp[0]:
        return None
    return int(udp[1][udp[0].index("RcvbufErrors")])
