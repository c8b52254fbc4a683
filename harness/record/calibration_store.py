"""The newest calibration of this machine, stored in the user's cache so that later runs can report it."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

from harness.cache import user_cache_dir
from harness.record.calibration import Calibration, Machine

STORE_FILE = "calibration.json"
_STATED = (
    "engine",
    "kind",
    "calls",
    "condition",
    "turns",
    "fit",
    "slope",
    "offset_ms",
    "explained_offset_ms",
    "within_p95_ms",
    "residual_p95_ms",
    "residual_max_ms",
    "hearing_p95_ms",
)


def this_machine() -> Machine:
    """Returns what identifies this machine: a calibration is valid only for the same processor and core count."""
    return Machine(cpu=_cpu(), cores=os.cpu_count())


def keep(calibration: Calibration) -> Path:
    """Stores the calibration as the newest one and returns its file.

    Raises:
        OSError: The cache cannot be written.
    """
    path = user_cache_dir() / STORE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    try:
        temporary.write_text(calibration.model_dump_json(indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def newest() -> Calibration | None:
    """Returns the newest calibration of this machine; None if there is none or it cannot be read."""
    try:
        kept = Calibration.model_validate_json((user_cache_dir() / STORE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if kept.machine == this_machine() else None


def stated(calibration: Calibration | None) -> dict[str, Any] | None:
    """Returns what `summary.json` holds of it: when and with which version it was made, and each point's error."""
    if calibration is None:
        return None
    return {
        "made": calibration.made,
        "harness_version": calibration.harness_version,
        "quick": calibration.quick,
        "points": [
            {name: value for name, value in point.model_dump().items() if name in _STATED}
            for point in calibration.points
        ],
    }


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
