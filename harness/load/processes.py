"""Runs a load: starts processes of Locust, passes on Ctrl-C, and ends all of them."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.caller.lost_call import how_it_ended
from harness.errors import EXIT_OK, EXIT_UNFIT
from harness.load.order import LoadOrder, Role
from harness.process.child import Child
from harness.process.log_tail import LogTail
from harness.process.signals import Signals
from harness.record.reason import Aborted
from harness.shards.protocol import LINE_LIMIT_BYTES

COMMAND = (sys.executable, "-m", "harness.load.locust.process")
END_S = 60.0  # for a process to end after its order: its shards cut their calls, hang up and measure

Say = Callable[[str], None]
OnStatus = Callable[[dict[str, Any]], None]


@dataclass
class Loaded:
    """How the processes ended: the last message of the master, and the exit code of a worker."""

    ending: dict[str, Any] | None = None
    exit_code: int = 0


@dataclass
class Loading:
    """The processes of one load.

    Args:
        order: The order for all of them; each gets its own role.
        workers: The number of worker processes here besides a master; with 0, one process is both.
        say: Prints a line.
        on_status: Called with the master's status once a second.
    """

    order: LoadOrder
    workers: int
    say: Say
    on_status: OnStatus
    log_tail: LogTail = field(default_factory=LogTail)
    loaded: Loaded = field(default_factory=Loaded)
    _refused: int = 0
    _aborted: bool = False
    _children: list[Child] = field(default_factory=list)

    async def run(self, signals: Signals) -> Loaded:
        """Runs the load to its end. A first signal lets running calls end, a second one cuts them.

        Raises:
            OSError: A process cannot be started.
        """
        signals.on_interrupt(lambda: self._order("stop"), again=lambda: self._order("cut"))
        try:
            first = await self._start(self._first_role(), self.order)
            others = [await self._start("worker", self.order) for _ in range(self._others())]
            watching = [asyncio.create_task(self._watch(child)) for child in others]
            code = await first.wait()
            if self.order.role == "worker":
                self.loaded.exit_code = self._worst([code, *[await child.wait() for child in others]])
            elif self.loaded.ending is None:
                self.say(
                    f"the load's master ended unexpectedly: {how_it_ended(code)}\n{self.log_tail.last(20)}".rstrip()
                )
            for task in watching:
                task.cancel()
        finally:
            await asyncio.gather(*(child.stop(grace_s=END_S) for child in self._children))
        return self.loaded

    def _worst(self, codes: Sequence[int]) -> int:
        """Returns a worker's exit code; if a process failed, also prints its last output."""
        bad = [code for code in codes if code]
        for code in bad:
            self.say(f"a process of this worker ended unexpectedly: {how_it_ended(code)}")
        if bad:
            self.say(self.log_tail.last(20))
        return EXIT_UNFIT if any(code < 0 for code in bad) else max(bad, default=EXIT_OK)

    def _first_role(self) -> Role:
        return self.order.role if self.order.role != "local" or not self.workers else "master"

    def _others(self) -> int:
        return self.workers - 1 if self.order.role == "worker" else self.workers

    async def _start(self, role: Role, order: LoadOrder) -> Child:
        child = await Child.start(
            f"load {role}",
            COMMAND,
            log_tail=self.log_tail,
            on_message=self._take,
            line_limit_bytes=LINE_LIMIT_BYTES,
        )
        self._children.append(child)
        await child.send(order.model_copy(update={"role": role}).model_dump(mode="json"))
        return child

    async def _watch(self, child: Child) -> None:
        code = await child.wait()
        if self.loaded.ending is None:
            self.say(f"a worker process of the load (process {child.pid}) ended unexpectedly: {how_it_ended(code)}")

    def _take(self, message: dict[str, Any]) -> None:
        if "status" in message:
            for why in message["status"]["refused"][self._refused :]:
                self.say(f"refused: {why}")
                self._refused += 1
            aborted = message["status"]["aborted"]
            if aborted is not None and not self._aborted:
                self._aborted = True
                self.say(f"{Aborted.read(aborted)}: no more calls are started")
            self.on_status(message["status"])
        elif "ending" in message:
            self.loaded.ending = message["ending"]

    def _order(self, what: str) -> None:
        words = {
            "stop": "stopping: waiting for running calls; press Ctrl-C again to cut them",
            "cut": "cutting running calls",
        }
        self.say(words[what])
        for child in self._children:
            task = asyncio.ensure_future(child.send({"do": what}))
            task.add_done_callback(lambda _: None)


def free_port() -> int:
    """Returns a free TCP port of this machine."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
