"""One call, from the session request to the hang-up. All that happens is on the timeline; nothing else comes back."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.call.anchors import HeardAnchors
from harness.call.chat import TOPIC_IN, Chat, Junk
from harness.call.ear import Ear
from harness.call.engines.line import Engine, Heard, Line, Media
from harness.call.loop_lag import LoopLag
from harness.call.own_voice_watch import OwnVoiceWatch
from harness.call.plan import CallPlan
from harness.call.recorder import Recorder
from harness.call.script import Script
from harness.call.stall import Stall
from harness.call.timeline import Timeline
from harness.clock import NS_PER_MS, NS_PER_S, Clock, ms, s_to_ns
from harness.errors import AgentFailure, CallFailure, OwnFailure, RoomFailure
from harness.secret import masked
from harness.target.endpoint import is_loopback
from harness.target.session import Session, SessionRequest

LATE_NS = 20 * NS_PER_MS  # a packet that leaves later than this is noted by itself

_log = logging.getLogger(__name__)


class SessionSource(Protocol):
    """Where sessions come from."""

    async def admit(self) -> None:
        """Waits until a session may be asked for: what we hold back ourselves is in no number."""
        ...

    async def create(self, request: SessionRequest, *, timeout_s: float) -> Session:
        """A session.

        Raises:
            SessionFailure: By kind.
        """
        ...


class Call:
    """Makes one call; see `make`. It is the `LineEvents` of its own line."""

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
        self._lag = lag
        self._timeline = timeline
        self._recorder = recorder
        self._ear = Ear(clock, timeline)
        self._chat = Chat()
        self._own_voice = OwnVoiceWatch()
        self._anchors = HeardAnchors(timeline)
        self._line: Line | None = None
        self._script: Script | None = None
        self._work: asyncio.Task[None] | None = None
        self._failure: CallFailure | None = None
        self._agent: str | None = None
        self._cut_early = False
        self._joined = asyncio.Event()
        self._ended_early = asyncio.Event()
        self._second_ns = 0
        self._second_sent = 0
        self._second_late_ns = 0
        self._second_heard = 0
        self._second_read_late_ns = 0
        self._second_lag_ns = 0

    async def make(self) -> None:
        """Makes the call. Raises nothing: what went wrong is on the timeline, as `failure` or `cut`."""
        self._timeline.add(
            self._clock.now_ns(),
            "call.started",
            call=self._plan.call,
            scenario=self._plan.scenario.name,
            agent=self._plan.agent,
            target=self._plan.target,
            utc=self._clock.utc().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            engine=self._engine.name,
            due=self._plan.due_ns,
            warm_up=self._plan.warm_up,
            canary=self._plan.canary,
        )
        if self._cut_early:
            self._timeline.add(self._clock.now_ns(), "cut")
            self._timeline.add(self._clock.now_ns(), "call.ended")
            return
        self._lag.watch(self._on_lag)
        self._work = asyncio.create_task(self._run())
        try:
            await asyncio.wait({self._work})
            if self._work.cancelled():
                self._timeline.add(self._clock.now_ns(), "cut")
            elif (problem := self._work.exception()) is not None:
                self._failed(problem)
        finally:
            if self._line is not None:
                await self._line.hang_up()
                self._timeline.add(self._clock.now_ns(), "hung_up")
            self._lag.unwatch(self._on_lag)
            self._anchors.end()
            self._timeline.add(self._clock.now_ns(), "call.ended")

    def cut(self) -> None:
        """Ends the call on request; it is told apart from a call that failed."""
        self._cut_early = True
        if self._work is not None:
            self._work.cancel()

    def _failed(self, problem: BaseException) -> None:
        if not isinstance(problem, CallFailure):
            _log.debug("a call failed by a bug", exc_info=problem)
            kind, what = "harness.bug", masked(f"{type(problem).__name__}: {problem}")
        else:
            kind, what = problem.kind, problem.what
        self._timeline.add(self._clock.now_ns(), "failure", kind=kind, what=what, turn=None, ended=True)

    async def _run(self) -> None:
        timeouts = self._plan.timeouts
        session = await self._create_session()
        wanted_ns = self._clock.now_ns()
        async with self._engine.gate():
            connecting_ns = self._clock.now_ns()
            self._timeline.add(connecting_ns, "room.connecting", held_back_ms=ms(connecting_ns - wanted_ns))
            self._line = await self._engine.join(session.livekit_url, session.token, self, timeout_s=timeouts.connect)
        connected_ns = self._clock.now_ns()
        self._timeline.add(connected_ns, "room.connected")
        if self._agent is not None:
            self._line.listen_to(self._agent)
        self._second_ns = connected_ns + NS_PER_S
        if self._recorder is not None:
            self._recorder.start(connected_ns)
        self._script = Script(
            self._plan,
            line=self._line,
            ear=self._ear,
            own_voice=self._own_voice,
            chat=self._chat,
            timeline=self._timeline,
            clock=self._clock,
        )
        if self._failure is not None:
            raise self._failure
        try:
            async with asyncio.timeout(timeouts.call):
                await self._line.publish(timeout_s=timeouts.connect)
                self._timeline.add(self._clock.now_ns(), "mic.published")
                await self._await_agent(connected_ns + s_to_ns(timeouts.agent_join))
                await self._script.run(connected_ns, asked_ns=connecting_ns)
        except TimeoutError:
            raise AgentFailure(
                "agent.call_too_long",
                f"the script had not ended after {timeouts.call:g} s",
                mend="raise timeouts.call, or shorten the script",
            ) from None

    async def _create_session(self) -> Session:
        wanted_ns = self._clock.now_ns()
        await self._sessions.admit()
        requested_ns = self._clock.now_ns()
        self._timeline.add(requested_ns, "session.requested", held_back_ms=ms(requested_ns - wanted_ns))
        request = SessionRequest(agent=self._plan.agent, overrides=self._plan.overrides)
        session = await self._sessions.create(request, timeout_s=self._plan.timeouts.session)
        self._timeline.add(
            self._clock.now_ns(),
            "session.created",
            room=session.room,
            on_this_machine=is_loopback(session.livekit_url),
            retries=session.retries,
            retry_wait_ms=session.waited_ms,
        )
        return session

    async def _await_agent(self, deadline_ns: int) -> None:
        """Until the agent's audio is subscribed and data reaches it."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._joined, self._ended_early)]
        try:
            timeout_s = max(0.0, (deadline_ns - self._clock.now_ns()) / NS_PER_S)
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._failure is not None:
            raise self._failure
        if not self._joined.is_set():
            there = f"{self._agent} was in the room without audio" if self._agent else "nobody was in the room"
            raise AgentFailure(
                "agent.never_joined",
                f"no agent's audio was there {self._plan.timeouts.agent_join:g} s after the caller; {there}",
                mend="does an agent take jobs for this project, and for this agent's id?",
            )

    def _end(self, failure: CallFailure) -> None:
        self._failure = self._failure or failure
        self._ended_early.set()
        if self._script is not None:
            self._script.end(failure)

    # -- LineEvents ----------------------------------------------------------------------------------------------

    def on_participant(self, t_ns: int, identity: str, *, is_agent: bool) -> None:
        """See `LineEvents`."""
        if not is_agent or identity == self._agent:
            return
        if self._agent is None:
            self._choose(t_ns, identity, by="kind")
        else:
            self._timeline.add(t_ns, "agent.second", identity=identity)

    def _choose(self, t_ns: int, identity: str, *, by: str) -> None:
        self._agent = identity
        self._timeline.add(t_ns, "agent.seen", identity=identity, by=by)
        if self._line is not None:
            self._line.listen_to(identity)

    def on_participant_left(self, t_ns: int, identity: str) -> None:
        """See `LineEvents`."""
        if identity == self._agent:
            self._timeline.add(t_ns, "agent.left", identity=identity)
            self._end(AgentFailure("agent.left", "the agent left before the script had ended"))

    def on_audio_track(self, t_ns: int, identity: str) -> None:
        """See `LineEvents`."""
        if self._agent is None:
            self._choose(t_ns, identity, by="audio")
        if identity == self._agent and not self._joined.is_set():
            self._timeline.add(t_ns, "agent.joined", identity=identity)
            self._joined.set()

    def on_heard(self, heard: Heard) -> None:
        """See `LineEvents`."""
        self._second_heard += heard.samples.size
        self._second_read_late_ns = max(self._second_read_late_ns, heard.late_ns)
        self._ear.hear(heard)
        self._own_voice.heard(heard)
        self._anchors.heard(heard, self._recorder.heard(heard) if self._recorder is not None else None)

    def on_media(self, t_ns: int, media: Media) -> None:
        """See `LineEvents`."""
        self._timeline.add(t_ns, "media", **asdict(media))

    def on_data(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """See `LineEvents`."""
        if topic != TOPIC_IN:
            return
        received = self._chat.received(payload)
        if isinstance(received, Junk):
            self._timeline.add(t_ns, "text.junk", why=received.why)
        else:
            self._timeline.add(t_ns, "text", role=received.role, text=received.text, type=received.type)

    def on_sent(self, due_ns: int, left_ns: int, samples: NDArray[np.int16] | None) -> None:
        """See `LineEvents`."""
        late_ns = max(0, left_ns - due_ns)
        self._second_sent += 1
        self._second_late_ns = max(self._second_late_ns, late_ns)
        if late_ns > LATE_NS:
            self._timeline.add(due_ns, "send.late", late_ms=ms(late_ns))
        if samples is not None:
            self._own_voice.sent(left_ns, samples)
            if self._recorder is not None:
                # By its deadline, as `Speaking.left_ns` tells it: a frame that is late by itself is heard no later.
                self._recorder.sent(due_ns, samples)
        if left_ns >= self._second_ns:
            self._close_second()

    def _close_second(self) -> None:
        self._timeline.add(
            self._second_ns,
            "second",
            sent=self._second_sent,
            send_late_ms=ms(self._second_late_ns),
            lag_ms=ms(max(self._second_lag_ns, self._lag.longest_ns(self._second_ns - NS_PER_S))),
            heard=self._second_heard,
            read_late_ms=ms(self._second_read_late_ns),
            **(asdict(self._lag.machine) if self._lag.machine is not None else {}),
        )
        self._second_ns += NS_PER_S
        self._second_sent = self._second_late_ns = self._second_heard = 0
        self._second_read_late_ns = self._second_lag_ns = 0

    def on_overflow(self, t_ns: int) -> None:
        """See `LineEvents`."""
        self._timeline.add(t_ns, "heard.overflow")

    def on_broken(self, t_ns: int, what: str) -> None:
        """See `LineEvents`."""
        self._end(OwnFailure("harness.bug", what))

    def on_disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """See `LineEvents`."""
        if by_service:
            self._end(AgentFailure("agent.left", f"the call was ended from the other side ({reason})"))
        else:
            self._end(RoomFailure("room.lost", f"the room was lost ({reason})", mend="is the LiveKit server well?"))

    def _on_lag(self, due_ns: int, late_ns: int, stall: Stall) -> None:
        # One that reached over a second's end may be told after that second was closed: it counts for the next.
        self._second_lag_ns = max(self._second_lag_ns, late_ns)
        self._timeline.add(due_ns, "loop.lag", late_ms=ms(late_ns), **stall.fields())
