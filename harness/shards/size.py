"""The number of concurrent calls per process, by engine, and what they use (measured as in `docs/scale.md`)."""

from __future__ import annotations

from harness.call.engines.make import EngineName
from harness.machine.open_files import check_open_files

CALLS_IN_A_SHARD: dict[EngineName, int] = {"sdk": 8, "light": 60}
# After this many calls a process is replaced by a new one: LiveKit's SDK keeps half a megabyte of each join.
CALLS_OF_A_SHARD: dict[EngineName, int | None] = {"sdk": 50, "light": None}
# The most open files and sockets of a call: its media, its session request, its timeline and its recording.
FILES_A_CALL: dict[EngineName, int] = {"sdk": 50, "light": 10}


def shards_for(calls: int, engine: EngineName) -> int:
    """Returns the number of processes for this many concurrent calls; at least 1."""
    return max(1, -(-calls // CALLS_IN_A_SHARD[engine]))


def check_allowed(calls: int | None, engine: EngineName, *, where: str) -> None:
    """Checks that this machine can make this many concurrent calls (None: no bound).

    Raises:
        ConfigError: A process would run out of open files.
    """
    most = CALLS_IN_A_SHARD[engine]
    check_open_files(most if calls is None else min(calls, most), FILES_A_CALL[engine], where=where)
