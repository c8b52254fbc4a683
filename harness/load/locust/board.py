"""The state of a load on its master: its workers, running calls and progress, and when it is over."""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from harness.caller.lost_call import lost_call, shard_died
from harness.caller.prepare import Prepared
from harness.judge.abort import AbortWatch
from harness.judge.thresholds import Threshold
from harness.load.locust.worker import Worker
from harness.load.order import LoadOrder
from harness.load.over_time import OverTime
from harness.metrics.threshold import read_threshold
from harness.record.reason import Aborted
from harness.record.result import CallResult
from harness.record.run_directory import RunDirectory

Phase = Literal["gathering", "running", "draining", "over"]
FRESH_S = 1.5  # the greatest age of a worker's last `SECOND` message
AT_ONCE = 100.0  # Locust's spawn rate per second: all slots of a step start within a second


class Board:
    """The load as seen by the master; it decides how many users Locust runs.

    Args:
        order: The order of the load.
        scenarios: The scenarios of the calls.
        go: Tells all workers that the load, or a burst, begins; maps worker numbers to the message's content.
        stop: Tells all workers to start no more calls.
        cut: Tells all workers to cut their running calls.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self,
        order: LoadOrder,
        scenarios: Sequence[Prepared],
        *,
        go: Callable[[dict[int, dict[str, Any]]], None],
        stop: Callable[[], None],
        cut: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.order = order
        self.plan = order.load.plan
        self.phase: Phase = "gathering"
        self.workers: dict[str, Worker] = {}
        self.refused: list[str] = []
        self.ended = Counter[str]()
        self.failures = Counter[str]()
        self.started = 0
        self.over_time = OverTime()
        self.aborted: Aborted | None = None
        self._abort_watch = AbortWatch(
            [Threshold(*read_threshold(each.metric, each.limit), "", each.after_s) for each in order.aborts]
        )
        self._scenarios = scenarios
        self._directory = RunDirectory(Path(order.calls.directory))
        self._go = go
        self._stop = stop
        self._cut = cut
        self._clock = clock
        self._begun = 0.0
        self._draining_since: float | None = None
        self._cut_at: float | None = None
        self._bursts = list(self.plan.bursts or ())
        self._burst_at: float | None = None
        self._lost: set[str] = set()
        self._left = 0

    # -- workers -------------------------------------------------------------------------------------------------------

    def joined(self, client: str, host: str, pid: int) -> Worker:
        """Adds a worker, which has the right version."""
        self.workers[client] = Worker(len(self.workers) + 1, host, pid)
        return self.workers[client]

    def ready(self, client: str) -> None:
        """Marks a worker as ready: its shards wait for calls."""
        if client in self.workers:
            self.workers[client].ready = True

    def second(self, client: str, told: dict[str, Any]) -> None:
        """Stores the message that a worker sends once a second."""
        if client in self.workers:
            self.workers[client].second, self.workers[client].told_at = told, self._clock()

    def vanished(self, client: str) -> None:
        """Marks a worker as gone; its calls have failed, and each gets its line."""
        worker = self.workers.get(client)
        if worker is None or worker.gone:
            return
        worker.gone = True
        self._left += 1
        problem = shard_died(f"the worker on {worker.host} (process {worker.pid}) vanished")
        for call, scenario in worker.calls.items():
            self._lost.add(call)
            utc = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            lost = lost_call(
                call, self._scenarios[scenario], target=self.order.calls.described, started=utc, failure=problem
            )
            lost.host = worker.host
            self._directory.append_call(lost)
            self._count(lost)
        worker.calls.clear()

    def refuse(self, why: str) -> None:
        """A worker cannot take part."""
        self._left += 1
        if why not in self.refused:
            self.refused.append(why)

    @property
    def _rate(self) -> float:
        """Locust's spawn rate, which changes with each worker that leaves.

        Locust distributes its users again only if a tick differs from the last one. Otherwise the users of a worker
        that left while they were being spawned would never start.
        """
        return AT_ONCE + self._left

    @property
    def living(self) -> list[Worker]:
        """The workers that are not gone."""
        return [worker for worker in self.workers.values() if not worker.gone]

    # -- calls ---------------------------------------------------------------------------------------------------------

    def call_started(self, client: str, call: str, scenario: int) -> None:
        """Records that a call has started; `scenario` is its index."""
        if client in self.workers:
            self.started += 1
            self.workers[client].calls[call] = scenario

    def call_ended(self, client: str, line: str, timeline: bytes | None) -> None:
        """Records that a call has ended; writes what its worker could not write on this machine."""
        result = CallResult.model_validate_json(line)
        if client in self.workers:
            self.workers[client].calls.pop(result.call, None)
        if result.call in self._lost:
            return
        if timeline is not None:
            self._directory.timeline(result.call).write_bytes(zlib.decompress(timeline))
            result.recording = None  # it stays on the machine that made the call
            self._directory.append_call(result)
        self._count(result)

    def _count(self, result: CallResult) -> None:
        self.ended["cut" if result.cut else "ok" if result.ok else "failed"] += 1
        ended_s = self._clock() - self._begun
        if not result.ok and not result.cut:
            self.failures[result.failure or "expectation"] += 1
            self.over_time.at(ended_s).failures[result.failure or "expectation"] += 1
        self._abort_watch.add(result)
        if not result.role.counts:
            return
        set_up_ms = result.held_back_ms + (result.session_create_ms or 0.0) + (result.room_connect_ms or 0.0)
        for turn in result.turns:
            if turn.ttfa_ms is not None and turn.sure and turn.agent_onset_ms is not None:
                ago_s = max(0.0, result.duration_ms - set_up_ms - turn.agent_onset_ms) / 1000
                self.over_time.at(ended_s - ago_s).ttfa_ms.append(turn.ttfa_ms)

    @property
    def alive(self) -> int:
        """The number of running calls."""
        return sum(len(worker.calls) for worker in self.living)

    @property
    def dropped(self) -> int:
        """Calls of the open model that could not start, including those that a vanished worker had yet to start."""
        total = self.plan.total(len(self._scenarios))
        if self.plan.rate_per_min is None or total is None:
            return 0
        told = sum(int(worker.second.get("dropped", 0)) for worker in self.workers.values())
        whole = self.phase == "over" and self._draining_since is not None and self._elapsed() >= self._lasts_s()
        return max(told, total - self.started) if whole else told

    # -- progress ------------------------------------------------------------------------------------------------------

    def _elapsed(self) -> float:
        return (self._draining_since or self._clock()) - self._begun

    def _lasts_s(self) -> float:
        return self.plan.duration_s or 0.0

    def tick(self) -> tuple[int, float] | None:
        """Returns how many users Locust should run and its spawn rate per second; None when the load is over."""
        now = self._clock()
        if self.phase in ("running", "draining"):
            along = self.over_time.at(now - self._begun)
            along.alive = max(along.alive, self.alive)
        if self.phase == "gathering":
            if not self.is_complete:
                return 0, 1.0
            self.phase, self._begun = "running", now
            self._go({})
        if self.phase == "running":
            users = self._users(now)
            if users is not None and not self._is_aborted(now):
                return users, self._rate
            self.drain()
        if self.phase == "draining" and not self._is_drained(now):
            if self._cut_at is not None and now >= self._cut_at:
                self._cut_at = None
                self._cut()
            return 0, self._rate
        self.phase = "over"
        return None

    @property
    def is_complete(self) -> bool:
        """Whether all expected workers have joined and are ready. Refused workers are not expected."""
        wanted = 1 if self.order.role == "local" else self.order.load.workers - len(self.refused)
        return len(self.living) >= max(1, wanted) and all(worker.ready for worker in self.living)

    def _users(self, now: float) -> int | None:
        if not self.living:
            return None
        staged = self.plan.staged
        if staged is not None:
            return staged.calls_at(now - self._begun)
        if self.plan.bursts is not None:
            return len(self.living) if self._next_burst(now) else None
        if self.plan.rate_per_min is not None:
            return len(self.living) if now - self._begun < self._lasts_s() else None
        total = self.plan.total(len(self._scenarios)) or 0
        return self.plan.slots if sum(self.ended.values()) < total or self.alive else None

    def _is_aborted(self, now: float) -> bool:
        """Returns whether a threshold aborts the load, and then stops all workers; not if no call is left to start."""
        total = self.plan.total(len(self._scenarios))
        if total is None or self.started < total:
            self.aborted = self._abort_watch.broken(now - self._begun)
        if self.aborted is not None:
            self._stop()
        return self.aborted is not None

    def _next_burst(self, now: float) -> bool:
        """Starts the next burst if none is in progress; returns False if none is left."""
        if self._burst_at is not None and not self._is_quiet(now, self._burst_at):
            return True
        if not self._bursts:
            return False
        size, self._burst_at = self._bursts.pop(0), now
        numbers = sorted(worker.number for worker in self.living)
        shares = {number: size // len(numbers) + (place < size % len(numbers)) for place, number in enumerate(numbers)}
        self._go({number: {"burst": size, "share": share} for number, share in shares.items()})
        return True

    def interrupt(self, *, at_once: bool) -> None:
        """Drains the load before its time: workers that start calls by the clock are told to start no more."""
        self._stop()
        self.drain(at_once=at_once)

    def drain(self, *, at_once: bool = False) -> None:
        """Asks for no more calls; running ones are cut after the stop timeout, or now with `at_once`."""
        if self._draining_since is None:
            self.phase, self._draining_since = "draining", self._clock()
            self._cut_at = self._clock() + self.plan.stop_timeout_s
        if at_once:
            self._cut_at = self._clock()

    def _is_drained(self, now: float) -> bool:
        return self._is_quiet(now, self._draining_since or now)

    def is_quiet(self, since: float) -> bool:
        """Returns whether every worker has reported since `since` that it has no pending calls."""
        return self._is_quiet(self._clock(), since)

    def _is_quiet(self, now: float, since: float) -> bool:
        """Implements `is_quiet`; a worker whose last message is too old is not quiet."""
        return all(
            worker.told_at > since + FRESH_S and not worker.pending and now - worker.told_at < 10 * FRESH_S
            for worker in self.living
        )

    # -- status --------------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Returns the status of the load, for a line in a terminal."""
        return {
            "phase": self.phase,
            "elapsed_s": round(self._elapsed(), 1) if self._begun else 0.0,
            "alive": self.alive,
            "started": self.started,
            "ended": dict(self.ended),
            "dropped": self.dropped,
            "aborted": None if self.aborted is None else self.aborted.told(),
            "refused": self.refused,
            "failures": dict(self.failures),
            "unfit": sum(int(worker.second.get("unfit", 0)) for worker in self.workers.values()),
            "turns": sum(int(worker.second.get("turns", 0)) for worker in self.workers.values()),
        }

    def ending(self) -> dict[str, Any]:
        """Returns the final data of the load, apart from its calls."""
        return {
            **self.status(),
            "workers": [
                {"number": worker.number, "host": worker.host, "pid": worker.pid, "vanished": worker.gone}
                for worker in self.workers.values()
            ],
            "problems": sorted({str(p) for w in self.workers.values() if (p := w.second.get("problem"))}),
        }
