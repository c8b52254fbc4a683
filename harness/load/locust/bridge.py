"""From a process that Locust has patched to shards that nobody has: pipes, read by greenlets.

The same lines as `pool` writes and reads, by gevent in place of asyncio. Imported after Locust, in its processes only.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gevent
from gevent import subprocess
from gevent.event import AsyncResult, Event

from harness.call.engines.make import EngineName
from harness.caller.lost_call import how_it_ended, shard_died
from harness.process.lines import error_in, line_of, message_in
from harness.process.log_tail import Said
from harness.shards.protocol import CallOrder, CutOrder, ShardOrder
from harness.shards.silence import LOOK_S, READY_S, Silence
from harness.shards.size import CALLS_IN_A_SHARD, CALLS_OF_A_SHARD

COMMAND = (sys.executable, "-m", "harness.shards.shard")
END_S = 40.0  # of calls that were cut: they hang up, are measured, and their recordings are saved


@dataclass(eq=False)
class _Shard:
    """One child, seen from here."""

    number: int
    engine: EngineName
    process: subprocess.Popen[bytes]
    calls: dict[str, AsyncResult] = field(default_factory=dict)
    ready: Event = field(default_factory=Event)
    gone: str | None = None
    made: int = 0
    retires: bool = False
    second: dict[str, Any] = field(default_factory=dict)
    silence: Silence = field(default_factory=lambda: Silence(time.monotonic()))
    killed: str | None = None

    def kill(self, why: str) -> None:
        """Ends it at once; its calls are lost."""
        self.killed = why
        self.process.kill()

    def tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):  # it has ended: its reader tells
            self.process.stdin.write(line_of(message).encode())
            self.process.stdin.flush()

    def end(self) -> None:
        """Closes its input: it ends when its calls have."""
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.close()


class Bridge:
    """Makes calls in shards; each greenlet waits for its own.

    Args:
        order: What every shard is told; `engine` is each shard's own.
        shards: How many there will be about, for their share of the session rate.
        started: Told of each call's id as it starts.
    """

    def __init__(self, order: ShardOrder, *, shards: int, started: Callable[[str], None]) -> None:
        self._order = order
        self._expected = shards
        self._started = started
        self._shards: list[_Shard] = []
        self.said = Said()
        self.problem: str | None = None
        self.died = 0
        gevent.spawn(self._watch)

    def begin(self, engine: EngineName, count: int = 1) -> None:
        """Starts shards before they are needed, and returns when they are ready."""
        started = [self._start(engine) for _ in range(count)]
        for shard in started:
            shard.ready.wait(READY_S)

    @property
    def seconds(self) -> list[dict[str, Any]]:
        """What each living shard last said of its second: alive, lag_ms, cpu."""
        return [shard.second for shard in self._shards if shard.gone is None and shard.second]

    @property
    def pids(self) -> list[int]:
        """The shards that live."""
        return [shard.process.pid for shard in self._shards if shard.gone is None]

    def make(self, order: CallOrder, engine: EngineName) -> dict[str, Any]:
        """Makes a call and waits for its result, as `CallResult` in JSON.

        A greenlet that is killed meanwhile cuts its call, and waits for that.

        Raises:
            OwnFailure: Its shard died, or none could be started.
        """
        shard = self._with_room(engine)
        ended: AsyncResult = AsyncResult()
        shard.calls[order.call] = ended
        shard.made += 1
        shard.retires = shard.made == CALLS_OF_A_SHARD[engine]
        try:
            shard.ready.wait(READY_S)
            if shard.gone is not None:
                raise shard_died(shard.gone)
            shard.tell(order.model_dump())
            try:
                result: dict[str, Any] = ended.get()
            except gevent.GreenletExit:
                shard.tell(CutOrder(call=order.call).model_dump())
                result = ended.get(timeout=END_S)
            return result
        finally:
            shard.calls.pop(order.call, None)
            if shard.retires and not shard.calls:
                shard.end()

    def cut(self) -> None:
        """Cuts all calls that run; a shard that does not end them is ended itself."""
        for shard in self._shards:
            shard.tell(CutOrder().model_dump())
            gevent.spawn_later(END_S, self._end_stuck, shard, list(shard.calls))

    def close(self) -> None:
        """Ends the shards; what runs is cut."""
        for shard in self._shards:
            shard.end()
        until = time.monotonic() + END_S
        for shard in self._shards:
            with contextlib.suppress(subprocess.TimeoutExpired):
                shard.process.wait(max(0.0, until - time.monotonic()))
            if shard.process.poll() is None:
                shard.process.kill()

    @staticmethod
    def _end_stuck(shard: _Shard, calls: list[str]) -> None:
        if shard.gone is None and any(call in shard.calls for call in calls):
            shard.kill(f"it had not ended its calls {END_S:g} s after they were cut")

    def _watch(self) -> None:
        """Ends shards that are frozen: a call in one would never end."""
        while True:
            gevent.sleep(LOOK_S)
            for shard in self._shards:
                frozen = shard.silence.look(time.monotonic(), ready=shard.ready.is_set())
                if frozen is not None and shard.gone is None and shard.killed is None:
                    shard.kill(frozen)

    def _with_room(self, engine: EngineName) -> _Shard:
        those = [shard for shard in self._shards if shard.engine == engine and not shard.gone and not shard.retires]
        best = min(those, key=lambda shard: len(shard.calls), default=None)
        if best is None or len(best.calls) >= CALLS_IN_A_SHARD[engine]:
            return self._start(engine)
        return best

    def _start(self, engine: EngineName) -> _Shard:
        # Its own session: a Ctrl-C in the terminal is the driver's to judge. It ends when our end of its pipe does.
        process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        shard = _Shard(len(self._shards) + 1, engine, process)
        self._shards.append(shard)
        rate = self._order.session_rate_per_min
        told = {
            "engine": engine,
            "seed": self._order.seed + os.getpid() % 1000 * 100 + shard.number,
            "session_rate_per_min": None if rate is None else rate / self._expected,
        }
        shard.tell(self._order.model_copy(update=told).model_dump())
        gevent.spawn(self._read, shard)
        gevent.spawn(self._read_errors, shard)
        return shard

    def _read(self, shard: _Shard) -> None:
        for line in shard.process.stdout:
            shard.silence.heard(time.monotonic())
            message = message_in(line)
            if message is None:
                self.said.add(line)
            else:
                self._take(shard, message)
        code = shard.process.wait()
        self._gone(shard, shard.killed or how_it_ended(code))

    def _read_errors(self, shard: _Shard) -> None:
        for line in shard.process.stderr:
            self.said.add(line)

    def _take(self, shard: _Shard, message: dict[str, Any]) -> None:
        if "ended" in message:
            ended = shard.calls.get(message["ended"]["call"])
            if ended is not None:
                ended.set(message["ended"])
        elif "started" in message:
            self._started(message["started"])
        elif "second" in message:
            shard.second = message["second"]
        elif "ready" in message:
            shard.ready.set()
        elif "error" in message:
            problem = error_in(message)
            self.problem = ": ".join(str(part) for part in (problem.where, problem.what) if part)

    def _gone(self, shard: _Shard, why: str) -> None:
        last = self.problem or self.said.last(1)
        shard.gone = f"{why} ({last})" if last else why
        self.died += bool(shard.calls)
        shard.ready.set()
        for ended in list(shard.calls.values()):
            ended.set_exception(shard_died(shard.gone))
