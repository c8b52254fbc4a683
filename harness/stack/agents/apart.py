"""Agents in a process of their own, which they kill: to the server this is a crash."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from harness.process.child import Child
from harness.process.lines import error_in
from harness.process.log_tail import LogTail
from harness.secret import Secret

COMMAND = (sys.executable, "-m", "harness.stack.agents")
GRACE_S = 3.0


class Apart:
    """Starts one copy of the agents' process per room.

    Args:
        start: The start order that this process received.
        tell: Receives the messages of those processes about their rooms.
    """

    def __init__(self, start: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._start = start
        self._tell = tell

    async def run(self, order: Mapping[str, Any]) -> str:
        """Carries out a join order in a process of its own; returns the last output of one that died unintentionally.

        Raises:
            OSError: The process cannot be started.
        """
        tokens = [Secret(str(token)) for token in self._start.get("tokens", {}).values()]
        log_tail = LogTail([Secret(str(self._start["livekit"]["api_secret"])), *tokens])

        def take(message: dict[str, Any]) -> None:
            if message.get("is") == "over":
                over.set()
            elif "room" in message:
                self._tell(message)
            elif "error" in message:
                log_tail.add(str(error_in(message)))

        over = asyncio.Event()
        child = await Child.start("agent apart", COMMAND, log_tail=log_tail, on_message=take)
        try:
            await child.send({**self._start, "warm": [order["agent"]]})
            await child.send({**order, "apart": True})
            ended, left = asyncio.create_task(child.wait()), asyncio.create_task(over.wait())
            await asyncio.wait({ended, left}, return_when=asyncio.FIRST_COMPLETED)
            left.cancel()
            died = ended.done() and not over.is_set() and ended.result() != -signal.SIGKILL
            ended.cancel()
            return log_tail.last() if died else ""
        finally:
            await child.stop(grace_s=GRACE_S)
