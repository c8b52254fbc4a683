"""How many calls at once one process carries, by engine; `docs/scale.md` says how that was found."""

from __future__ import annotations

from harness.call.engines.make import EngineName

CALLS_IN_A_SHARD: dict[EngineName, int] = {"sdk": 10, "light": 100}


def shards_for(calls: int, engine: EngineName) -> int:
    """How many processes so many calls at once take."""
    return max(1, -(-calls // CALLS_IN_A_SHARD[engine]))
