"""Reads the machine: in a moment what a run warns of, and the rest with a second of watching."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import psutil

from harness.clock import NS_PER_S, Clock
from harness.doctor.facts import Facts
from harness.errors import ConfigError
from harness.machine.cgroup import Limits, read_limits
from harness.machine.meter import Machine
from harness.machine.networks import usable_networks
from harness.proxies import proxy_for
from harness.record.run_directory import DEFAULT_PARENT

_FREQUENCIES = Path("/sys/devices/system/cpu")
_CLOCKS = Path("/sys/devices/system/clocksource/clocksource0")
_RECEIVE_BUFFER = Path("/proc/sys/net/core/rmem_max")
_SNMP = Path("/proc/net/snmp")
_READINGS, _BATCHES = 1_000, 20
_ON_THE_INTERNET = "https://service.example/"


def read_quickly(out: Path | None = None) -> Facts:
    """Reads what a run warns of, in a few ms.

    Args:
        out: The run's folder; None for the default one.
    """
    limits = read_limits()
    load = None
    with contextlib.suppress(OSError):
        load = os.getloadavg()[0]
    return Facts(
        system=sys.platform,
        cores=_cores(),
        governors=_governors(),
        cpu_driver=_text(_FREQUENCIES / "cpu0/cpufreq/scaling_driver") or "",
        load_1min=load,
        quota_cores=limits.quota_cores,
        memory_bytes=_memory_bytes(limits),
        disk_bytes=free_bytes(out or DEFAULT_PARENT),
        clock_source=_text(_CLOCKS / "current_clocksource"),
        clock_sources=tuple((_text(_CLOCKS / "available_clocksource") or "").split()),
    )


async def read_watching(facts: Facts, clock: Clock) -> Facts:
    """Adds the rest, and what the CPU was used for over a second."""
    proxy, proxy_problem = _proxy()
    return replace(
        await _watched(facts, clock),
        open_files=_open_files(),
        clock_read_ns=_clock_read_ns(clock),
        receive_buffer_bytes=_number(_text(_RECEIVE_BUFFER)),
        udp_dropped=_udp_dropped(),
        networks=tuple(usable_networks(ipv6=True)),
        proxy=proxy,
        proxy_problem=proxy_problem,
    )


async def _watched(facts: Facts, clock: Clock) -> Facts:
    """Adds what the CPU was used for over a second."""
    throttled_us = read_limits().throttled_us
    machine = Machine(clock)
    psutil.cpu_percent()  # where /proc/stat is missing; the first call starts its interval
    try:
        await clock.sleep_until_ns(clock.now_ns() + NS_PER_S)
        second, busy = machine.read(), psutil.cpu_percent() / 100
    finally:
        machine.close()
    all_cores = os.cpu_count() or 1
    if second.busy is not None:
        busy = second.busy - (second.steal or 0.0)
    now_us = read_limits().throttled_us
    return replace(
        facts,
        steal=second.steal,
        busy_by_others=max(0.0, busy - second.own_cpu / all_cores),
        throttled_ms=None if throttled_us is None or now_us is None else (now_us - throttled_us) / 1000,
    )


def _cores() -> int | None:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _governors() -> tuple[str, ...] | None:
    found = {_text(file) for file in _FREQUENCIES.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return tuple(sorted(name for name in found if name)) or None


def _memory_bytes(limits: Limits) -> int:
    left = math.inf if limits.memory_left_bytes is None else limits.memory_left_bytes
    return int(min(psutil.virtual_memory().available, left))


def free_bytes(folder: Path) -> int | None:
    """The free space where the folder is, or would be made."""
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free
    return None


def _open_files() -> float:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if hard == resource.RLIM_INFINITY else hard


def _clock_read_ns(clock: Clock) -> float:
    """The fastest of several batches: the others lost their CPU in between."""
    took_ns = []
    for _ in range(_BATCHES):
        began_ns = clock.now_ns()
        for _ in range(_READINGS):
            clock.now_ns()
        took_ns.append(clock.now_ns() - began_ns)
    return min(took_ns) / _READINGS


def _udp_dropped() -> int | None:
    udp = [line.split() for line in (_text(_SNMP) or "").splitlines() if line.startswith("Udp:")]
    if len(udp) != 2 or "RcvbufErrors" not in udp[0]:
        return None
    return _number(udp[1][udp[0].index("RcvbufErrors")])


def _proxy() -> tuple[str | None, str]:
    """The proxy for a host on the internet, and why the variables cannot be used."""
    try:
        proxy = proxy_for(_ON_THE_INTERNET)
    except ConfigError as problem:
        return None, f"{problem.where}: {problem.what}"
    return (None if proxy is None else str(proxy)), ""


def _text(path: Path) -> str | None:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace").strip()
    return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
