"""One call, from the session request to the hang-up. All that happens goes to the timeline; it returns nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import asdict
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.call.agent_watch import AgentWatch
from harness.call.anchors import HeardAnchors
from harness.call.chat import TOPIC_IN, Chat, Junk
from harness.call.ear import Ear
from harness.call.echo_watch import EchoWatch
from harness.call.engines.line import AudioTrack, Engine, Heard, Line, Media, Participant, Rights
from harness.call.plan import CallPlan
from harness.call.recorder import Recorder
from harness.call.script import Script
from harness.clock import NS_PER_MS, NS_PER_S, Clock, ms, s_to_ns
from harness.errors import AgentFailure, CallFailure, OwnFailure, RoomFailure
from harness.machine.loop_lag import LoopLag
from harness.machine.stall import Stall
from harness.secret import masked
from harness.target.endpoint import is_loopback
from harness.target.session import Session, SessionRequest
from harness.target.shown import shown_url
from harness.timeline.agent_voices import AgentVoices
from harness.timeline.events import (
    AgentHungUp,
    CallEnded,
    CallStarted,
    Cut,
    Failed,
    HeardOverflow,
    HungUp,
    JunkCame,
    LoopWasLate,
    MediaSecond,
    MicPublished,
    RoomConnected,
    RoomConnecting,
    RoomReconnected,
    RoomReconnecting,
    SecondPassed,
    SendLate,
    SessionCreated,
    SessionRequested,
    TextCame,
)
from harness.timeline.timeline import FORMAT_VERSION, Timeline

LATE_NS = 20 * NS_PER_MS  # a packet later than this gets an event of its own

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
    """Makes one call; see `make`. It is its own line's `LineEvents`."""

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
        self._voices = AgentVoices()
        self._agents = AgentWatch(
            clock,
            timeline,
            self._voices,
            last_packet_ns=self._last_packet_ns,
            named=plan.agent_identity,
            comes_until_ns=self._agent_comes_until_ns,
            on_anew=self._on_anew,
            on_gone=self._on_agent_gone,
        )
        self._ear = Ear(clock, timeline, self._voices, self._agents.voice)
        self._chat = Chat()
        self._echo = EchoWatch()
        self._anchors = HeardAnchors(timeline)
        self._line: Line | None = None
        self._script: Script | None = None
        self._work: asyncio.Task[None] | None = None
        self._failure: CallFailure | None = None
        self._cut_early = False
        self._lost_timer: asyncio.TimerHandle | None = None
        self._ended_early = asyncio.Event()
        self._agent_due_ns = 0
        self._second_ns = 0
        self._second_sent = 0
        self._second_late_ns = 0
        self._second_heard: Counter[str] = Counter()
        self._second_read_late_ns = 0
        self._second_lag_ns = 0

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
                warm_up=self._plan.warm_up,
                canary=self._plan.canary,
            )
        )
        if self._cut_early:
            self._timeline.add(Cut(t_ns=self._clock.now_ns()))
            self._timeline.add(CallEnded(t_ns=self._clock.now_ns()))
            return
        self._lag.watch(self._on_lag)
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
            self._agents.close()
            if self._lost_timer is not None:
                self._lost_timer.cancel()
            self._lag.unwatch(self._on_lag)
            self._anchors.end()
            self._timeline.add(CallEnded(t_ns=self._clock.now_ns()))

    def is_agents_track(self, sid: str) -> bool:
        """Whether an audio track is the agent's, as far as is known by now."""
        return self._voices.is_agents(sid)

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
            self._line = await self._engine.join(session.livekit_url, session.token, self, timeout_s=timeouts.connect)
        except RoomFailure as problem:
            where = shown_url(session.livekit_url, secrets=(session.token,))
            raise RoomFailure(problem.kind, problem.what, hint=f"{problem.hint} ({where})") from None
        connected_ns = self._clock.now_ns()
        self._timeline.add(RoomConnected(t_ns=connected_ns))
        _check_rights(self._line.rights, types=self._plan.types)
        self._agent_due_ns = connected_ns + s_to_ns(timeouts.agent_join)
        self._second_ns = connected_ns + NS_PER_S
        if self._recorder is not None:
            self._recorder.start(connected_ns)
        self._script = Script(
            self._plan,
            line=self._line,
            ear=self._ear,
            echo=self._echo,
            chat=self._chat,
            timeline=self._timeline,
            clock=self._clock,
            agent_is_there=lambda: self._agents.is_there,
        )
        if self._failure is not None:
            raise self._failure
        try:
            async with asyncio.timeout(timeouts.call):
                await self._line.publish(timeout_s=timeouts.connect)
                self._timeline.add(MicPublished(t_ns=self._clock.now_ns()))
                await self._await_agent(self._agent_due_ns)
                await self._script.run(connected_ns, asked_ns=connecting_ns)
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
        waits = [asyncio.ensure_future(event.wait()) for event in (self._agents.joined, self._ended_early)]
        try:
            timeout_s = max(0.0, (deadline_ns - self._clock.now_ns()) / NS_PER_S)
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._failure is not None:
            raise self._failure
        if not self._agents.joined.is_set():
            if self._agents.agent is not None:
                there = f"{self._agents.agent} was in the room without audio"
            elif self._plan.agent_identity is not None and not self._agents.nobody:
                there = f"{self._plan.agent_identity} (agent_identity) was not in the room, others were"
            else:
                there = "nobody was in the room" if self._agents.nobody else "nobody in the room had audio"
            raise AgentFailure(
                "agent.never_joined",
                f"no agent's audio was there {self._plan.timeouts.agent_join:g} s after the caller; {there}",
                hint="does an agent take jobs for this project, and for this agent's id?",
            )

    def _end(self, failure: CallFailure) -> None:
        self._failure = self._failure or failure
        self._ended_early.set()
        if self._script is not None:
            self._script.end(failure)

    # -- LineEvents ----------------------------------------------------------------------------------------------

    def on_participant(self, t_ns: int, participant: Participant) -> None:
        """See `LineEvents`."""
        self._agents.participant(t_ns, participant)

    def on_participant_left(self, t_ns: int, identity: str) -> None:
        """See `LineEvents`."""
        self._agents.participant_left(t_ns, identity)
        self._ear.wake()

    def on_audio_track(self, t_ns: int, track: AudioTrack) -> None:
        """See `LineEvents`."""
        self._agents.track_came(t_ns, track)

    def on_audio_track_gone(self, t_ns: int, track: str) -> None:
        """See `LineEvents`."""
        self._ear.ended(track)
        self._anchors.ended(track)
        self._agents.track_gone(t_ns, track)

    def on_track_muted(self, t_ns: int, track: str, *, muted: bool) -> None:
        """See `LineEvents`."""
        self._agents.track_muted(t_ns, track, muted=muted)

    def _last_packet_ns(self, track: str) -> int | None:
        return None if self._line is None else self._line.last_packet_ns(track)

    def _agent_comes_until_ns(self) -> int:
        begun = self._script is not None and self._script.has_begun
        return 0 if begun else self._agent_due_ns

    def _on_anew(self) -> None:
        if self._script is not None:
            self._script.agent_is_another()

    def _on_agent_gone(self, since_ns: int, failure: AgentFailure) -> None:
        if failure.kind == "agent.left":
            self._agent_left(since_ns, failure)
        else:
            self._end(failure)

    def _agent_left(self, since_ns: int, failure: AgentFailure) -> None:
        """Handles the agent leaving or ending the call, which the script may have been waiting for."""
        if self._script is not None and self._script.awaits_hang_up:
            self._timeline.add(AgentHungUp(t_ns=since_ns))
            self._script.hung_up()
        else:
            self._end(failure)

    def on_heard(self, heard: Heard) -> None:
        """See `LineEvents`."""
        self._second_heard[heard.track] += heard.samples.size
        self._second_read_late_ns = max(self._second_read_late_ns, heard.late_ns)
        self._ear.hear(heard)
        self._agents.heard(heard.track)
        if heard.track == self._voices.newest():  # the caller's echo is looked for where the agent speaks
            self._echo.heard(heard)
        self._anchors.heard(heard, self._recorder.heard(heard) if self._recorder is not None else None)

    def on_media(self, t_ns: int, media: Media) -> None:
        """See `LineEvents`."""
        self._timeline.add(MediaSecond(t_ns=t_ns, **asdict(media)))
        self._agents.second(t_ns, media)

    def on_data(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """See `LineEvents`."""
        if topic != TOPIC_IN:
            return
        received = self._chat.received(payload, of_agent=self._agents.is_agents_text(identity))
        if isinstance(received, Junk):
            space = received.space.fields() if received.space else {}
            self._timeline.add(JunkCame(t_ns=t_ns, why=received.why, identity=identity, **space))
        else:
            self._timeline.add(TextCame(t_ns=t_ns, **received.fields(), identity=identity))
            if received.role == "reply" and self._script is not None:
                self._script.reply_written(t_ns, received.text, None if received.own_id else received.segment)

    def on_sent(self, due_ns: int, left_ns: int, samples: NDArray[np.int16] | None) -> None:
        """See `LineEvents`."""
        late_ns = max(0, left_ns - due_ns)
        self._second_sent += 1
        self._second_late_ns = max(self._second_late_ns, late_ns)
        if late_ns > LATE_NS:
            self._timeline.add(SendLate(t_ns=due_ns, late_ms=ms(late_ns)))
        if samples is not None:
            self._echo.sent(left_ns, samples)
            if self._recorder is not None:
                # By its deadline, as `Speaking.left_ns`: a single late frame is not heard any later.
                self._recorder.sent(due_ns, samples)
        if left_ns >= self._second_ns:
            self._close_second()

    def _close_second(self) -> None:
        self._timeline.add(
            SecondPassed(
                t_ns=self._second_ns,
                sent=self._second_sent,
                send_late_ms=ms(self._second_late_ns),
                lag_ms=ms(max(self._second_lag_ns, self._lag.longest_ns(self._second_ns - NS_PER_S))),
                heard=max(self._second_heard.values(), default=0),
                read_late_ms=ms(self._second_read_late_ns),
                **(asdict(self._lag.machine) if self._lag.machine is not None else {}),
            )
        )
        self._second_ns += NS_PER_S
        self._second_sent = self._second_late_ns = 0
        self._second_heard.clear()
        self._second_read_late_ns = self._second_lag_ns = 0

    def on_overflow(self, t_ns: int) -> None:
        """See `LineEvents`."""
        self._timeline.add(HeardOverflow(t_ns=t_ns))

    def on_broken(self, t_ns: int, what: str) -> None:
        """See `LineEvents`."""
        self._end(OwnFailure("harness.bug", what))

    def on_reconnecting(self, t_ns: int, why: str) -> None:
        """See `LineEvents`."""
        self._timeline.add(RoomReconnecting(t_ns=t_ns, why=why))
        if self._lost_timer is None:
            within_s = self._plan.timeouts.connect
            self._lost_timer = asyncio.get_running_loop().call_later(within_s, self._stays_lost, why)

    def on_reconnected(self, t_ns: int, how: str) -> None:
        """See `LineEvents`."""
        self._timeline.add(RoomReconnected(t_ns=t_ns, how=how))
        self._agents.reconnected()
        if self._lost_timer is not None:
            self._lost_timer.cancel()
            self._lost_timer = None

    def _stays_lost(self, why: str) -> None:
        what = f"the room was lost ({why}), and not joined again within {self._plan.timeouts.connect:g} s"
        self._end(RoomFailure("room.lost", what, hint="is the LiveKit server well?"))

    def on_disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """See `LineEvents`."""
        if by_service:
            what = f"the call was ended from the other side ({reason})"
            self._agent_left(t_ns, AgentFailure("agent.left", what))
        else:
            self._end(RoomFailure("room.lost", f"the room was lost ({reason})", hint="is the LiveKit server well?"))

    def _on_lag(self, due_ns: int, late_ns: int, stall: Stall) -> None:
        # A lag across a second's boundary may be reported after that second was closed: it counts for the next.
        self._second_lag_ns = max(self._second_lag_ns, late_ns)
        self._timeline.add(LoopWasLate(t_ns=due_ns, late_ms=ms(late_ns), **asdict(stall)))


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
