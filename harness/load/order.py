"""What a load is to do, and all that the processes which do it must know: read once, from a pipe."""

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
        stages: Closed model: concurrent calls over time, as (seconds, calls).
        slots: Closed model: the number of slots, each of which runs the list of scenarios `repeat` times.
        rate_per_min: Open: calls start at this rate for `duration_s`, whatever runs; `slots` caps how many are alive.
        bursts: So many calls at the same moment, one size after the other.
        warm_up_s: Calls that start so early are in no number.
        stop_timeout_s: At the end running calls may end for so long; then they are cut.
        canaries: So many of the calls alive run on the other engine.
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
        """Whether calls start by the clock, whatever the others do: not in slots."""
        return self.rate_per_min is not None or self.bursts is not None

    @property
    def staged(self) -> Stages | None:
        """The stages, where there are any."""
        return None if self.stages is None else Stages(tuple(Stage(*stage) for stage in self.stages))

    def total(self, scenarios: int) -> int | None:
        """How many calls are to start; None if that depends on how long each takes."""
        if self.rate_per_min is not None:
            return max(1, int(self.rate_per_min * (self.duration_s or 0.0) / 60 + 1e-9))
        if self.bursts is not None:
            return sum(self.bursts)
        return None if self.slots is None else self.slots * self.repeat * scenarios

    def most(self, scenarios: int) -> int | None:
        """The most concurrent calls; None if it cannot be known."""
        staged = self.staged
        if staged is not None:
            return staged.most
        return max(self.bursts) if self.bursts is not None else self.slots


class Load(_Frozen):
    """What `load` was asked for beside what every run is.

    Attributes:
        plan: When calls start.
        weights: Of the scenarios, for `Mix`.
        role: Whether this command makes the calls itself, leads workers elsewhere, or works for a master elsewhere.
        processes: How many worker processes this machine has.
        web_port: Of Locust's web page, where it is wanted.
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
        """How many workers make the calls."""
        return self.expect_workers if self.role == "master" else self.processes

    @property
    def is_led_from_here(self) -> bool:
        """Whether the master and its workers have one parent."""
        return self.role == "local"


class LoadOrder(_Frozen):
    """For one process of Locust. It goes down a pipe and nowhere else, for it holds the key.

    Attributes:
        load: What was asked for.
        role: This process's.
        calls: What every process that makes calls is told; `directory` is the run's, on the machine of the master.
        mark: Stands in the directory's file `MARK_FILE`: who can read it there is on that machine.
    """

    load: Load
    role: Role
    calls: ShardOrder
    mark: str = ""


def digest(scenarios: Sequence[Prepared]) -> str:
    """What tells two versions of the same scenarios apart: their content, what is said in them, and our own version."""
    told = hashlib.blake2b(__version__.encode(), digest_size=8)
    for prepared in scenarios:
        told.update(prepared.loaded.model.model_dump_json().encode())
        told.update(repr(sorted(prepared.loaded.overrides.items())).encode())
        for speech in prepared.speech:
            told.update(b"-" if speech is None else speech.pcm.tobytes())
    return told.hexdigest()
