"""The plan of a load, and the order that its processes read once from a pipe."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness import __version__
from harness.caller.prepare import Prepared
from harness.load.stages import Stage, Stages
from harness.shards.protocol import ShardOrder

Role = Literal["local", "master", "worker"]
STOP_TIMEOUT_S = 30.0


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoadPlan(_Frozen):
    """When calls start, by one of four models.

    Attributes:
        stages: Closed: the number of concurrent calls over time, as (seconds, calls).
        slots: Closed: the number of concurrent calls; each slot runs the list of scenarios `repeat` times.
        rate_per_min: Open: calls start at this rate for `duration_s`; `slots` caps how many are alive.
        bursts: Sizes of bursts, one after the other; the calls of a burst start at the same moment.
        warm_up_s: Calls that start within this time are in no number.
        stop_timeout_s: How long running calls may continue at the end before they are cut.
        canaries: How many of the concurrent calls run on the other engine.
    """

    stages: tuple[tuple[float, int], ...] | None = None
    slots: int | None = None
    repeat: int = 1
    rate_per_min: float | None = None
    duration_s: float | None = None
    bursts: tuple[int, ...] | None = None
    warm_up_s: float = 0.0
    stop_timeout_s: float = STOP_TIMEOUT_S
    canaries: int = 0

    @property
    def is_dispatched(self) -> bool:
        """Whether calls start by the clock, however many are running, and not in slots."""
        return self.rate_per_min is not None or self.bursts is not None

    @property
    def staged(self) -> Stages | None:
        """The stages; None if the plan has none."""
        return None if self.stages is None else Stages(tuple(Stage(*stage) for stage in self.stages))

    def total(self, scenarios: int) -> int | None:
        """Returns how many calls should start; None if that depends on how long they take."""
        if self.rate_per_min is not None:
            return max(1, int(self.rate_per_min * (self.duration_s or 0.0) / 60 + 1e-9))
        if self.bursts is not None:
            return sum(self.bursts)
        return None if self.slots is None else self.slots * self.repeat * scenarios

    def most(self, scenarios: int) -> int | None:
        """Returns the most concurrent calls; None if there is no bound."""
        staged = self.staged
        if staged is not None:
            return staged.most
        return max(self.bursts) if self.bursts is not None else self.slots


class Load(_Frozen):
    """The options of `load` beyond those of every run.

    Attributes:
        plan: When calls start.
        weights: The weights of the scenarios, for `Mix`.
        role: Whether this command makes the calls itself, is the master of workers elsewhere, or is a worker.
        processes: The number of worker processes on this machine.
        web_port: The port of Locust's web page; None for no page.
        host, port: Where the master is, or listens.
        expect_workers: How many workers a master waits for.
    """

    plan: LoadPlan
    weights: tuple[float, ...]
    role: Role = "local"
    processes: int = 1
    web_port: int | None = None
    host: str = "127.0.0.1"
    port: int = 5557
    expect_workers: int = 1

    @property
    def workers(self) -> int:
        """The number of workers that make the calls."""
        return self.expect_workers if self.role == "master" else self.processes

    @property
    def is_led_from_here(self) -> bool:
        """Whether the master and its workers have the same parent process."""
        return self.role == "local"


class AbortOrder(_Frozen):
    """A threshold that aborts the load if it is missed after so many seconds."""

    metric: str
    limit: str
    after_s: float


class LoadOrder(_Frozen):
    """The order for one process of Locust. It holds the API key, so it is sent only through a pipe.

    Attributes:
        load: The options of the load.
        role: The role of this process.
        calls: The order for the shards; `directory` is the run directory, on the master's machine.
        mark: The content of the file `MARK_FILE` in the run directory. A process that can read it there is on the
            master's machine.
        aborts: The thresholds that abort the load.
    """

    load: Load
    role: Role
    calls: ShardOrder
    mark: str = ""
    aborts: tuple[AbortOrder, ...] = ()


def digest(scenarios: Sequence[Prepared]) -> str:
    """Returns a hash of the scenarios' content, their speech and our own version, in hexadecimal."""
    told = hashlib.blake2b(__version__.encode(), digest_size=8)
    for prepared in scenarios:
        told.update(prepared.loaded.model.model_dump_json().encode())
        told.update(repr(sorted(prepared.loaded.overrides.items())).encode())
        for speech in prepared.speech:
            told.update(b"-" if speech is None else speech.pcm.tobytes())
    return told.hexdigest()
