"""How many calls at once one process carries, by engine, and what they take of it (found as `docs/scale.md` says)."""

from __future__ import annotations

from harness.call.engines.make import EngineName
from harness.machine.open_files import check_open_files

CALLS_IN_A_SHARD: dict[EngineName, int] = {"sdk": 8, "light": 60}
CALLS_OF_A_SHARD: dict[EngineName, int | None] = {"sdk": 50, "light": None}
"""After so many calls a process ends and another takes its place: LiveKit's SDK keeps half a megabyte of each join."""
FILES_A_CALL: dict[EngineName, int] = {"sdk": 50, "light": 10}
"""Open files and sockets of a call at its most: its media, its session request, its timeline and recording."""


def shards_for(calls: int, engine: EngineName) -> int:
    """How many processes this number of concurrent calls needs."""
    return max(1, -(-calls // CALLS_IN_A_SHARD[engine]))


def check_allowed(calls: int | None, engine: EngineName, *, where: str) -> None:
    """Checks that this machine can make so many concurrent calls (None: without a limit).

    Raises:
        ConfigError: A process would run out of files.
    """
    most = CALLS_IN_A_SHARD[engine]
    check_open_files(most if calls is None else min(calls, most), FILES_A_CALL[engine], where=where)
