"""Who goes first on a busy machine: caller, server and agents alike, then recogniser and voices.

Media is late where it waits, on either side, and takes little; what recognises and speaks takes much and can wait.
Linux may share processors by session before it looks at niceness (sched(7), "The autogroup feature"), and the speech
worker has a session of its own: both are set.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SPEECH_NICE = 10


def stand_back(nice: int) -> None:
    """Gives this process and its session the niceness, if it is not higher already."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(f"{nice}\n", encoding="ascii")
