"""An agent's visit to a room, with what its shape adds: other participants, the order of joining, a successor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from harness.stack.agents.agent import Agent
from harness.stack.agents.course import Doings
from harness.stack.agents.surroundings import Surroundings
from harness.stack.agents_file import AgentSpec

Came = Callable[[], Awaitable[None]]


class Visit:
    """The agent `name` in `room`, from the join order until everything of it has left.

    Args:
        name: Its name in the agents file.
        spec: Its settings, with the session's overrides applied.
        room: The room's name.
        around: What it shares with the other agents.
    """

    def __init__(self, name: str, spec: AgentSpec, room: str, around: Surroundings) -> None:
        self._name = name
        self._spec = spec
        self._room = room
        self._around = around
        self._second: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Runs the whole visit.

        Raises:
            Exception: Any failure; the room has been left by then.
        """
        beside = self._spec.shape.beside
        if not (beside.observer or beside.hold_music or beside.recorder):
            await self._visit(None)
            return
        # Imported only where needed, to keep the SDK's native runtime out of the process otherwise.
        from harness.stack.agents.company import Company

        company = Company(self._around.keys, self._room, beside, self._around.clock)
        try:
            await company.join()
            await self._visit(company.agent_came)
        finally:
            await company.leave()

    async def _visit(self, came: Came | None) -> None:
        shape = self._spec.shape
        if shape.first is not True:
            self._around.tell(self._room, "set")
        if shape.first is False:
            await self._around.server.until_caller_in(self._room)
        doings = Doings(
            cut=lambda: self._around.tell(self._room, "cut"),
            delete_room=lambda: self._around.server.delete_room(self._room),
            hand_over=self._hand_over,
        )
        agent = Agent(self._name, self._spec, self._room, self._around, doings=doings)
        seeing = asyncio.create_task(self._see(agent, came))
        try:
            await agent.run()
            if agent.has_handed_over and shape.handover is not None:
                if self._second is None:
                    await asyncio.sleep(shape.handover.gap_s)
                    await self._successor().run()
                else:
                    await self._second
        finally:
            for task in (seeing, self._second):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    async def _see(self, agent: Agent, came: Came | None) -> None:
        await agent.joined.wait()
        if self._spec.shape.first is True:
            self._around.tell(self._room, "set")
        if came is not None:
            await came()

    async def _hand_over(self) -> None:
        handover = self._spec.shape.handover
        if handover is None or not handover.overlap:
            return
        second = self._successor()
        self._second = asyncio.create_task(second.run())
        joined = asyncio.create_task(second.joined.wait())
        await asyncio.wait({self._second, joined}, return_when=asyncio.FIRST_COMPLETED)
        joined.cancel()

    def _successor(self) -> Agent:
        handover = self._spec.shape.handover
        shape = self._spec.shape.model_copy(update={"handover": None})
        changed: dict[str, object] = {"shape": shape}
        if handover is not None and not handover.greets:
            changed["greeting"] = ""
        return Agent(self._name, self._spec.model_copy(update=changed), self._room, self._around, number=2)
