"""Runs one command beside another, on what that leaves of the CPU: `python tests/beside.py BESIDE… -- MAIN…`.

The output of the command beside is shown when both are over. The exit code is the first one that is not 0.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")


def least_priority() -> None:
    """Takes the CPU only when nobody else wants it; what this system does not have is left out."""
    os.nice(19)
    with contextlib.suppress(OSError):  # Linux weighs sessions first, and niceness only within one: sched(7), autogroup
        AUTOGROUP.write_text("19")
    if hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def main() -> int:
    words = sys.argv[1:]
    at = words.index("--")
    with tempfile.TemporaryFile() as told:
        beside = subprocess.Popen(
            words[:at],
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=least_priority,  # noqa: PLW1509 - there are no threads here
        )
        try:
            code = subprocess.run(words[at + 1 :], check=False).returncode
            beside.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(beside.pid, 15)
            raise
        told.seek(0)
        sys.stdout.write(f"\n{' '.join(words[:at])}\n{told.read().decode(errors='replace')}")
    return code or beside.returncode


if __name__ == "__main__":
    sys.exit(main())
