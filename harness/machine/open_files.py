"""How many files and sockets a process may open (RLIMIT_NOFILE, getrlimit(2)), and whether that is enough."""

from __future__ import annotations

import contextlib
import resource

from harness.errors import ConfigError

FILES_A_PROCESS = 64  # files open in a process without calls: libraries, pipes, its event loop


def take_all_allowed() -> None:
    """Raises this process's soft limit to its hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def check_open_files(calls: int, files_a_call: int, *, where: str) -> None:
    """Checks that a process can open enough files for so many calls.

    Raises:
        ConfigError: It would run out of files.
    """
    needed = FILES_A_PROCESS + calls * files_a_call
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != resource.RLIM_INFINITY and needed > allowed:
        raise ConfigError(
            f"{calls} calls in one process need up to {needed:,} open files and sockets; the limit is {allowed:,}",
            where=where,
            hint=f"raise the limit (ulimit -Hn {needed}; LimitNOFILE= in a systemd unit), or make fewer calls at once",
        )
