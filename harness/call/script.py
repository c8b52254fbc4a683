"""The caller's side of a conversation: it speaks, types, waits, barges in, and detects the end of the agent's turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Any, TypeVar, cast

from harness.call.chat import TOPIC_OUT, Chat, outgoing
from harness.call.ear import KNOWN_AFTER_NS, Ear
from harness.call.echo_watch import EchoWatch
from harness.call.engines.line import NS_PER_SAMPLE, Line
from harness.call.plan import CallPlan
from harness.clock import NS_PER_MS, NS_PER_S, Clock, s_to_ns
from harness.errors import AgentFailure, CallFailure
from harness.hearing.echo import without_echo
from harness.hearing.voice import (
    FALSE_STOP_NS,
    SILENCE_NS,
    ReplyStart,
    reply_to_barge_in,
    reply_to_speech,
    reply_to_text,
    setting_in,
    speaks_at,
    stop_after,
    talking_since,
)
from harness.measure.new_replies import NewReplies
from harness.scenario.model import Step
from harness.timeline.events import (
    BargedIn,
    CallerSpoke,
    CallerTyped,
    EchoHeard,
    Failed,
    GreetingAnew,
    GreetingAwaited,
    GreetingEnded,
    TurnEnded,
    TurnKind,
    TurnStarted,
    WaitEnded,
    WaitStarted,
)
from harness.timeline.timeline import Timeline
from harness.utterances.find import Utterance

TALKS_ON_NS = 60 * NS_PER_S
END_KNOWN_NS = NS_PER_S // 2  # delay until a voice's end is detected: 200 ms of silence, the jitter buffer, a packet
LOOK_AGAIN_NS = NS_PER_S // 10

Result = TypeVar("Result")
Check = Callable[[], bool]
FindReply = Callable[[], ReplyStart]


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
        self._agent_is_there = agent_is_there
        self._anew = False
        self._reply_heard = self._last_turn = self._hung_up = False
        self._plan = plan
        self._line = line
        self._ear = ear
        self._echo = echo
        self._chat = chat
        self._timeline = timeline
        self._clock = clock
        self._ended_by: CallFailure | None = None
        self._turn = 0
        self._replies = NewReplies()
        self._talked_over_ns: int | None = None
        self._after_wait = False
        self._end_silence_ns = s_to_ns(plan.timeouts.end_silence)

    def end(self, failure: CallFailure) -> None:
        """Stops the script at once; `run` raises `failure`."""
        self._ended_by = self._ended_by or failure
        self._ear.wake()

    def agent_is_another(self) -> None:
        """Another participant turned out to be the agent: waiting for the greeting starts over."""
        self._anew = True
        self._ear.wake()

    def reply_written(self, t_ns: int, text: str, segment: str | None) -> None:
        """Records a reply text, or a part of one: speech from its beginning on is a new reply."""
        self._replies.add(t_ns, text, segment)
        self._ear.wake()

    @property
    def has_begun(self) -> bool:
        """Whether the caller has taken its first turn."""
        return self._turn > 0

    @property
    def awaits_hang_up(self) -> bool:
        """Whether the agent may end the call now: the scenario expects it, and the reply before it has been heard."""
        return self._last_turn and self._reply_heard and not self._ear.voiced

    def hung_up(self) -> None:
        """The agent has ended the call, as the scenario expects."""
        self._hung_up = True
        self._ear.wake()

    async def run(self, connected_ns: int, *, asked_ns: int) -> None:
        """Runs all steps.

        Args:
            connected_ns: When the room was joined.
            asked_ns: When we asked to join it.

        Raises:
            CallFailure: What ended the script before its last step.
        """
        await self._greeting(asked_ns)
        steps, taken = self._plan.steps, 0
        while not self._hung_up and self._goes_on(taken, connected_ns):
            index = taken % len(steps)
            step = steps[index]
            taken += 1
            if step.kind == "wait":
                await self._wait(index, step)
            else:
                await self._take_turn(index, step, barged=self._is_barged(taken))
        # An agent that left may yet be replaced: how the call ended is open until that is known.
        await self._until(lambda: self._hung_up or self._agent_is_there())

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

    # -- the agent's side ----------------------------------------------------------------------------------------

    async def _until(self, holds: Check, deadline_ns: int | None = None) -> bool:
        """Waits until `holds`; False if the deadline comes first.

        Raises:
            CallFailure: The script was ended from outside, or the agent never stops talking.
        """
        while True:
            if self._ended_by is not None:
                raise self._ended_by
            if holds():
                return True
            now_ns = self._clock.now_ns()
            if deadline_ns is not None and now_ns >= deadline_ns:
                return False
            self._check_talks_on(now_ns)
            # All calls of a process poll at the same moments: one wake-up for all of them.
            again_ns = (now_ns // LOOK_AGAIN_NS + 1) * LOOK_AGAIN_NS
            await self._ear.changed(again_ns if deadline_ns is None else min(again_ns, deadline_ns))

    async def _unless_ended(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Awaits work by the line, which may take long if the connection is lost.

        Raises:
            CallFailure: As `_until`.
        """
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self._ear.wake())
        try:
            await self._until(task.done)
        finally:
            task.cancel()
        return task.result()

    def _check_talks_on(self, now_ns: int) -> None:
        since_ns = talking_since(
            self._ear.voices, gap_ns=self._end_silence_ns, known_until_ns=self._ear.known_until_ns()
        )
        if since_ns is not None and now_ns - since_ns > TALKS_ON_NS:
            raise AgentFailure(
                "agent.talks_on",
                f"it spoke for {TALKS_ON_NS // NS_PER_S} s without a pause of {self._plan.timeouts.end_silence:g} s",
                hint="does the agent hear itself, or repeat a reply?",
            )

    def _silent_for(self, silence_ns: int, after_ns: int = 0) -> bool:
        """Whether the agent is known to have been silent for `silence_ns`, counted from `after_ns` at the earliest."""
        if self._ear.voiced:
            return False
        voices = self._ear.voices
        since_ns = max(after_ns, voices[-1].end_ns or 0) if voices else after_ns
        return self._ear.known_until_ns() - since_ns >= silence_ns

    async def _greeting(self, asked_ns: int) -> None:
        if self._plan.scenario.greeting is False:
            return
        timeouts = self._plan.timeouts
        awaited_ns = self._clock.now_ns()
        self._timeline.add(GreetingAwaited(t_ns=awaited_ns))
        deadline_ns = max(awaited_ns + s_to_ns(timeouts.greeting), asked_ns + s_to_ns(self._plan.greeting_within_s))
        voices = self._ear.voices
        while True:
            why = "silent"
            if await self._until(lambda: self._anew or bool(voices), deadline_ns + KNOWN_AFTER_NS) and not self._anew:
                if self._plan.steps[0].kind == "barge_in":
                    self._talked_over_ns, why = voices[0].onset_ns, "barge_in"
                else:
                    why = "heard"
                    await self._until(lambda: self._anew or self._silent_for(self._end_silence_ns))
            # One that left may not have been the agent: whose greeting it was shows when another comes, or none.
            await self._until(lambda: self._anew or self._agent_is_there())
            if self._anew:
                self._anew = False
                deadline_ns = max(deadline_ns, self._clock.now_ns() + s_to_ns(timeouts.greeting))
                self._timeline.add(GreetingAnew(t_ns=self._clock.now_ns()))
            elif why == "silent" or voices:  # noise, or another participant's voice, was no greeting
                break
        self._timeline.add(GreetingEnded(t_ns=self._clock.now_ns(), why=why))
        if why == "silent" and self._plan.scenario.greeting is not None:
            waited_s = (deadline_ns - awaited_ns) / NS_PER_S
            what = f"the agent said nothing for {waited_s:.1f} s after it had joined"
            self._occurred(AgentFailure("agent.no_greeting", what))

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
        await self._until(lambda: False, start_ns + s_to_ns(step.wait_s))
        self._timeline.add(WaitEnded(t_ns=self._clock.now_ns(), step=index))
        voices = self._ear.voices
        self._talked_over_ns = voices[-1].onset_ns if voices and self._ear.voiced else None
        self._after_wait = True

    async def _take_turn(self, index: int, step: Step, *, barged: bool) -> None:
        if self._after_wait and step.kind != "barge_in":
            await self._until(lambda: self._silent_for(SILENCE_NS))
        self._after_wait = False
        await self._until(self._agent_is_there)
        self._turn += 1
        self._reply_heard, self._last_turn = False, step.expect.ends_call is not None
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
                why = await self._type(step.type or "", barged=barged)
            elif step.kind == "barge_in":
                why = await self._barge_in(step, speech, barged=barged)
            else:
                start_ns, end_ns = await self._speak(speech)
                why = await self._await_reply(self._reply_after(start_ns, end_ns), end_ns, barged)
        except asyncio.CancelledError:
            why = "cut"
            raise
        except AgentFailure as failure:
            why = "no_reply" if failure.kind == "agent.no_reply" else why
            raise
        finally:
            self._timeline.add(TurnEnded(t_ns=self._clock.now_ns(), turn=self._turn, why=why))

    async def _type(self, text: str, *, barged: bool) -> str:
        self._chat.sent(text)
        sent_ns = await self._unless_ended(self._line.send_data(TOPIC_OUT, outgoing(text)))
        self._timeline.add(CallerTyped(t_ns=sent_ns, turn=self._turn, text=text.strip()))
        return await self._await_reply(lambda: reply_to_text(self._ear.voices, sent_ns), sent_ns, barged)

    async def _speak(self, speech: Utterance, *, not_before_ns: int = 0) -> tuple[int, int]:
        """Says it; returns when the packets with the voiced start and ends left."""
        self._echo.begin()
        speaking = self._line.speak(speech.pcm, not_before_ns=not_before_ns)
        await self._unless_ended(speaking.finished())
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

    def _reply_after(self, start_ns: int, end_ns: int) -> FindReply:
        """A function that finds the reply to what was just said; the caller's own echo is no reply."""
        voices = self._ear.voices
        if not setting_in(voices, start_ns, end_ns):
            return lambda: reply_to_speech(voices, start_ns, end_ns, replies_ns=self._replies.times_ns)
        heard = self._echo.find()
        if heard is None:
            return lambda: reply_to_speech(voices, start_ns, end_ns, replies_ns=self._replies.times_ns)
        self._timeline.add(EchoHeard(t_ns=self._clock.now_ns(), turn=self._turn, **asdict(heard)))

        def find() -> ReplyStart:
            known_ns = self._ear.known_until_ns()
            others = without_echo(voices, start_ns, end_ns, heard.delay_ms, known_until_ns=known_ns)
            return reply_to_speech(others, start_ns, end_ns, replies_ns=self._replies.times_ns)

        return find

    async def _barge_in(self, step: Step, speech: Utterance, *, barged: bool) -> str:
        onset_ns, self._talked_over_ns = self._talked_over_ns, None
        self._timeline.add(BargedIn(t_ns=self._clock.now_ns(), turn=self._turn, onset=onset_ns))
        not_before_ns = 0
        if onset_ns is not None:
            # The caller's voice, not the fixture's leading silence, should be heard at that time.
            lead_ns = round(speech.voiced_start * NS_PER_SAMPLE)
            not_before_ns = onset_ns + s_to_ns(step.barge_in_s) - lead_ns
            await self._until(lambda: False, not_before_ns - LOOK_AGAIN_NS)
        start_ns, end_ns = await self._speak(speech, not_before_ns=not_before_ns)
        voices = self._ear.voices
        if step.expect.keeps_talking:
            return await self._not_put_off(end_ns, barged)
        if onset_ns is None or not speaks_at(voices, start_ns):
            return await self._await_reply(self._reply_after(start_ns, end_ns), end_ns, barged)
        stop: list[int] = []

        def stopped() -> bool:
            found = stop_after(voices, start_ns, known_until_ns=self._ear.known_until_ns())
            stop.extend([] if found is None else [found])
            return found is not None

        await self._until(stopped)
        stop_ns = stop[0]
        return await self._await_reply(
            lambda: reply_to_barge_in(voices, stop_ns, end_ns, replies_ns=self._replies.times_ns),
            max(stop_ns, end_ns),
            barged,
        )

    async def _not_put_off(self, end_ns: int, barged: bool) -> str:
        """After speech that needs no reply: waits until the agent ends, or the next step may barge in on the same."""
        if barged:
            await self._until(lambda: self._ear.known_until_ns() >= end_ns + FALSE_STOP_NS)
            self._talked_over_ns = self._ear.voices[-1].onset_ns if self._ear.voiced else None
        else:
            await self._until(lambda: self._silent_for(self._end_silence_ns, end_ns))
        return "no_reply_needed"

    async def _await_hang_up(self) -> None:
        """Waits until the agent ends the call, for as long as the scenario allows after the end of its voice."""
        end_ns = self._ear.voices[-1].end_ns if self._ear.voices else None
        deadline_ns = (end_ns or self._clock.now_ns()) + s_to_ns(self._plan.hangs_up_within_s)
        if not await self._until(lambda: self._hung_up or not self._agent_is_there(), deadline_ns):
            return
        await self._until(lambda: self._hung_up or self._agent_is_there())

    def _no_reply(self, from_ns: int) -> AgentFailure:
        what = f"no voice came within {self._plan.timeouts.reply:g} s"
        if speaks_at(self._ear.voices, from_ns):
            what = f"it spoke when the caller had ended, and {what} and after {SILENCE_NS // NS_PER_MS} ms of silence"
            if self._turn == 1 and self._plan.scenario.greeting is False:
                what += "; it greets: without `greeting: false` the caller waits for that"
        return AgentFailure("agent.no_reply", what)

    async def _await_reply(self, find: FindReply, from_ns: int, barged: bool) -> str:
        """Waits for the reply's onset and, unless a barge-in follows, its end; returns how the turn ended."""
        deadline_ns = from_ns + s_to_ns(self._plan.timeouts.reply)
        found = ReplyStart()

        def settled() -> bool:
            nonlocal found
            found = find()
            # An interruption that lasted beyond the caller's end was the reply; after a shorter one it may still come.
            until_ns = found.interrupted_until_ns
            still = self._clock.now_ns() >= from_ns + END_KNOWN_NS if until_ns is None else until_ns > from_ns
            return found.onset_ns is not None or (found.interrupted and still)

        while True:
            await self._until(settled, deadline_ns + KNOWN_AFTER_NS)
            if found.onset_ns is not None and found.onset_ns > deadline_ns:
                found = ReplyStart(interrupted=found.interrupted)
            if found.onset_ns is None and not found.interrupted:
                await self._until(lambda: not self._ear.voiced)
                self._occurred(self._no_reply(from_ns), self._turn)
                return "no_reply"
            self._reply_heard = True
            if barged and found.onset_ns is not None:
                self._talked_over_ns = found.onset_ns
                return "barge_in"
            await self._until(lambda: self._hung_up or self._silent_for(self._end_silence_ns, from_ns))
            # If it turned out to be another sound, or noise, it was no reply.
            was_reply = find()
            is_reply = was_reply.onset_ns is not None or was_reply.interrupted
            if is_reply or self._hung_up or self._clock.now_ns() > deadline_ns:
                break
            self._reply_heard = False
        if self._last_turn:
            await self._await_hang_up()
        return "interrupted" if found.interrupted else "replied"
