"""Connects a process that Locust has patched to unpatched shards, by pipes that greenlets read.

This is the gevent driver; `shards/policy.py` makes the decisions. Import it only in Locust's processes, after Locust.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import gevent
from gevent import subprocess
from gevent.event import AsyncResult, Event

from harness.call.engines.make import EngineName
from harness.process.lines import line_of, message_in
from harness.shards.awaited import AwaitedCalls
from harness.shards.meaning import Ended, Ready, Started
from harness.shards.policy import END_S, ShardPolicy, ShardState
from harness.shards.protocol import COMMAND, CallOrder, CutOrder, ShardOrder
from harness.shards.silence import LOOK_S

READ_S = 0.5  # to read the rest of a shard's log after its end


@dataclass(eq=False)
class _Process:
    """A shard's process; `settled` is set once it is ready or gone."""

    state: ShardState
    process: subprocess.Popen[bytes] | None = None
    settled: Event = field(default_factory=Event)

    def send(self, orders: Iterable[ShardOrder | CallOrder | CutOrder]) -> None:
        if self.process is None:
            return
        with contextlib.suppress(OSError, ValueError):  # it has ended, and its reader reports that
            for order in orders:
                self.process.stdin.write(line_of(order.model_dump()).encode())
                self.process.stdin.flush()

    def end(self) -> None:
        """Closes its input, so that it cuts its calls and ends."""
        if self.process is not None:
            with contextlib.suppress(OSError, ValueError):
                self.process.stdin.close()

    def kill_at(self, until_s: float) -> None:
        """Waits for its end, and kills it at this time (s, monotonic)."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.0, until_s - time.monotonic()))
            if self.process.poll() is None:
                self.process.kill()


class Bridge:
    """Makes calls in shards; each greenlet waits for its own call.

    Args:
        order: The order for all shards, except for each shard's `engine`.
        shards: The expected number of shards of all workers, for each shard's share of the session rate.
        started: Called with each call's id as it starts.
    """

    def __init__(self, order: ShardOrder, *, shards: int, started: Callable[[str], None]) -> None:
        self._policy = ShardPolicy(order, shards=shards, starter=f"{socket.gethostname()}:{os.getpid()}")
        self._started = started
        self._processes: dict[ShardState, _Process] = {}
        self._calls: AwaitedCalls[AsyncResult] = AwaitedCalls(AsyncResult)
        self._closed = False
        gevent.spawn(self._watch)

    def begin(self, engine: EngineName, count: int = 1, *, grows: bool = False) -> None:
        """Starts `count` shards before they are needed, and waits until they are ready or gone.

        `grows`: whether more calls may come than these have room for; see `ShardPolicy.expect`.
        """
        self._policy.expect(engine, count, grows=grows)
        begun = [self._start(self._policy.begin(engine, time.monotonic())) for _ in range(count)]
        for process in begun:
            process.settled.wait()

    @property
    def died(self) -> int:
        """The number of shards that died with calls in them."""
        return self._policy.died

    @property
    def problem(self) -> str | None:
        """The last error of a shard in one line; None if there was none."""
        return self._policy.problem

    @property
    def seconds(self) -> list[dict[str, Any]]:
        """The last `second` message of each living shard: alive, lag_ms, cpu."""
        return self._policy.seconds

    @property
    def pids(self) -> list[int]:
        """The process ids of the living shards."""
        processes = [self._processes[shard].process for shard in self._policy.living]
        return [process.pid for process in processes if process is not None]

    def make(self, order: CallOrder, engine: EngineName) -> dict[str, Any]:
        """Makes a call, waits for its end, and returns its `CallResult` in JSON.

        If the greenlet is killed meanwhile, it cuts its call and waits for its end.

        Raises:
            OwnFailure: Its shard died, or none could be started.
        """
        taken = self._policy.take(order, engine, time.monotonic())
        shard = taken.shard
        ended = self._calls.begin(order.call)
        for begun in taken.begun:
            self._start(begun)
        process = self._processes[shard]
        try:
            try:
                return self._result(process, order.call, ended)
            except gevent.GreenletExit:
                process.send(self._policy.cut(shard, order.call, time.monotonic()))
                return self._result(process, order.call, ended)
        finally:
            self._calls.leave(order.call)
            if self._policy.leave(shard, order.call):
                self._retire(process)

    def _result(self, process: _Process, call: str, ended: AsyncResult) -> dict[str, Any]:
        process.settled.wait()
        process.send(self._policy.to_send(process.state, call, time.monotonic()))
        result: dict[str, Any] = ended.get()
        return result

    def cut(self) -> None:
        """Cuts all running calls. A shard that does not end its calls in time is killed later, by the policy."""
        for shard in self._policy.cut_all(time.monotonic()):
            self._processes[shard].send((CutOrder(),))

    def close(self) -> None:
        """Ends the shards; running calls are cut."""
        self._closed = True
        for process in self._processes.values():
            process.end()
        until_s = time.monotonic() + END_S
        for process in self._processes.values():
            process.kill_at(until_s)

    @staticmethod
    def _retire(process: _Process) -> None:
        process.end()
        gevent.spawn(process.kill_at, time.monotonic() + END_S)

    def _watch(self) -> None:
        while True:
            gevent.sleep(LOOK_S)
            overdue = self._policy.overdue(time.monotonic())
            for shard in overdue.kill:
                self._processes[shard].kill_at(time.monotonic())
            self._calls.fail(overdue.lost)

    def _start(self, shard: ShardState) -> _Process:
        process = self._processes[shard] = _Process(shard)
        if shard.wait_s:
            gevent.spawn_later(shard.wait_s, self._launch, process)
        else:
            self._launch(process)
        return process

    def _launch(self, process: _Process) -> None:
        shard = process.state
        if self._closed:
            self._calls.fail(self._policy.ended(shard, None))
            process.settled.set()
            return
        try:
            # In its own session, because the driver handles Ctrl-C. The shard ends when our end of its pipe closes.
            process.process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as problem:
            self._calls.fail(self._policy.not_started(shard, problem))
            process.settled.set()
            return
        process.send((self._policy.order_of(shard),))
        gevent.spawn(self._read, process, process.process)

    def _read(self, process: _Process, child: subprocess.Popen[bytes]) -> None:
        """Reads a shard's messages until its end; calls left in it then fail."""
        shard = process.state
        errors = gevent.spawn(self._read_errors, shard, child)
        code = None
        try:
            for line in child.stdout:
                message = message_in(line)
                if message is None:
                    shard.log_tail.add(line)
                else:
                    self._heard(process, message)
            code = child.wait()
            errors.join(READ_S)
        finally:
            self._calls.fail(self._policy.ended(shard, code))
            process.settled.set()

    @staticmethod
    def _read_errors(shard: ShardState, child: subprocess.Popen[bytes]) -> None:
        for line in child.stderr:
            shard.log_tail.add(line)

    def _heard(self, process: _Process, message: dict[str, Any]) -> None:
        match self._policy.heard(process.state, message, time.monotonic()):
            case Ended(call, result):
                self._calls.end(call, result)
            case Started(call):
                self._started(call)
            case Ready():
                process.settled.set()
            case _:
                pass
