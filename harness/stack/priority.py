"""Who goes first on a busy machine: the caller, then the server and the agents, then recogniser and voices.

What measures must not wait for what is measured. Linux may share processors by session before it looks at niceness
(sched(7), "The autogroup feature"), and each part of the stack has a session of its own: both are set.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

MEDIA_NICE = 3
SPEECH_NICE = 10


def stand_back(nice: int, pid: int | None = None) -> None:
    """Gives a process (this one if left out) and its session the niceness, if it is not higher already."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid or 0, max(nice, os.getpriority(os.PRIO_PROCESS, pid or 0)))
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid or 'self'}/autogroup").write_text(f"{nice}\n", encoding="ascii")
