"""The protocol between a driver of calls and its shards: JSON lines, the same for asyncio and for gevent.

::

    driver → shard   first one ShardOrder, then CallOrders and CutOrders. The end of the pipe cuts the running calls.
    shard → driver   {"ready": pid}, once, or an error (see `process/lines.py`) instead;
                     {"started": call}; {"ended": a call's result}; {"event": …, "call": id} if events are wanted;
                     {"second": {"alive", "lag_ms", "cpu"}} once a second
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.call.engines.make import EngineName
from harness.caller.prepare import Prepared
from harness.caller.recorded_call import RecordMode
from harness.record.role import ORDINARY, Role
from harness.target.target import TargetKind

COMMAND = (sys.executable, "-m", "harness.shards.shard")
LINE_LIMIT_BYTES = 64 << 20  # a result holds every turn of its call, and a call may last for hours


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ShardOrder(_Line):
    """Everything that a shard needs to make calls. It holds the API key, so it is sent only through a pipe.

    Attributes:
        prepared: A file of `write_prepared`, in a folder that only we can write to.
        directory: The run directory.
        described: The target, as reports name it.
        key_variable: See `Target`.
        session_rate_per_min: The most sessions that this shard creates per minute; None for no limit.
        call_duration_s: Calls loop their turns for this many seconds; None to play them once.
        tell_events: Whether to send each event of each call.
    """

    engine: EngineName
    prepared: str
    directory: str
    record: RecordMode
    target: str
    described: str
    kind: TargetKind
    url: str
    api_key: str | None
    seed: int
    key_variable: str | None = None
    session_rate_per_min: float | None = None
    call_duration_s: float | None = None
    tell_events: bool = False


class CallOrder(_Line):
    """Orders a call of the scenario with this index, at `due_ns` (monotonic), or now if it is None.

    `lasts_s`, in seconds, overrides the shard's `call_duration_s`.
    """

    do: Literal["call"] = "call"
    call: str
    scenario: int
    due_ns: int | None = None
    lasts_s: float | None = None
    role: Role = ORDINARY


class CutOrder(_Line):
    """Orders to cut a call; None cuts all."""

    do: Literal["cut"] = "cut"
    call: str | None = None


def write_prepared(scenarios: Sequence[Prepared], file: Path) -> None:
    """Writes the scenarios for shards to read. The folder must be writable only by us, since the file is a pickle."""
    file.write_bytes(pickle.dumps(list(scenarios)))


def read_prepared(file: str) -> list[Prepared]:
    """Reads a file of `write_prepared`."""
    scenarios: list[Prepared] = pickle.loads(Path(file).read_bytes())  # noqa: S301 - see `write_prepared`
    return scenarios
