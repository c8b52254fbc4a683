"""The limits of the container or systemd unit that this process runs in (cgroups(7), versions 1 and 2).

A limit may be set on the process's own group or on any group above it; the tightest one counts. A container usually
sees its own group as the root.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OWN = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the process's groups; infinite where there is none, None where this system reports none.

    Attributes:
        quota_cores: The CPU quota, in cores.
        throttled_us: How long the quota has held processes of the group back so far.
        memory_left_bytes: Memory limit minus what is used of it.
    """

    quota_cores: float | None = None
    throttled_us: float | None = None
    memory_left_bytes: float | None = None


def read_limits(own: Path = OWN, mounted: Path = MOUNTED) -> Limits:
    """Reads the limits of this process; some 0.2 ms."""
    second = (mounted / "cgroup.controllers").exists()
    cpu = [folder for folder in _folders("cpu", own, mounted, second=second) if folder.is_dir()]
    memory = [folder for folder in _folders("memory", own, mounted, second=second) if folder.is_dir()]
    quota, left = (_quota_2, _left_2) if second else (_quota_1, _left_1)
    stats = [_numbers(folder / "cpu.stat") for folder in cpu]
    throttled = [stat.get("throttled_usec", stat.get("throttled_time", 0.0) / 1000) for stat in stats if stat]
    return Limits(
        quota_cores=min(map(quota, cpu), default=None),
        throttled_us=max(throttled, default=None),
        memory_left_bytes=min(map(left, memory), default=None),
    )


def _folders(controller: str, own: Path, mounted: Path, *, second: bool) -> Iterator[Path]:
    """The folders of this process's group and of all above it, which may not be visible from here."""
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers if second else controller not in controllers.split(","):
            continue
        root = mounted if second else mounted / controllers
        if not second and not root.is_dir():
            root = mounted / controller
        group = root / path.lstrip("/")
        yield group
        while group != root:
            group = group.parent
            yield group


def _quota_2(folder: Path) -> float:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdecimal() else math.inf


def _quota_1(folder: Path) -> float:
    quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else math.inf


def _left_2(folder: Path) -> float:
    most, used = _text(folder / "memory.max"), _text(folder / "memory.current")
    return float(int(most) - int(used)) if most.isdecimal() and used.isdecimal() else math.inf


def _left_1(folder: Path) -> float:
    most, used = _text(folder / "memory.limit_in_bytes"), _text(folder / "memory.usage_in_bytes")
    return float(int(most) - int(used)) if most.isdecimal() and used.isdecimal() else math.inf


def _numbers(path: Path) -> dict[str, float]:
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: float(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace").strip()
    return ""
