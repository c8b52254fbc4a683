"""Shards as one place to make calls in: each carries a bounded number, and one that dies costs its own calls only."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.call.engines.make import EngineName
from harness.caller.lost_call import how_it_ended, lost_call, shard_died
from harness.caller.prepare import Prepared
from harness.clock import NS_PER_S, Clock
from harness.errors import HarnessError, OwnFailure, StackError
from harness.process.child import Child
from harness.process.lines import error_in
from harness.process.log_tail import Said
from harness.record.result import CallResult
from harness.shards.protocol import LINE_LIMIT_BYTES, CallOrder, CutOrder, ShardOrder, write_prepared
from harness.shards.silence import LOOK_S, Silence
from harness.shards.size import CALLS_IN_A_SHARD, CALLS_OF_A_SHARD, shards_for
from harness.timeline.codec import event_of
from harness.timeline.events import Event

COMMAND = (sys.executable, "-m", "harness.shards.shard")
END_S = 40.0  # of calls that were cut: they hang up, are measured, and their recordings are saved
SPARE_SHARE = 0.25  # of a shard's room: with less left, the next shard is started before it is needed


@dataclass
class _Shard:
    """One child, seen from here."""

    number: int
    engine: EngineName
    child: Child | None = None
    calls: dict[str, asyncio.Future[CallResult]] = field(default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    gone: str | None = None
    made: int = 0
    retires: bool = False
    error: HarnessError | None = None
    frozen: str | None = None

    @property
    def room(self) -> int:
        """How many more calls it takes."""
        return 0 if self.gone or self.retires else CALLS_IN_A_SHARD[self.engine] - len(self.calls)


class ShardPool:
    """Makes calls in child processes; an async context manager.

    Args:
        order: What all shards are told; `prepared` is filled in here.
        scenarios: What the calls follow.
        clock: The only reader of time.
        on_event: Takes each event of each call, where wanted.
        on_second: Takes what each shard says once a second: its number, and `alive`, `lag_ms`, `cpu`.
        most: How many calls at once there will be at most; None: nobody knows. The session rate is shared by that.

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
        on_event: Callable[[str, Event], None] | None = None,
        on_second: Callable[[int, dict[str, Any]], None] | None = None,
    ) -> None:
        self._order = order
        self._scenarios = list(scenarios)
        self._clock = clock
        self._most = most
        self._on_event = on_event
        self._on_second = on_second
        self._shards: list[_Shard] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.said = Said()
        self.died = 0

    async def __aenter__(self) -> ShardPool:
        self._folder = tempfile.TemporaryDirectory(prefix="voice-harness-", ignore_cleanup_errors=True)
        prepared = Path(self._folder.name) / "scenarios"
        write_prepared(self._scenarios, prepared)
        told = {"prepared": str(prepared), "tell_events": self._on_event is not None}
        self._order = self._order.model_copy(update=told)
        try:
            await self._first()
        except BaseException:
            await self._close()
            raise
        return self

    async def _first(self) -> None:
        """All shards that are known to be needed; what is wrong with one is wrong with all."""
        for _ in range(self._expected(self._order.engine)):
            shard = self._begin(self._order.engine)
            if shard.number == 1:
                await shard.ready.wait()
            if shard.error is not None:
                raise shard.error
        await asyncio.gather(*(shard.ready.wait() for shard in self._shards))

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        running = [shard.child for shard in self._shards if shard.child is not None]
        await asyncio.gather(*(child.stop(grace_s=END_S) for child in running))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        return [shard.child.pid for shard in self._shards if shard.child is not None and not shard.child.has_ended]

    def start(
        self,
        call: str,
        prepared: Prepared,
        due_ns: int | None = None,
        *,
        canary: bool = False,
        warm_up: bool = False,
        lasts_s: float | None = None,
    ) -> PooledCall:
        """A call of that id, ready to be made; a canary runs on the other engine. See `RunningCall`.

        With `lasts_s` its turns are looped for so long.
        """
        scenario = next(index for index, each in enumerate(self._scenarios) if each is prepared)
        order = CallOrder(call=call, scenario=scenario, due_ns=due_ns, lasts_s=lasts_s, warm_up=warm_up, canary=canary)
        engine: EngineName = self._order.engine
        if canary:
            engine = "sdk" if engine == "light" else "light"
        return PooledCall(self, order, prepared, engine)

    # -- what PooledCall asks ----------------------------------------------------------------------------------------

    async def make(self, order: CallOrder, engine: EngineName, took: Callable[[_Shard], None]) -> CallResult:
        """Makes a call where there is room.

        Raises:
            OwnFailure: Its shard died, or none could be started.
        """
        shard = self._with_room(engine)
        ended: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()
        shard.calls[order.call] = ended
        shard.made += 1
        shard.retires = shard.made == CALLS_OF_A_SHARD[engine]
        took(shard)
        try:
            await shard.ready.wait()
            if shard.gone is not None or shard.child is None:
                raise shard_died(shard.gone or "it could not be started")
            await shard.child.send(order.model_dump())
            return await ended
        finally:
            shard.calls.pop(order.call, None)
            if shard.retires and not shard.calls and shard.child is not None:
                self._do(shard.child.stop(grace_s=END_S))

    async def cut(self, shard: _Shard, call: str) -> None:
        """Cuts a call that `make` gave to this shard."""
        if shard.child is not None:
            await shard.child.send(CutOrder(call=call).model_dump())

    def cutting(self, shard: _Shard, call: str) -> None:
        """As `cut`, from where nothing can be awaited."""
        self._do(self.cut(shard, call))

    def lost(self, order: CallOrder, prepared: Prepared, problem: OwnFailure) -> CallResult:
        """The result of a call that nobody could finish."""
        utc = self._clock.utc().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return lost_call(
            order.call,
            prepared,
            target=self._order.described,
            started=utc,
            failure=problem,
            canary=order.canary,
        )

    # -- shards ------------------------------------------------------------------------------------------------------

    def _expected(self, engine: EngineName) -> int:
        return 1 if self._most is None else shards_for(self._most, engine)

    def _with_room(self, engine: EngineName) -> _Shard:
        """The shard with the most room; a new one where none has any."""
        those = [shard for shard in self._shards if shard.engine == engine and not shard.gone and not shard.retires]
        best = max(those, key=lambda shard: shard.room, default=None)
        if best is None or best.room <= 0:
            return self._begin(engine)
        left = sum(shard.room for shard in those) - 1
        if self._most is None and left < SPARE_SHARE * CALLS_IN_A_SHARD[engine]:
            self._begin(engine)
        return best

    def _begin(self, engine: EngineName) -> _Shard:
        shard = _Shard(len(self._shards) + 1, engine)
        self._shards.append(shard)
        self._do(self._live(shard))
        return shard

    def _do(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, shard: _Shard) -> None:
        """A shard's whole life; its calls end with it."""
        why = "it could not be started"
        silence = Silence(self._now_s())

        def take(message: dict[str, Any]) -> None:
            silence.heard(self._now_s())
            self._take(shard, message)

        try:
            shard.child = await Child.start(
                f"shard {shard.number}",
                COMMAND,
                said=self.said,
                on_message=take,
                line_limit_bytes=LINE_LIMIT_BYTES,
            )
            rate = self._order.session_rate_per_min
            order = self._order.model_copy(
                update={
                    "engine": shard.engine,
                    "seed": self._order.seed + shard.number,
                    "session_rate_per_min": None if rate is None else rate / self._expected(shard.engine),
                }
            )
            await shard.child.send(order.model_dump())
            watching = asyncio.create_task(self._watch(shard, shard.child, silence))
            try:
                code = await shard.child.wait()
                why = shard.frozen or how_it_ended(code)
            finally:
                watching.cancel()
        except OSError as problem:
            why = f"it could not be started: {problem.strerror}"
        finally:
            self._gone(shard, why)

    async def _watch(self, shard: _Shard, child: Child, silence: Silence) -> None:
        """Ends a shard that is frozen: a call in it would never end."""
        while shard.frozen is None:
            await asyncio.sleep(LOOK_S)
            shard.frozen = silence.look(self._now_s(), ready=shard.ready.is_set())
        await child.stop(grace_s=0.0)

    def _now_s(self) -> float:
        return self._clock.now_ns() / NS_PER_S

    def _take(self, shard: _Shard, message: dict[str, Any]) -> None:
        if "ended" in message:
            result = CallResult.model_validate(message["ended"])
            ended = shard.calls.get(result.call)
            if ended is not None and not ended.done():
                ended.set_result(result)
        elif "event" in message and self._on_event is not None:
            event = event_of(message["event"])
            if event is not None:
                self._on_event(message["call"], event)
        elif "second" in message and self._on_second is not None:
            self._on_second(shard.number, message["second"])
        elif "ready" in message:
            shard.ready.set()
        elif "error" in message:
            shard.error = error_in(message)

    def _gone(self, shard: _Shard, why: str) -> None:
        last = self.said.last()
        shard.gone = f"{why} ({last})" if last else why
        if not shard.ready.is_set():
            shard.error = shard.error or StackError(f"a process for calls did not come up: {shard.gone}")
        self.died += bool(shard.calls)
        shard.ready.set()
        for ended in shard.calls.values():
            if not ended.done():
                ended.set_exception(shard_died(shard.gone))


class PooledCall:
    """A call that some shard makes; see `RunningCall`."""

    def __init__(self, pool: ShardPool, order: CallOrder, prepared: Prepared, engine: EngineName) -> None:
        self._pool = pool
        self._order = order
        self._prepared = prepared
        self._engine = engine
        self._shard: _Shard | None = None

    async def make(self) -> CallResult:
        """See `RunningCall`."""
        try:
            return await self._pool.make(self._order, self._engine, self._took)
        except OwnFailure as problem:
            return self._pool.lost(self._order, self._prepared, problem)

    def cut(self) -> None:
        """See `RunningCall`."""
        if self._shard is not None:
            self._pool.cutting(self._shard, self._order.call)

    def _took(self, shard: _Shard) -> None:
        self._shard = shard
