"""The tools of one session: listed at its start, planned while the caller speaks, called when a turn is confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.clock import Clock, ms
from harness.secret import Secret
from harness.stack.tools import phrases
from harness.stack.tools.choose import Rank, choose
from harness.stack.tools.declared import McpServer
from harness.stack.tools.fill import fill
from harness.stack.tools.listed import Tool
from harness.stack.tools.plan import CallMade, PlannedCall
from harness.stack.tools.results import cut, spoken
from harness.stack.tools.servers import Server
from harness.stack.tools.trouble import Trouble

Log = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a call: the result's text or what went wrong, what the agent says, and whether it worked."""

    result: str
    words: str
    ok: bool


class SessionTools:
    """All servers of one agent in one session.

    Args:
        declared: The servers by name.
        tokens: The tokens by their variables.
        clock: Times the calls, and tells the day.
        language: The language of what is said around a call.
        log: Receives the events `tools` and `tool_call` for the truth log.
    """

    def __init__(
        self,
        declared: Mapping[str, McpServer],
        tokens: Mapping[str, Secret],
        clock: Clock,
        *,
        language: str,
        log: Log,
    ) -> None:
        self._servers = {name: Server(name, one, tokens) for name, one in declared.items()}
        self._clock = clock
        self._language = language
        self._log = log
        self._tools: list[Tool] = []
        self._troubles: dict[str, Trouble] = {}
        self._listing: list[asyncio.Task[None]] = []
        self._asked: PlannedCall | None = None

    def start(self) -> None:
        """Begins to list the tools, in the background."""
        self._listing = [asyncio.create_task(self._list(server)) for server in self._servers.values()]

    def answered(self, said: str) -> PlannedCall | None:
        """The call that was short of an argument, if this is the argument; None otherwise. It changes nothing."""
        asked = self._asked
        if asked is None or asked.missing is None:
            return None
        filled = fill(asked.tool, said, self._now(), asked=asked.missing, known=asked.arguments)
        if asked.missing.name not in filled.arguments:
            return None
        return PlannedCall(asked.tool, filled.arguments, filled.missing[0] if filled.missing else None)

    async def plan(self, said: str, rank: Rank) -> PlannedCall | None:
        """The call that answers what was said; None if no tool fits. It changes nothing.

        Waits for the lists of tools, which takes no longer than the servers' time-outs.
        """
        if self._listing:
            await asyncio.wait(self._listing)
        choice = await choose(self._tools, said, rank, self._now())
        if choice is None:
            return None
        missing = choice.filled.missing
        return PlannedCall(choice.tool, choice.filled.arguments, missing[0] if missing else None)

    def question(self, planned: PlannedCall) -> str:
        """What to ask for before the planned call can be made; empty if nothing is missing."""
        return "" if planned.missing is None else phrases.ask(planned.missing, self._language)

    def unavailable(self) -> str | None:
        """What to say to a question that nothing answers while a server cannot be used; None if all can."""
        trouble = next(iter(self._troubles.values()), None)
        return None if trouble is None else phrases.trouble(trouble.kind, self._language)

    def confirmed(self, planned: PlannedCall | None) -> None:
        """Takes note of the plan of a turn that is confirmed: what was asked for may be answered by the next one."""
        self._asked = planned if planned is not None and planned.missing is not None else None

    async def call(self, planned: PlannedCall) -> CallMade:
        """Makes the call and logs it; what goes wrong becomes an honest answer."""
        server = self._servers[planned.tool.server]
        began_ns = self._clock.now_ns()
        answered: Answered | None = None
        try:
            answered = await self._answer(server, planned)
        finally:
            told = answered or Answered("the call ended before the tool answered", "", ok=False)
            took = ms(self._clock.now_ns() - began_ns)
            result = cut(server.scrub(told.result))
            made = CallMade(planned.tool.name, planned.arguments, result, took, told.ok, told.words)
            self._log("tool_call", **made.told())
        return made

    async def _answer(self, server: Server, planned: PlannedCall) -> Answered:
        try:
            result = await server.call(planned.tool.name, planned.arguments)
        except Trouble as problem:
            return Answered(problem.what, phrases.trouble(problem.kind, self._language), ok=False)
        if not result.ok:
            return Answered(result.text, phrases.failed(result.text, self._language), ok=False)
        words = spoken(result.text)
        if not words:
            return Answered("its result has no text", phrases.trouble("nonsense", self._language), ok=False)
        return Answered(result.text, words, ok=True)

    async def close(self) -> None:
        """Ends all connections. Never raises."""
        for listing in self._listing:
            listing.cancel()
        await asyncio.gather(*self._listing, return_exceptions=True)
        await asyncio.gather(*(server.close() for server in self._servers.values()), return_exceptions=True)

    async def _list(self, server: Server) -> None:
        began_ns = self._clock.now_ns()
        fields: dict[str, Any] = {"server": server.name}
        try:
            tools = await server.list_tools()
            self._tools += tools
            fields["names"] = [tool.name for tool in tools]
        except Trouble as problem:
            self._troubles[server.name] = problem
            fields["problem"] = problem.what
        self._log("tools", **fields, ms=ms(self._clock.now_ns() - began_ns))

    def _now(self) -> datetime:
        return self._clock.utc().astimezone()
