"""The calls of one worker: which call is next, when it starts, and where its result goes."""

from __future__ import annotations

import logging
import socket
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event

from harness.call.engines.make import EngineName
from harness.caller.lost_call import lost_call
from harness.caller.prepare import Prepared
from harness.clock import NS_PER_S, SystemClock
from harness.errors import OwnFailure
from harness.load.locust.bridge import Bridge
from harness.load.locust.messages import ENDED, MARK_FILE, READY, SECOND, STARTED, Setup
from harness.load.order import LoadOrder
from harness.load.shares import shards_in_all, shards_of, share
from harness.metrics.registry import METRICS
from harness.metrics.samples import samples_of
from harness.record.call_id import call_id
from harness.record.result import CallResult
from harness.record.role import Role
from harness.record.run_directory import RunDirectory
from harness.run.mix import Mix
from harness.shards.protocol import CallOrder, ShardOrder

AHEAD_NS = NS_PER_S // 2  # how long before a call is due it is sent to a shard
LEAD_S = 2.0  # from the order of a burst to its start

Send = Callable[[str, dict[str, Any]], None]
Fire = Callable[..., None]

_log = logging.getLogger(__name__)


class Caller:
    """Makes a worker's calls. Its greenlets are Locust's users and, in the open model, one for each call.

    Args:
        order: The order of this process.
        scenarios: The scenarios of the calls.
        setup: The setup from the master.
        send: Sends a message to the master.
        fire: Locust's `events.request.fire`, called for a call and for each of its measurements.
    """

    def __init__(
        self, order: LoadOrder, scenarios: Sequence[Prepared], setup: Setup, *, send: Send, fire: Fire
    ) -> None:
        self.plan = setup.plan
        self._order = order
        self._scenarios = scenarios
        self._setup = setup
        self._send = send
        self._fire = fire
        self._mix = Mix(order.load.weights)
        self._clock = SystemClock()
        self._host = socket.gethostname()
        self._directory, self._is_here = self._folder()
        in_all = shards_in_all(setup.plan, order.calls.engine, scenarios=len(scenarios), workers=setup.workers)
        self._bridge = Bridge(self._shard_order(), shards=in_all, started=self._started)
        self._scenario_of: dict[str, int] = {}
        self._next = 0
        self._canaries = 0
        self._canary_share = self._share(setup.plan.canaries)
        self._begun_ns: int | None = None
        self._pending = self._dropped = self._turns = self._unfit = 0
        self.stopping = Event()

    def _share(self, number: int) -> int:
        """Returns how many of `number` things belong to this worker."""
        return share(number, worker=self._setup.number, workers=self._setup.workers)

    def _folder(self) -> tuple[Path, bool]:
        """Returns the run directory and True if it is on this machine; else a temporary folder and False."""
        there = Path(self._setup.directory)
        try:
            if (there / MARK_FILE).read_text() == self._setup.mark:
                return there, True
        except OSError:
            pass
        ours = Path(tempfile.mkdtemp(prefix="voice-harness-load-"))
        (ours / "timelines").mkdir()
        _log.info("the run is on another machine: timelines go there as calls end, recordings stay in %s", ours)
        return ours, False

    def _shard_order(self) -> ShardOrder:
        calls = self._order.calls
        known = {
            "directory": str(self._directory),
            "url": self._setup.url or calls.url,
            "api_key": self._setup.api_key or calls.api_key,
        }
        return calls.model_copy(update=known)

    def begin(self) -> None:
        """Starts the shards, and tells the master when they are ready."""
        setup, engine, scenarios = self._setup, self._order.calls.engine, len(self._scenarios)
        grows = self.plan.most(scenarios) is None
        begun = shards_of(self.plan, engine, scenarios=scenarios, worker=setup.number, workers=setup.workers)
        for on, count in begun.items():
            self._bridge.begin(on, count, grows=grows and on == engine)
        gevent.spawn(self._tell_seconds)
        self._send(READY, {})

    # -- one call ------------------------------------------------------------------------------------------------------

    def make(self, scenario: int | None = None, *, due_ns: int | None = None, burst: int | None = None) -> None:
        """Makes the next call and waits for its end.

        Args:
            scenario: The index of its scenario; None for the next one of the mix.
            due_ns: When to start it (monotonic ns); None for now.
            burst: The size of its burst, if it is in one.
        """
        index, self._next = self._next, self._next + 1
        which = self._mix.pick(index) if scenario is None else scenario
        prepared = self._scenarios[which]
        worker = None if self._setup.workers == 1 else self._setup.number
        call = call_id(index + 1, prepared.loaded.name, burst=burst, worker=worker)
        canary = self._canaries < self._canary_share
        role = Role(warm_up=self._is_warm_up(due_ns), canary=canary)
        order = CallOrder(call=call, scenario=which, due_ns=due_ns, role=role)
        self._pending += 1
        self._canaries += canary
        self._scenario_of[call] = which
        try:
            engine: EngineName = "sdk" if canary else self._order.calls.engine
            result = CallResult.model_validate(self._bridge.make(order, engine))
        except OwnFailure as problem:
            result = self._lost(order, prepared, problem)
        finally:
            self._pending -= 1
            self._canaries -= canary
            self._scenario_of.pop(call, None)
        self._ended(result)

    def _is_warm_up(self, due_ns: int | None) -> bool:
        begun_ns = self._begun_ns
        if not self.plan.warm_up_s or begun_ns is None:
            return False
        starts_ns = self._clock.now_ns() if due_ns is None else due_ns
        return starts_ns - begun_ns < self.plan.warm_up_s * NS_PER_S

    def _lost(self, order: CallOrder, prepared: Prepared, problem: OwnFailure) -> CallResult:
        return lost_call(
            order.call,
            prepared,
            target=self._order.calls.described,
            started=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            failure=problem,
            role=order.role,
        )

    def _started(self, call: str) -> None:
        self._send(STARTED, {"call": call, "scenario": self._scenario_of.get(call, 0)})

    def _ended(self, result: CallResult) -> None:
        if self._setup.workers > 1 or not self._is_here:
            result.host = self._host
        turns = [turn for turn in result.turns if not turn.cut]
        self._turns += len(turns)
        self._unfit += sum(not turn.sure for turn in turns)
        message: dict[str, Any] = {"line": result.model_dump_json(), "timeline": None}
        if self._is_here:
            RunDirectory(self._directory).append_call(result)
        else:
            timeline = RunDirectory(self._directory).timeline(result.call)
            if timeline.exists():
                message["timeline"] = zlib.compress(timeline.read_bytes())
                timeline.unlink()
        self._send(ENDED, message)
        for row in _rows(result):
            self._fire(**row)

    # -- when calls start ----------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Marks now as the beginning of the load."""
        self._begun_ns = self._clock.now_ns()

    def dispatch_rate(self) -> None:
        """Starts this worker's share of calls at the plan's rate, by deadlines; drops calls above the cap."""
        begun_ns = self._begun_ns or self._clock.now_ns()
        per_min = self.plan.rate_per_min or 1.0
        cap = None if self.plan.slots is None else max(1, self._share(self.plan.slots))
        for index in range(self._setup.number - 1, self.plan.total(1) or 0, self._setup.workers):
            due_ns = begun_ns + round(index * 60 * NS_PER_S / per_min)
            if self._wait(due_ns - AHEAD_NS):
                return
            if cap is not None and self._pending >= cap:
                self._dropped += 1
                continue
            gevent.spawn(self.make, due_ns=due_ns)

    def dispatch_burst(self, size: int, share: int) -> None:
        """Starts this worker's `share` of a burst of `size` calls, all at the same time."""
        due_ns = self._clock.now_ns() + round(LEAD_S * NS_PER_S)
        for _ in range(share):
            gevent.spawn(self.make, due_ns=due_ns, burst=size)

    def _wait(self, until_ns: int) -> bool:
        """Waits until the time; returns whether the load was stopped first."""
        return bool(self.stopping.wait(max(0.0, (until_ns - self._clock.now_ns()) / NS_PER_S)))

    def cut(self) -> None:
        """Starts no more calls and cuts the running ones."""
        self.stopping.set()
        self._bridge.cut()

    def wait_quiet(self) -> None:
        """Waits until no call is pending."""
        while self._pending:
            gevent.sleep(0.1)

    def close(self) -> None:
        """Ends the shards."""
        self.stopping.set()
        self._bridge.close()

    # -- messages to the master ----------------------------------------------------------------------------------------

    def _tell_seconds(self) -> None:
        while True:
            started = time.monotonic()
            shards = self._bridge.seconds
            second = {
                "pending": self._pending,
                "alive": sum(shard["alive"] for shard in shards),
                "dropped": self._dropped,
                "lag_ms": max((shard["lag_ms"] for shard in shards), default=0.0),
                "cpu": round(sum(shard["cpu"] for shard in shards), 3),
                "shards": len(shards),
                "turns": self._turns,
                "unfit": self._unfit,
                "died": self._bridge.died,
                "problem": self._bridge.problem,
            }
            self._send(SECOND, second)
            gevent.sleep(max(0.0, 1.0 - (time.monotonic() - started)))


def _rows(result: CallResult) -> Iterator[dict[str, Any]]:
    """Yields Locust's rows for a call: one for the call itself, and one for each measurement in milliseconds."""
    if result.cut or result.warm_up:
        return
    kind = "canary" if result.canary else "voice"
    problem = None if result.ok else RuntimeError(result.failure or "an expectation failed")
    yield {
        "request_type": kind,
        "name": f"call {result.scenario}",
        "response_time": result.duration_ms,
        "response_length": 0,
        "exception": problem,
        "context": {},
    }
    for sample in samples_of([result]):
        measured = sample.fit and not sample.censored and not sample.metric.startswith("harness.")
        if measured and METRICS[sample.metric].unit == "ms":
            yield {
                "request_type": kind,
                "name": sample.metric,
                "response_time": sample.value,
                "response_length": 0,
                "exception": None,
                "context": {},
            }
