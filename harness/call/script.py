"""The caller's side of a conversation: it speaks, types, waits, barges in, and detects the end of the agent's turn."""

from __future__ import annotations

import asyncio
from typing import cast

from harness.call.chat import TOPIC_OUT, Chat, outgoing
from harness.call.ear import Ear
from harness.call.echo_watch import EchoWatch
from harness.call.engines.line import NS_PER_SAMPLE, Line
from harness.call.greeting import Greeting
from harness.call.plan import CallPlan
from harness.call.reply_watch import ReplyWatch, TurnOutcome
from harness.call.waiting import LOOK_AGAIN_NS, Check, Waiting
from harness.clock import Clock, s_to_ns
from harness.errors import AgentFailure, CallFailure
from harness.hearing.voice import FALSE_STOP_NS, SILENCE_NS, speaks_at, stop_after
from harness.scenario.model import Step
from harness.timeline.events import (
    BargedIn,
    CallerSpoke,
    CallerTyped,
    Failed,
    TurnEnded,
    TurnKind,
    TurnStarted,
    WaitEnded,
    WaitStarted,
)
from harness.timeline.timeline import Timeline
from harness.utterances.find import Utterance


class Script:
    """Runs a plan's steps on a line. `end(failure)` ends it from outside: the agent left, the room is gone."""

    def __init__(
        self,
        plan: CallPlan,
        *,
        line: Line,
        ear: Ear,
        echo: EchoWatch,
        chat: Chat,
        timeline: Timeline,
        clock: Clock,
        agent_is_there: Check = lambda: True,
    ) -> None:
        self._plan = plan
        self._line = line
        self._ear = ear
        self._echo = echo
        self._chat = chat
        self._timeline = timeline
        self._clock = clock
        self._agent_is_there = agent_is_there
        self._waiting = Waiting(ear, clock, end_silence_s=plan.timeouts.end_silence)
        self._greeting = Greeting(
            plan, waiting=self._waiting, ear=ear, timeline=timeline, clock=clock, agent_is_there=agent_is_there
        )
        self._reply = ReplyWatch(
            plan,
            waiting=self._waiting,
            ear=ear,
            echo=echo,
            timeline=timeline,
            clock=clock,
            agent_is_there=agent_is_there,
        )
        self._turn = 0
        self._talked_over_ns: int | None = None
        self._after_wait = False

    def end(self, failure: CallFailure) -> None:
        """Stops the script at once; `run` raises `failure`."""
        self._waiting.end(failure)

    def agent_is_another(self) -> None:
        """Another participant turned out to be the agent: waiting for the greeting starts over."""
        self._greeting.start_over()

    def reply_written(self, t_ns: int, text: str, segment: str | None) -> None:
        """Records a reply text, or a part of one: speech from its beginning on is a new reply."""
        self._reply.written(t_ns, text, segment)

    @property
    def has_begun(self) -> bool:
        """Whether the caller has taken its first turn."""
        return self._turn > 0

    @property
    def awaits_hang_up(self) -> bool:
        """Whether the agent may end the call now: the scenario expects it, and the reply before it has been heard."""
        return self._reply.awaits_hang_up

    def hung_up(self) -> None:
        """The agent has ended the call, as the scenario expects."""
        self._reply.hung_up()

    async def run(self, connected_ns: int, *, asked_ns: int) -> None:
        """Runs all steps.

        Args:
            connected_ns: When the room was joined.
            asked_ns: When we asked to join it.

        Raises:
            CallFailure: What ended the script before its last step.
        """
        greeted = await self._greeting.ended(asked_ns)
        self._talked_over_ns = greeted.talked_over_ns
        if greeted.failure is not None:
            self._occurred(greeted.failure)
        steps, taken = self._plan.steps, 0
        while not self._reply.agent_hung_up and self._goes_on(taken, connected_ns):
            index = taken % len(steps)
            step = steps[index]
            taken += 1
            if step.kind == "wait":
                await self._wait(index, step)
            else:
                await self._take_turn(index, step, barged=self._is_barged(taken))
        # An agent that left may yet be replaced: how the call ended is open until that is known.
        await self._waiting.until(lambda: self._reply.agent_hung_up or self._agent_is_there())

    def _goes_on(self, taken: int, connected_ns: int) -> bool:
        """Whether to take another step after `taken` steps: all of them once, then again while the call is to last."""
        steps, loop_s = self._plan.steps, self._plan.loop_s
        if taken < len(steps):
            return True
        if loop_s is None:
            return False
        # The turn before a barge-in ended at the agent's onset, so the barge-in must follow.
        midway = taken % len(steps) > 0 and steps[taken % len(steps)].kind == "barge_in"
        return midway or self._clock.now_ns() < connected_ns + s_to_ns(loop_s)

    def _is_barged(self, taken: int) -> bool:
        """Whether the step after `taken` steps is a barge-in."""
        steps = self._plan.steps
        follows = taken < len(steps) or self._plan.loop_s is not None
        return follows and steps[taken % len(steps)].kind == "barge_in"

    def _occurred(self, failure: CallFailure, turn: int | None = None) -> None:
        """Records a failure that does not end the script, unless the scenario says so."""
        if self._plan.scenario.stop_on_failure:
            raise failure
        told = {"kind": failure.kind, "what": failure.what, "hint": failure.hint or ""}
        self._timeline.add(Failed(t_ns=self._clock.now_ns(), **told, turn=turn, ended=False))

    # -- steps ---------------------------------------------------------------------------------------------------

    async def _wait(self, index: int, step: Step) -> None:
        start_ns = self._clock.now_ns()
        self._timeline.add(WaitStarted(t_ns=start_ns, step=index, after_turn=self._turn))
        await self._waiting.until(lambda: False, start_ns + s_to_ns(step.wait_s))
        self._timeline.add(WaitEnded(t_ns=self._clock.now_ns(), step=index))
        voices = self._ear.voices
        self._talked_over_ns = voices[-1].onset_ns if voices and self._ear.voiced else None
        self._after_wait = True

    async def _take_turn(self, index: int, step: Step, *, barged: bool) -> None:
        if self._after_wait and step.kind != "barge_in":
            await self._waiting.until(lambda: self._waiting.silent_for(SILENCE_NS))
        self._after_wait = False
        await self._waiting.until(self._agent_is_there)
        self._turn += 1
        self._reply.begin_turn(self._turn, ends_call=step.expect.ends_call is not None)
        speech = self._plan.speech[index]
        self._timeline.add(
            TurnStarted(
                t_ns=self._clock.now_ns(),
                turn=self._turn,
                step=index,
                kind=cast(TurnKind, step.kind),
                text=speech.text if speech else step.type or "",
                fixture=speech.name if speech else None,
                language=speech.language if speech else "",
            )
        )
        why = "failed"
        try:
            if speech is None:
                outcome = await self._type(step.type or "", barged=barged)
            elif step.kind == "barge_in":
                outcome = await self._barge_in(step, speech, barged=barged)
            else:
                start_ns, end_ns = await self._speak(speech)
                outcome = await self._reply.ended(self._reply.after_speech(start_ns, end_ns), end_ns, barged=barged)
            why = outcome.why
            if outcome.talked_over_ns is not None:
                self._talked_over_ns = outcome.talked_over_ns
            if outcome.failure is not None:
                self._occurred(outcome.failure, self._turn)
        except asyncio.CancelledError:
            why = "cut"
            raise
        except AgentFailure as failure:
            why = "no_reply" if failure.kind == "agent.no_reply" else why
            raise
        finally:
            self._timeline.add(TurnEnded(t_ns=self._clock.now_ns(), turn=self._turn, why=why))

    async def _type(self, text: str, *, barged: bool) -> TurnOutcome:
        self._chat.sent(text)
        sent_ns = await self._waiting.unless_ended(self._line.send_data(TOPIC_OUT, outgoing(text)))
        self._timeline.add(CallerTyped(t_ns=sent_ns, turn=self._turn, text=text.strip()))
        return await self._reply.ended(self._reply.after_text(sent_ns), sent_ns, barged=barged)

    async def _speak(self, speech: Utterance, *, not_before_ns: int = 0) -> tuple[int, int]:
        """Says it; returns when the packets with the voiced start and ends left."""
        self._echo.begin()
        speaking = self._line.speak(speech.pcm, not_before_ns=not_before_ns)
        await self._waiting.unless_ended(speaking.finished())
        start_ns, end_ns = speaking.left_ns(speech.voiced_start), speaking.left_ns(speech.voiced_end)
        self._timeline.add(
            CallerSpoke(
                t_ns=speaking.left_ns(0),
                turn=self._turn,
                voiced_start=start_ns,
                voiced_end=end_ns,
                said_end=speaking.said_ns(speech.voiced_end),
            )
        )
        return start_ns, end_ns

    async def _barge_in(self, step: Step, speech: Utterance, *, barged: bool) -> TurnOutcome:
        onset_ns, self._talked_over_ns = self._talked_over_ns, None
        self._timeline.add(BargedIn(t_ns=self._clock.now_ns(), turn=self._turn, onset=onset_ns))
        not_before_ns = 0
        if onset_ns is not None:
            # The caller's voice, not the fixture's leading silence, should be heard at that time.
            lead_ns = round(speech.voiced_start * NS_PER_SAMPLE)
            not_before_ns = onset_ns + s_to_ns(step.barge_in_s) - lead_ns
            await self._waiting.until(lambda: False, not_before_ns - LOOK_AGAIN_NS)
        start_ns, end_ns = await self._speak(speech, not_before_ns=not_before_ns)
        voices = self._ear.voices
        if step.expect.keeps_talking:
            return await self._not_put_off(end_ns, barged=barged)
        if onset_ns is None or not speaks_at(voices, start_ns):
            return await self._reply.ended(self._reply.after_speech(start_ns, end_ns), end_ns, barged=barged)
        stop: list[int] = []

        def stopped() -> bool:
            found = stop_after(voices, start_ns, known_until_ns=self._ear.known_until_ns())
            stop.extend([] if found is None else [found])
            return found is not None

        await self._waiting.until(stopped)
        stop_ns = stop[0]
        return await self._reply.ended(
            self._reply.after_barge_in(stop_ns, end_ns),
            max(stop_ns, end_ns),
            barged=barged,
        )

    async def _not_put_off(self, end_ns: int, *, barged: bool) -> TurnOutcome:
        """After speech that needs no reply: waits until the agent ends, or the next step may barge in on the same."""
        if barged:
            await self._waiting.until(lambda: self._ear.known_until_ns() >= end_ns + FALSE_STOP_NS)
            onset_ns = self._ear.voices[-1].onset_ns if self._ear.voiced else None
            return TurnOutcome("no_reply_needed", talked_over_ns=onset_ns)
        await self._waiting.until(lambda: self._waiting.has_ended(end_ns))
        return TurnOutcome("no_reply_needed")
