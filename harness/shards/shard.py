"""A separate process that makes calls on orders: `python -m harness.shards.shard`, see `protocol`.

It is never forked and never patched: LiveKit's native runtime does not survive forking, and asyncio does not survive
patching. Ctrl-C is ignored, because the driver handles it. The end of standard input cuts the running calls and ends
the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.call.engines.make import make_engine
from harness.caller.prepare import Prepared
from harness.caller.recorded_call import RecordedCall
from harness.caller.warm_up import warm_up
from harness.clock import NS_PER_S, Clock, SystemClock, ms
from harness.errors import EXIT_OK, EXIT_UNFIT, HarnessError
from harness.machine.loop_lag import LoopLag
from harness.machine.open_files import take_all_allowed
from harness.process.line_writer import LineWriter
from harness.process.lines import error_message
from harness.record.result import CallResult
from harness.record.run_directory import RunDirectory
from harness.secret import Secret
from harness.shards.collector import Collector
from harness.shards.protocol import LINE_LIMIT_BYTES, CallOrder, CutOrder, ShardOrder, read_prepared
from harness.target.connect import session_client
from harness.target.target import Target
from harness.timeline.codec import entry_of
from harness.timeline.events import Event

SWITCH_S = 0.0005  # a measuring thread must release the GIL soon, because packets wait
Tell = Callable[[dict[str, Any]], None]  # sends a line to the driver; models in it are serialised when it is written


class Shard:
    """The calls of this process. Enter it, then `start` and `cut` them.

    Args:
        order: What all calls share.
        scenarios: The scenarios of the calls.
        tell: Sends a message to the driver.
        clock: The clock.
    """

    def __init__(self, order: ShardOrder, scenarios: list[Prepared], tell: Tell, clock: Clock) -> None:
        self._order = order
        self._scenarios = scenarios
        self._tell = tell
        self._clock = clock
        self._directory = RunDirectory(Path(order.directory))
        self._key = Secret(order.api_key) if order.api_key is not None else None
        self._waiting: dict[str, asyncio.Event] = {}
        self._running: dict[str, RecordedCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._measuring = asyncio.Semaphore()  # calls that end together are measured one at a time
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Shard:
        """Prepares what all calls share.

        Raises:
            HarnessError: The target or the engine is not usable.
        """
        order = self._order
        warm_up(self._scenarios)
        said = (speech.pcm for prepared in self._scenarios for speech in prepared.speech if speech is not None)
        self._engine = await make_engine(order.engine, self._clock, said)
        self._lag = await self._stack.enter_async_context(LoopLag(self._clock))
        target = Target(order.target, order.kind, url=order.url, api_key=self._key, key_variable=order.key_variable)
        rng = random.Random(order.seed)  # noqa: S311 - jitter of retries, no secret
        client = session_client(target, rng=rng, clock=self._clock)
        self._client = await self._stack.enter_async_context(client)
        if order.session_rate_per_min is not None:
            self._client.limit(order.session_rate_per_min)
        self._seconds = asyncio.create_task(self._tell_seconds())
        self._collector = Collector()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cuts the running calls and waits until their results are sent."""
        self.cut(None)
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._seconds.cancel()
        await self._stack.aclose()

    def start(self, order: CallOrder) -> None:
        """Starts a task that makes a call when it is due."""
        self._waiting[order.call] = asyncio.Event()
        task = asyncio.create_task(self._make(order))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cut(self, name: str | None) -> None:
        """Cuts a call; None cuts all. A call that has not started yet is cut too, and gets a result."""
        for waiting, event in self._waiting.items():
            if name in (None, waiting):
                event.set()
        for running, call in self._running.items():
            if name in (None, running):
                call.cut()

    async def _make(self, order: CallOrder) -> None:
        cut = self._waiting[order.call]
        await self._until_due(order.due_ns, cut)
        call = self._call(order)
        if cut.is_set():
            call.cut()
        self._running[order.call] = call
        del self._waiting[order.call]
        self._tell({"started": order.call})
        result: CallResult = await call.make()
        del self._running[order.call]
        self._collector.ended(alive=len(self._running))
        self._tell({"ended": result})

    async def _until_due(self, due_ns: int | None, cut: asyncio.Event) -> None:
        if due_ns is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(cut.wait(), max(0, due_ns - self._clock.now_ns()) / NS_PER_S)

    def _call(self, order: CallOrder) -> RecordedCall:
        loop_s = self._order.call_duration_s if order.lasts_s is None else order.lasts_s
        prepared = self._scenarios[order.scenario].lasting(loop_s)
        plan = replace(
            prepared.plan(order.call, self._order.described),
            loop_s=loop_s,
            due_ns=order.due_ns,
            role=order.role,
        )
        return RecordedCall(
            plan,
            prepared,
            directory=self._directory,
            record=self._order.record,
            sessions=self._client,
            engine=self._engine,
            clock=self._clock,
            lag=self._lag,
            on_event=self._event if self._order.tell_events else None,
            secrets=(self._key,),
            measuring=self._measuring,
        )

    def _event(self, call: str, event: Event) -> None:
        self._tell({"event": entry_of(event), "call": call})

    async def _tell_seconds(self) -> None:
        used_s, at_ns = _cpu_s(), self._clock.now_ns()
        while True:
            await self._clock.sleep_until_ns(at_ns + NS_PER_S)
            now_s, now_ns = _cpu_s(), self._clock.now_ns()
            second = {
                "alive": len(self._running),
                "lag_ms": ms(self._lag.longest_ns(at_ns)),
                "cpu": round((now_s - used_s) / ((now_ns - at_ns) / NS_PER_S), 3),
            }
            self._tell({"second": second})
            used_s, at_ns = now_s, now_ns


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def serve(tell: Tell) -> int:
    """Executes orders from standard input until it ends; returns the exit code."""
    reader = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    first = await reader.readline()
    if not first:
        return EXIT_OK
    try:
        order = ShardOrder.model_validate_json(first)
        async with Shard(order, read_prepared(order.prepared), tell, SystemClock()) as shard:
            tell({"ready": os.getpid()})
            while line := await reader.readline():
                _follow(shard, json.loads(line))
    except HarnessError as problem:
        tell(error_message(problem))
        return problem.exit_code
    return EXIT_OK


def _follow(shard: Shard, order: dict[str, Any]) -> None:
    if order["do"] == "call":
        shard.start(CallOrder.model_validate(order))
    else:
        shard.cut(CutOrder.model_validate(order).call)


def main() -> None:
    """Runs the process. It exits with `os._exit`, because the SDK's native shutdown may abort."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    take_all_allowed()
    sys.setswitchinterval(SWITCH_S)
    code = EXIT_UNFIT
    lines = LineWriter(sys.stdout)
    try:
        code = asyncio.run(serve(lines.tell))
    except Exception:  # noqa: BLE001 - printed on exit; the driver shows its last line
        traceback.print_exc()
    finally:
        lines.close()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
