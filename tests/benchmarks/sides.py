"""The two sides of the benches of scale, alike to be driven: our calls in their shards, and the plain client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from harness.call.engines.make import EngineName, engine_name
from harness.caller.prepare import Prepared, prepare
from harness.clock import SystemClock
from harness.process.child import Child
from harness.process.log_tail import LogTail
from harness.record.result import CallResult
from harness.record.run_directory import RunDirectory
from harness.scenario.load import load_scenario
from harness.shards.pool import PooledCall, ShardPool
from harness.shards.protocol import ShardOrder
from harness.stack.embedded import StackAddress
from harness.target.target import Target

ROOT = Path(__file__).parents[2]
PLAIN_CLIENT = (sys.executable, str(Path(__file__).with_name("plain_client.py")))
WAV = ROOT / "audio_fixtures" / "when-do-you-open.wav"
LASTS_S = 3600.0
JOIN_S = 60.0
APART_S = 0.05
STOP_S = 15.0


class Side(Protocol):
    """Calls that are held; an async context manager, at whose end they are gone."""

    @property
    def pids(self) -> Sequence[int]:
        """The processes that make the calls."""
        ...

    async def have(self, calls: int) -> None:
        """Returns when so many calls are alive and the agent is heard in each.

        Raises:
            TimeoutError: They did not come to that.
        """
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


async def prepared(path: Path, stack: StackAddress, agent: str) -> Prepared:
    """A scenario, ready to be called."""
    target = Target("embedded", "embedded", url=stack.session_url, api_key=stack.api_key)
    return (await prepare([load_scenario(path)], target, agent=agent, say=print))[0]


def pool_of(
    stack: StackAddress,
    engine: EngineName,
    scenario: Prepared,
    folder: Path,
    *,
    most: int | None = None,
    lasts_s: float | None = None,
) -> ShardPool:
    """Our calls' processes, as any load has them; timelines go to `folder`."""
    directory = RunDirectory.create(folder, name="bench", now=SystemClock().utc())
    order = ShardOrder(
        engine=engine,
        prepared="",
        directory=str(directory.path),
        record="failed",
        target="embedded",
        described="embedded",
        kind="embedded",
        url=stack.session_url,
        api_key=stack.api_key.reveal(),
        seed=1,
        call_duration_s=lasts_s,
    )
    return ShardPool(order, [scenario], clock=SystemClock(), most=most)


class OurCalls:
    """Calls of `scenarios/load.yaml`, looped, with all that is measured and written as in any load."""

    def __init__(
        self, stack: StackAddress, engine: EngineName, folder: Path, *, most: int, agent: str = "light"
    ) -> None:
        self._address = stack
        self._engine: EngineName = engine
        self._folder = folder
        self._most = most
        self._agent = agent
        self._stack = AsyncExitStack()
        self._calls: dict[str, PooledCall] = {}
        self._making: list[asyncio.Task[CallResult]] = []
        self.results: list[CallResult] = []

    @property
    def pids(self) -> Sequence[int]:
        """See `Side`."""
        return self._pool.pids

    async def __aenter__(self) -> Self:
        self._prepared = await prepared(ROOT / "scenarios" / "load.yaml", self._address, self._agent)
        self._pool = pool_of(
            self._address, self._engine, self._prepared, self._folder, lasts_s=LASTS_S, most=self._most
        )
        await self._stack.enter_async_context(self._pool)
        return self

    async def have(self, calls: int) -> None:
        """See `Side`."""
        while len(self._calls) < calls:
            name = f"{len(self._calls) + 1:04d}"
            self._calls[name] = self._pool.start(name, self._prepared)
            self._making.append(asyncio.create_task(self._calls[name].make()))
            await asyncio.sleep(APART_S)
        async with asyncio.timeout(JOIN_S):
            for name in self._calls:
                await self._begun(self._folder / "timelines" / f"{name}.jsonl")

    async def _begun(self, timeline: Path) -> None:
        """The caller's first turn has begun: another process writes it down."""
        while not (timeline.exists() and '"turn.started"' in timeline.read_text(encoding="utf-8")):  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for call in self._calls.values():
            call.cut()
        self.results = list(await asyncio.gather(*self._making))
        await self._stack.__aexit__(kind, error, traceback)


class PlainCalls:
    """Calls of `plain_client.py`."""

    def __init__(self, stack: StackAddress, *, agent: str = "light") -> None:
        self._address = stack
        self._agent = agent
        self._calls = 0
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._log_tail = LogTail()

    @property
    def pids(self) -> Sequence[int]:
        """See `Side`."""
        return [self._child.pid]

    async def __aenter__(self) -> Self:
        settings = {
            "url": self._address.session_url,
            "api_key": self._address.api_key.reveal(),
            "agent": self._agent,
            "wav": str(WAV),
        }
        self._child = await Child.start(
            "plain client", PLAIN_CLIENT, log_tail=self._log_tail, on_message=self._answers.put_nowait
        )
        self._ended = asyncio.create_task(self._child.wait())
        await self._child.send(settings)
        return self

    async def have(self, calls: int) -> None:
        """See `Side`."""
        self._calls = calls
        await self.status()

    async def status(self) -> dict[str, Any]:
        """How it goes; see `plain_client`.

        Raises:
            TimeoutError: It does not answer.
        """
        await self._child.send({"calls": self._calls})
        answer = asyncio.ensure_future(self._answers.get())
        await asyncio.wait((answer, self._ended), timeout=JOIN_S, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        raise TimeoutError(f"the plain client does not answer; it last said: {self._log_tail.last(20)}")

    async def __aexit__(self, *_: object) -> None:
        self._ended.cancel()
        await self._child.stop(grace_s=STOP_S)


def side_of(name: str, calls: int, stack: StackAddress, folder: Path) -> Side:
    """A side by its name: `plain`, or one of our engines; it will hold so many calls at most."""
    return PlainCalls(stack) if name == "plain" else OurCalls(stack, engine_name(name), folder, most=calls)
