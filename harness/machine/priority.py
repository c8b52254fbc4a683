"""CPU priorities on a busy machine: caller, server and agents first, then recogniser and voices.

Media that waits is late, on either side, and takes little CPU; recognition and synthesis take much and can wait. Linux
may share CPU by session before it considers niceness (sched(7), "The autogroup feature"), and the speech worker has a
session of its own: both are set.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SPEECH_NICE = 10


def stand_back(nice: int) -> None:
    """Sets the niceness of this process and its session, unless it is already higher."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(f"{nice}\n", encoding="ascii")
