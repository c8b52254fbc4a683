"""What the master and the workers of a load say to each other, by Locust's messages: names, and what is in them.

::

    worker → master   HELLO   {digest, version, host, pid}
                      READY   {}: its shards wait for calls
                      STARTED {call, scenario}
                      ENDED   {line: of calls.jsonl, timeline: its file, compressed, where it is not there already}
                      SECOND  {pending, alive, dropped, lag_ms, cpu, turns, unfit, died}, once a second
    master → worker   SETUP   a `Setup`
                      REFUSED {why}: it is of another version, and ends
                      GO      {burst: its size, share: how many of it are this worker's}, or {}: the load begins
                      STOP    {}: nothing more starts
                      GO_ON   {}: calls may start again
                      CUT     {}: cuts what runs
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from harness.load.order import LoadPlan

HELLO, READY, STARTED, ENDED, SECOND = "voice_hello", "voice_ready", "voice_started", "voice_ended", "voice_second"
SETUP, REFUSED, GO, CUT = "voice_setup", "voice_refused", "voice_go", "voice_cut"
STOP, GO_ON = "voice_stop", "voice_go_on"
MARK_FILE = ".mark"


class Setup(BaseModel):
    """What a worker learns from the master.

    Attributes:
        number: The worker's, from 1 on.
        workers: How many there are.
        directory: The run's, on the master's machine.
        mark: See `LoadOrder`.
        url, api_key: Of the embedded stack, which the master's side started; else None, a worker has its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    workers: int
    directory: str
    mark: str
    plan: LoadPlan
    url: str | None = None
    api_key: str | None = None
