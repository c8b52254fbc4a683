"""What processes have used, as the kernel counts it (proc(5))."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds of user and kernel, all threads."""
    return sum(sum(map(int, _stat(pid)[11:13])) for pid in pids) / _TICKS_PER_S


def rss_mb(pids: Iterable[int]) -> float:
    """Memory that is resident, in MB."""
    return sum(int(_stat(pid)[21]) for pid in pids) * _PAGE_MB


def _stat(pid: int) -> list[str]:
    """The fields from the third on: the second is a name in parentheses that may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
