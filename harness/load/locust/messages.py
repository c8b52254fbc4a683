"""The messages between the master and the workers of a load, sent through Locust.

::

    worker → master   HELLO   {digest, version, host, pid}
                      READY   {}: its shards are ready for calls
                      STARTED {call, scenario}
                      ENDED   {line: of calls.jsonl, timeline: the compressed file, unless the master has it already}
                      SECOND  {pending, alive, dropped, lag_ms, cpu, shards, turns, unfit, died, problem}, once a second
    master → worker   SETUP   a `Setup`
                      REFUSED {why}: the worker cannot take part, for example has another version, and must end
                      GO      {burst: its size, share: how many calls of it this worker makes}, or {}: the load begins
                      STOP    {}: start no more calls
                      GO_ON   {}: calls may start again
                      CUT     {}: cut the running calls
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from harness.load.order import LoadPlan

HELLO, READY, STARTED, ENDED, SECOND = "voice_hello", "voice_ready", "voice_started", "voice_ended", "voice_second"
SETUP, REFUSED, GO, CUT = "voice_setup", "voice_refused", "voice_go", "voice_cut"
STOP, GO_ON = "voice_stop", "voice_go_on"
MARK_FILE = ".mark"


class Setup(BaseModel):
    """The settings that a worker receives from the master.

    Attributes:
        number: The worker's number, from 1.
        workers: The number of workers.
        directory: The run directory, on the master's machine.
        mark: See `LoadOrder`.
        plan: When calls start.
        url, api_key: Those of the embedded stack that runs beside the master; None for other targets, for which a
            worker has its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    workers: int
    directory: str
    mark: str
    plan: LoadPlan
    url: str | None = None
    api_key: str | None = None
