"""One call, from the session request to the hang-up. All that happens goes to the timeline; it returns nothing."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import Protocol

from harness.call.engines.line import Engine, Line, Rights
from harness.call.line_watch import LineWatch
from harness.call.plan import CallPlan
from harness.call.recorder import Recorder
from harness.call.script import Script
from harness.clock import NS_PER_S, Clock, ms, s_to_ns
from harness.errors import AgentFailure, CallFailure, OwnFailure, RoomFailure
from harness.machine.loop_lag import LoopLag
from harness.secret import masked
from harness.target.endpoint import is_loopback
from harness.target.session import Session, SessionRequest
from harness.target.shown import shown_url
from harness.timeline.events import (
    CallEnded,
    CallStarted,
    Cut,
    Failed,
    HungUp,
    MicPublished,
    RoomConnected,
    RoomConnecting,
    SessionCreated,
    SessionRequested,
)
from harness.timeline.timeline import FORMAT_VERSION, Timeline

_log = logging.getLogger(__name__)


class SessionSource(Protocol):
    """Creates sessions."""

    async def admit(self) -> None:
        """Waits until a session may be requested; our own rate limiting is part of no metric."""
        ...

    async def create(self, request: SessionRequest, *, timeout_s: float) -> Session:
        """Creates a session.

        Raises:
            SessionFailure: By kind.
        """
        ...


class Call:
    """Makes one call; see `make`."""

    def __init__(
        self,
        plan: CallPlan,
        *,
        sessions: SessionSource,
        engine: Engine,
        clock: Clock,
        lag: LoopLag,
        timeline: Timeline,
        recorder: Recorder | None = None,
    ) -> None:
        self._plan = plan
        self._sessions = sessions
        self._engine = engine
        self._clock = clock
        self._timeline = timeline
        self._watch = LineWatch(plan, clock=clock, lag=lag, timeline=timeline, recorder=recorder)
        self._line: Line | None = None
        self._work: asyncio.Task[None] | None = None
        self._cut_early = False

    async def make(self) -> None:
        """Makes the call. Never raises: errors are on the timeline, as `failure` or `cut`."""
        self._timeline.add(
            CallStarted(
                t_ns=self._clock.now_ns(),
                version=FORMAT_VERSION,
                call=self._plan.call,
                scenario=self._plan.scenario.name,
                agent=self._plan.agent,
                target=self._plan.target,
                utc=self._clock.utc().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                engine=self._engine.name,
                due=self._plan.due_ns,
                **asdict(self._plan.role),
            )
        )
        if self._cut_early:
            self._timeline.add(Cut(t_ns=self._clock.now_ns()))
            self._timeline.add(CallEnded(t_ns=self._clock.now_ns()))
            return
        self._watch.start()
        self._work = asyncio.create_task(self._run())
        try:
            await asyncio.wait({self._work})
            if self._work.cancelled():
                self._timeline.add(Cut(t_ns=self._clock.now_ns()))
            elif (problem := self._work.exception()) is not None:
                self._failed(problem)
        finally:
            if self._line is not None:
                await self._line.hang_up()
                self._timeline.add(HungUp(t_ns=self._clock.now_ns()))
            self._watch.end()
            self._timeline.add(CallEnded(t_ns=self._clock.now_ns()))

    def is_agents_track(self, sid: str) -> bool:
        """Whether an audio track is the agent's, as far as is known by now."""
        return self._watch.voices.is_agents(sid)

    def cut(self) -> None:
        """Ends the call on request, which is reported as such and not as a failure."""
        self._cut_early = True
        if self._work is not None:
            self._work.cancel()

    def _failed(self, problem: BaseException) -> None:
        if not isinstance(problem, CallFailure):
            _log.debug("a call failed by a bug", exc_info=problem)
            problem = OwnFailure("harness.bug", masked(f"{type(problem).__name__}: {problem}"))
        told = {"kind": problem.kind, "what": problem.what, "hint": problem.hint or ""}
        self._timeline.add(Failed(t_ns=self._clock.now_ns(), **told, turn=None, ended=True))

    async def _run(self) -> None:
        timeouts = self._plan.timeouts
        session = await self._create_session()
        wanted_ns = self._clock.now_ns()
        await self._engine.may_join()
        connecting_ns = self._clock.now_ns()
        self._timeline.add(RoomConnecting(t_ns=connecting_ns, held_back_ms=ms(connecting_ns - wanted_ns)))
        try:
            self._line = await self._engine.join(
                session.livekit_url, session.token, self._watch, timeout_s=timeouts.connect
            )
        except RoomFailure as problem:
            where = shown_url(session.livekit_url, secrets=(session.token,))
            raise RoomFailure(problem.kind, problem.what, hint=f"{problem.hint} ({where})") from None
        self._watch.joined(self._line)
        connected_ns = self._clock.now_ns()
        self._timeline.add(RoomConnected(t_ns=connected_ns))
        _check_rights(self._line.rights, types=self._plan.types)
        agent_due_ns = connected_ns + s_to_ns(timeouts.agent_join)
        script = Script(
            self._plan,
            line=self._line,
            ear=self._watch.ear,
            echo=self._watch.echo,
            chat=self._watch.chat,
            timeline=self._timeline,
            clock=self._clock,
            agent_is_there=lambda: self._watch.agents.is_there,
        )
        self._watch.begin(script, connected_ns, agent_due_ns=agent_due_ns)
        if self._watch.failure is not None:
            raise self._watch.failure
        try:
            async with asyncio.timeout(timeouts.call):
                await self._line.publish(timeout_s=timeouts.connect)
                self._timeline.add(MicPublished(t_ns=self._clock.now_ns()))
                await self._await_agent(agent_due_ns)
                await script.run(connected_ns, asked_ns=connecting_ns)
        except TimeoutError:
            raise AgentFailure(
                "agent.call_too_long",
                f"the script had not ended after {timeouts.call:g} s",
                hint="raise timeouts.call, or shorten the script",
            ) from None

    async def _create_session(self) -> Session:
        wanted_ns = self._clock.now_ns()
        await self._sessions.admit()
        requested_ns = self._clock.now_ns()
        self._timeline.add(SessionRequested(t_ns=requested_ns, held_back_ms=ms(requested_ns - wanted_ns)))
        request = SessionRequest(agent=self._plan.agent, overrides=self._plan.overrides)
        session = await self._sessions.create(request, timeout_s=self._plan.timeouts.session)
        self._timeline.add(
            SessionCreated(
                t_ns=self._clock.now_ns(),
                room=session.room,
                on_this_machine=is_loopback(session.livekit_url),
                retries=session.retries,
                retry_wait_ms=session.waited_ms,
            )
        )
        return session

    async def _await_agent(self, deadline_ns: int) -> None:
        """Waits until the agent's audio is subscribed and data reaches it."""
        agents = self._watch.agents
        waits = [asyncio.ensure_future(event.wait()) for event in (agents.joined, self._watch.ended_early)]
        try:
            timeout_s = max(0.0, (deadline_ns - self._clock.now_ns()) / NS_PER_S)
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._watch.failure is not None:
            raise self._watch.failure
        if not agents.joined.is_set():
            if agents.agent is not None:
                there = f"{agents.agent} was in the room without audio"
            elif self._plan.agent_identity is not None and not agents.nobody:
                there = f"{self._plan.agent_identity} (agent_identity) was not in the room, others were"
            else:
                there = "nobody was in the room" if agents.nobody else "nobody in the room had audio"
            raise AgentFailure(
                "agent.never_joined",
                f"no agent's audio was there {self._plan.timeouts.agent_join:g} s after the caller; {there}",
                hint="does an agent take jobs for this project, and for this agent's id?",
            )


def _check_rights(rights: Rights, *, types: bool) -> None:
    """Fails at once if the token lacks a permission that the call needs, before something else gets the blame.

    Raises:
        RoomFailure: room.refused; the script needs a grant that the token lacks.
    """
    needed = (
        (rights.publish, "canPublish", "the caller could not speak"),
        (rights.subscribe, "canSubscribe", "the caller could not hear the agent"),
        (rights.publish_data or not types, "canPublishData", "the script types, and no text could be sent"),
    )
    for granted, grant, why in needed:
        if not granted:
            raise RoomFailure(
                "room.refused",
                f"the token lacks the grant {grant}: {why}",
                hint=f"the session service makes the token: let it grant {grant}",
            )
