"""Makes calls in a pool of shards. Each shard makes a bounded number, and one that dies loses only its own calls.

This is the asyncio driver; `policy` makes the decisions.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.call.engines.make import EngineName
from harness.caller.lost_call import lost_call
from harness.caller.prepare import Prepared
from harness.clock import NS_PER_S, Clock
from harness.errors import OwnFailure
from harness.process.child import Child
from harness.record.result import CallResult
from harness.record.role import ORDINARY, Role
from harness.shards.awaited import AwaitedCalls
from harness.shards.meaning import Ended, Happened, Ready, SecondTold
from harness.shards.policy import END_S, ShardPolicy, ShardState
from harness.shards.protocol import (
    COMMAND,
    LINE_LIMIT_BYTES,
    CallOrder,
    CutOrder,
    ShardOrder,
    write_prepared,
)
from harness.shards.silence import LOOK_S
from harness.shards.size import shards_for
from harness.timeline.codec import event_of
from harness.timeline.events import Event


@dataclass(eq=False)
class _Process:
    """A shard's process; `settled` is set once it is ready or gone."""

    state: ShardState
    child: Child | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, orders: Iterable[CallOrder | CutOrder]) -> None:
        for order in orders:
            if self.child is not None:
                await self.child.send(order.model_dump())

    async def stop(self, *, grace_s: float) -> None:
        if self.child is not None:
            await self.child.stop(grace_s=grace_s)


def _future() -> asyncio.Future[dict[str, Any]]:
    return asyncio.get_running_loop().create_future()


class ShardPool:
    """Makes calls in child processes; an async context manager.

    Args:
        order: The order for all shards; `prepared` is filled in here.
        scenarios: The scenarios of the calls.
        clock: The clock.
        most: The most concurrent calls; None if unknown. It determines how the session rate is divided among shards.
        calls: How many calls are made in all; None if unknown.
        on_event: Called with each event of each call, if given.
        on_second: Called once a second for each shard, with its number and `alive`, `lag_ms`, `cpu`.

    Raises:
        HarnessError: On entering: the target or the engine is not usable.
    """

    def __init__(
        self,
        order: ShardOrder,
        scenarios: Sequence[Prepared],
        *,
        clock: Clock,
        most: int | None = None,
        calls: int | None = None,
        on_event: Callable[[str, Event], None] | None = None,
        on_second: Callable[[int, dict[str, Any]], None] | None = None,
    ) -> None:
        self._scenarios = list(scenarios)
        self._clock = clock
        self._on_event = on_event
        self._on_second = on_second
        shards = 1 if most is None else shards_for(most, order.engine)
        self._first_shards = shards
        self._policy = ShardPolicy(order, shards=shards)
        self._policy.expect(order.engine, shards, grows=most is None, calls=calls)
        self._processes: dict[ShardState, _Process] = {}
        self._calls = AwaitedCalls(_future)
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> ShardPool:
        self._folder = tempfile.TemporaryDirectory(prefix="voice-harness-", ignore_cleanup_errors=True)
        prepared = Path(self._folder.name) / "scenarios"
        write_prepared(self._scenarios, prepared)
        told = {"prepared": str(prepared), "tell_events": self._on_event is not None}
        self._policy.order = self._policy.order.model_copy(update=told)
        self._do(self._watch())
        try:
            await self._first()
        except BaseException:
            await self._close()
            raise
        return self

    async def _first(self) -> None:
        """Starts all shards known to be needed. The first one starts alone, since its error would be that of all."""
        engine = self._policy.order.engine
        for index in range(self._first_shards):
            process = self._start(self._policy.begin(engine, self._now_s()))
            if index == 0:
                await process.settled.wait()
                if process.state.error is not None:
                    raise process.state.error
        await asyncio.gather(*(process.settled.wait() for process in self._processes.values()))

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        await asyncio.gather(*(process.stop(grace_s=END_S) for process in self._processes.values()))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def pids(self) -> list[int]:
        """The process ids of the living shards."""
        children = [process.child for process in self._processes.values()]
        return [child.pid for child in children if child is not None and not child.has_ended]

    @property
    def died(self) -> int:
        """The number of shards that died with calls in them."""
        return self._policy.died

    def start(
        self,
        call: str,
        prepared: Prepared,
        due_ns: int | None = None,
        *,
        role: Role = ORDINARY,
        lasts_s: float | None = None,
    ) -> PooledCall:
        """Returns a call with this id, ready to be made (see `RunningCall`). A canary runs on the other engine.

        With `lasts_s` its turns are looped for that many seconds.
        """
        scenario = next(index for index, each in enumerate(self._scenarios) if each is prepared)
        order = CallOrder(call=call, scenario=scenario, due_ns=due_ns, lasts_s=lasts_s, role=role)
        engine = self._policy.order.engine
        if role.canary:
            engine = "sdk" if engine == "light" else "light"
        return PooledCall(self, order, prepared, engine)

    # -- used by PooledCall ------------------------------------------------------------------------------------------

    async def make(self, order: CallOrder, engine: EngineName, took: Callable[[ShardState], None]) -> CallResult:
        """Makes a call in a shard with room; `took` is called with the shard.

        Raises:
            OwnFailure: Its shard died, or none could be started.
        """
        taken = self._policy.take(order, engine, self._now_s())
        ended = self._calls.begin(order.call)
        for shard in taken.begun:
            self._start(shard)
        process = self._processes[taken.shard]
        took(taken.shard)
        try:
            await process.settled.wait()
            await process.send(self._policy.to_send(taken.shard, order.call, self._now_s()))
            return CallResult.model_validate(await ended)
        finally:
            self._calls.leave(order.call)
            if self._policy.leave(taken.shard, order.call):
                self._do(process.stop(grace_s=END_S))

    async def cut(self, shard: ShardState, call: str) -> None:
        """Cuts a call that `make` placed on this shard."""
        await self._processes[shard].send(self._policy.cut(shard, call, self._now_s()))

    def cutting(self, shard: ShardState, call: str) -> None:
        """Like `cut`, for code that cannot await."""
        self._do(self._processes[shard].send(self._policy.cut(shard, call, self._now_s())))

    def lost(self, order: CallOrder, prepared: Prepared, problem: OwnFailure) -> CallResult:
        """Returns the result of a call that could not finish."""
        utc = self._clock.utc().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return lost_call(
            order.call,
            prepared,
            target=self._policy.order.described,
            started=utc,
            failure=problem,
            role=order.role,
        )

    # -- shards ------------------------------------------------------------------------------------------------------

    def _start(self, shard: ShardState) -> _Process:
        process = self._processes[shard] = _Process(shard)
        self._do(self._live(process))
        return process

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, process: _Process) -> None:
        """Runs a shard's process to its end; calls left in it then fail."""
        shard = process.state
        code = None
        try:
            await asyncio.sleep(shard.wait_s)
            process.child = await Child.start(
                f"shard {shard.number}",
                COMMAND,
                log_tail=shard.log_tail,
                on_message=partial(self._heard, process),
                line_limit_bytes=LINE_LIMIT_BYTES,
            )
            await process.child.send(self._policy.order_of(shard).model_dump())
            code = await process.child.wait()
        except OSError as problem:
            self._calls.fail(self._policy.not_started(shard, problem))
        finally:
            self._calls.fail(self._policy.ended(shard, code))
            process.settled.set()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            overdue = self._policy.overdue(self._now_s())
            for shard in overdue.kill:
                self._do(self._processes[shard].stop(grace_s=0.0))
            self._calls.fail(overdue.lost)

    def _now_s(self) -> float:
        return self._clock.now_ns() / NS_PER_S

    def _heard(self, process: _Process, message: dict[str, Any]) -> None:
        match self._policy.heard(process.state, message, self._now_s()):
            case Ended(call, result):
                self._calls.end(call, result)
            case Happened(call, entry) if self._on_event is not None:
                event = event_of(entry)
                if event is not None:
                    self._on_event(call, event)
            case SecondTold(number, second) if self._on_second is not None:
                self._on_second(number, second)
            case Ready():
                process.settled.set()
            case _:
                pass


class PooledCall:
    """A call made by a shard; see `RunningCall`."""

    def __init__(self, pool: ShardPool, order: CallOrder, prepared: Prepared, engine: EngineName) -> None:
        self._pool = pool
        self._order = order
        self._prepared = prepared
        self._engine = engine
        self._shard: ShardState | None = None
        self._is_cut = False

    async def make(self) -> CallResult:
        """See `RunningCall`."""
        try:
            return await self._pool.make(self._order, self._engine, self._took)
        except OwnFailure as problem:
            return self._pool.lost(self._order, self._prepared, problem)

    def cut(self) -> None:
        """See `RunningCall`."""
        self._is_cut = True
        if self._shard is not None:
            self._pool.cutting(self._shard, self._order.call)

    def _took(self, shard: ShardState) -> None:
        self._shard = shard
        if self._is_cut:
            self._pool.cutting(shard, self._order.call)
