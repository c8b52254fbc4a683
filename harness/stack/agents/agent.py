"""One agent in one room: it greets, listens, answers, and leaves when the caller does.

It answers one turn at a time. While it speaks, a typed text or half a second of the caller's voice (a barge-in) stops
it and is answered; a cough or a backchannel ("mm-hmm") does not interrupt it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any, Literal

from harness.clock import NS_PER_S, ms, s_to_ns
from harness.stack.agents import truth
from harness.stack.agents.answer import Answer
from harness.stack.agents.course import Course, Doings
from harness.stack.agents.ear import (
    FRAME_MS,
    Began,
    HearingEvent,
    MayHaveEnded,
    TookTurn,
    UtteranceEnded,
    WentOn,
)
from harness.stack.agents.faults import GARBAGE
from harness.stack.agents.hold import WRONG, slowed_s
from harness.stack.agents.line import REPLY_TOPIC, TOOL_TOPIC, AgentLine
from harness.stack.agents.lines import Lines
from harness.stack.agents.mouth import Mouth, Talk
from harness.stack.agents.surroundings import Surroundings
from harness.stack.agents.thought import Thought
from harness.stack.agents_file import AgentFault, AgentSpec
from harness.stack.tools.plan import PlannedCall
from harness.stack.tools.session import SessionTools

JITTER_BUFFER_EVERY_S = 0.055  # polling interval in seconds: WebRTC caches its statistics for 50 ms
WITHOUT_CALLER_S = 30.0
GREETS_ANYWAY_S = 3.0  # seconds to wait for the caller to subscribe before the agent greets regardless


_NO_DOINGS = Doings(lambda: None, lambda: asyncio.sleep(0), lambda: asyncio.sleep(0))


class _OverError(Exception):
    """The call has ended; cancels the room's tasks."""


class Agent:
    """The agent `name` in `room`; `run` is its whole lifetime.

    Args:
        name: Its name in the agents file.
        spec: Its settings, with the session's overrides applied.
        room: The room's name; it seeds the reply delays.
        around: What it shares with the other agents.
        doings: Actions of its course that others carry out.
        number: 1 for the first agent, 2 for the one that takes over from it.

    Attributes:
        joined: Set once it is in the room.
    """

    def __init__(
        self,
        name: str,
        spec: AgentSpec,
        room: str,
        around: Surroundings,
        *,
        doings: Doings = _NO_DOINGS,
        number: int = 1,
    ) -> None:
        self.joined = asyncio.Event()
        self._name = name
        self._spec = spec
        self._room = room
        self._clock = around.clock
        self._truth_log = around.truth_log
        self._around = around
        self._tools = around.tools(spec, self._log)
        self._thinking = around.thinking(spec, self._tools)
        second = "" if number == 1 else f"-{number}"
        self._delays = random.Random(room + second)  # noqa: S311 - delays, no secrets
        self._lines = Lines(spec, room, around)
        self._line = self._lines.main(f"{name}{second}")
        self._mouth = Mouth(
            around.clock,
            self._log,
            noise_dbfs=spec.noise_dbfs,
            # The truth agent's voice may start anywhere within a packet, as real voices do.
            in_whole_frames=spec.line == "light" and spec.kind != "truth",
        )
        self._group: asyncio.TaskGroup | None = None
        self._early: list[tuple[str, int]] | None = []  # until it has met the caller
        self._ready = asyncio.Event()
        self._may_speak = asyncio.Event()
        self._may_speak.set()
        self._course = Course(spec.shape, self._line, self._may_speak, doings, self._log)
        self._replying: asyncio.Task[None] | None = None
        self._thought: Thought | None = None
        self._began_over_agent = False
        self._replies = 0
        self._voiced = False

    @property
    def has_handed_over(self) -> bool:
        """Whether it left the room for a successor to take over."""
        return self._course.retired

    async def run(self) -> None:
        """Joins, talks and leaves.

        Raises:
            Exception: Any failure; the room has been left by then.
        """
        if self._has("never_joins"):
            return
        if self._has("joins_late"):
            await asyncio.sleep(self._spec.joins_late_by_s)
        twin = self._lines.twin(self._name)
        self._line.on_text = self._typed
        self._line.on_published = lambda track: self._log("published", track=track)
        if self._tools is not None:
            self._tools.start()
        try:
            await self._line.join()
            self._log("joined")
            self.joined.set()
            if twin is not None:
                await twin.join()
            await self._live(twin)
        finally:
            self._around.calls.ended(self._name, self._room)
            await self._line.leave()
            if twin is not None:
                await twin.leave()
            self._log("left")
            if self._tools is not None:
                await self._tools.close()

    async def _live(self, twin: AgentLine | None) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._line.carry(self._mouth))
                group.create_task(self._listen())
                group.create_task(self._await_caller())
                if twin is not None:
                    group.create_task(twin.carry(Mouth(self._clock, lambda event, **fields: None)))
                group.create_task(self._until_over())
        except* _OverError:
            pass

    async def _until_over(self) -> None:
        await self._line.over.wait()
        raise _OverError

    async def _await_caller(self) -> None:
        try:
            await asyncio.wait_for(self._line.caller_came.wait(), WITHOUT_CALLER_S)
        except TimeoutError:
            self._line.over.set()
            return
        self._log("caller_joined")
        self._around.tell(self._room, "met")
        self._around.calls.begun(self._name, self._room)
        self._begin(self._greet())
        self._tasks().create_task(self._answer_early(self._replying))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._line.heard_by_caller(), GREETS_ANYWAY_S)
        self._ready.set()

    async def _answer_early(self, greeting: asyncio.Task[None] | None) -> None:
        """Answers, after the greeting, what was typed before the agent had met the caller."""
        early, self._early = self._early, None
        if early and greeting is not None:
            await asyncio.wait({greeting})
            for text, at_ns in early:
                self._typed(text, at_ns)

    # -- hearing -----------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        hearing = self._around.hearing(self._spec)
        frame_ms = truth.FRAME_MS if self._spec.kind == "truth" else FRAME_MS
        async with contextlib.aclosing(self._line.heard(frame_ms)) as frames:
            async for pcm, at_ns in frames:
                for event in hearing.feed(pcm, at_ns):
                    self._heard(event)

    def _heard(self, event: HearingEvent) -> None:
        if self._course.retired:
            return
        match event:
            case Began(at_ns):
                self._log("caller_voiced_start", at_ns=at_ns)
                self._follow_jitter_buffer()
                self._began_over_agent = self._mouth.speaking
            case TookTurn():
                self._interrupt("barge_in")
            case MayHaveEnded(pcm):
                if not self._mouth.speaking:
                    self._thought = self._think(pcm=pcm)
            case WentOn():
                self._forget()
            case UtteranceEnded(end_ns, short, pcm, tick_ns):
                known = {} if tick_ns is None else {"tick_ns": tick_ns}
                self._log("caller_voiced_end", at_ns=end_ns, found_at_ns=self._clock.now_ns(), **known)
                self._voiced = False
                if short and self._began_over_agent and self._mouth.speaking:
                    self._forget()
                    return
                thought, self._thought = self._thought or self._think(pcm=pcm), None
                self._begin(self._reply(thought, end_ns, said="aloud"))

    def _follow_jitter_buffer(self) -> None:
        """Logs the delay of our own jitter buffer while the caller speaks: a known part of when the caller is heard."""
        if self._spec.kind == "truth" and not self._voiced:
            self._voiced = True
            self._tasks().create_task(self._log_jitter_buffer())

    async def _log_jitter_buffer(self) -> None:
        voiced = True
        while voiced:
            voiced = self._voiced
            told = await self._line.jitter_buffer()
            if told:
                self._log("jitter_buffer", **told)
            await asyncio.sleep(JITTER_BUFFER_EVERY_S)

    def _typed(self, text: str, at_ns: int) -> None:
        if self._course.retired:
            return
        if self._early is not None:
            self._early.append((text, at_ns))
            return
        self._log("data_in", text=text, at_ns=at_ns)
        self._forget()
        self._begin(self._reply(self._think(text=text), at_ns, said="typed"))

    # -- answering ---------------------------------------------------------------------------------------------------

    def _begin(self, speaking: Coroutine[Any, Any, None]) -> None:
        """Starts speaking this, stopping whatever is being said."""
        self._interrupt("new_turn")
        self._replying = self._tasks().create_task(speaking)

    def _interrupt(self, why: Literal["barge_in", "new_turn"]) -> None:
        talk = self._mouth.talk
        if talk is not None and talk.endless:
            return
        self._mouth.stop(why)
        if self._replying is not None:
            self._replying.cancel()

    def _think(self, **what: Any) -> Thought:
        return Thought(self._tasks(), self._thinking, **what)

    def _forget(self) -> None:
        """Discards the reply prepared during a pause after which the caller went on."""
        if self._thought is not None:
            self._thought.cancel()
            self._thought = None

    def _tasks(self) -> asyncio.TaskGroup:
        if self._group is None:
            raise RuntimeError("the agent is in no room")
        return self._group

    async def _greet(self) -> None:
        if self._spec.greeting.strip():
            greeting = self._spec.greeting.strip()
            await self._speak("greeting", Answer.in_one(greeting), not_before_ns=0)

    async def _reply(self, thought: Thought, heard_ns: int, *, said: Literal["aloud", "typed"]) -> None:
        """Answers what was said or typed, no earlier than the reply delay after `heard_ns`."""
        try:
            delay_s = self._spec.sample_delay_s(self._delays)
            words = await thought.words
            if said == "aloud" and words is not None:
                self._log("heard", text=words)
                if not words:
                    return
            if words and not (said == "typed" and self._has("no_echo")):
                await self._send("user_text", words)
            answer = await thought.reply
            past_hold = self._around.calls.past_hold(self._name, self._spec)
            answer = Answer.in_one(WRONG) if past_hold == "wrong" else await self._carried_out(answer)
            if past_hold == "slow":
                delay_s = slowed_s(delay_s, (self._clock.now_ns() - heard_ns) / NS_PER_S)
            if answer.knowledge is not None:
                self._log("knowledge", **asdict(answer.knowledge))
            due_ns = heard_ns + s_to_ns(delay_s)
            told = {} if past_hold is None else {"past_hold": past_hold}
            self._log("decided", reply=answer.text, due_ns=due_ns, delay_ms=ms(delay_s * NS_PER_S), **told)
            self._replies += 1
            await self._speak("reply", answer, not_before_ns=due_ns)
        finally:
            thought.cancel()

    async def _carried_out(self, answer: Answer) -> Answer:
        """The answer of the tool that the given one plans to call, if any: the turn is confirmed now."""
        if self._tools is None:
            return answer
        self._tools.confirmed(answer.call)
        if answer.call is None or answer.call.missing is not None:
            return answer
        # If the caller interrupts, a call that was made is still logged and told
        calling = self._tasks().create_task(self._call(self._tools, answer.call))
        return Answer.in_sentences(await asyncio.shield(calling))

    async def _call(self, tools: SessionTools, planned: PlannedCall) -> str:
        """Calls a tool and tells the caller about it; returns what to answer."""
        made = await tools.call(planned)
        if not self._has("mute") and not self._has("voice_only"):
            await self._send_frame(made.frame(), TOOL_TOPIC)
        return made.answer

    async def _speak(self, what: Literal["greeting", "reply"], answer: Answer, *, not_before_ns: int) -> None:
        """Sends the text and speaks its parts, synthesising each while the one before is playing."""
        await self._ready.wait()
        self._course.begins()
        await self._may_speak.wait()
        writing = self._tasks().create_task(self._write(answer.text, not_before_ns))
        try:
            if not self._has("mute") and not self._has("text_only"):
                await self._say(what, answer, not_before_ns)
            await writing
        finally:
            writing.cancel()

    async def _write(self, text: str, not_before_ns: int) -> None:
        await self._clock.sleep_until_ns(not_before_ns)
        await self._send("agent_text", text)

    async def _say(self, what: Literal["greeting", "reply"], answer: Answer, not_before_ns: int) -> None:
        parts = answer.parts
        first = await self._thinking.say(parts[0])
        busy = self._mouth.talk
        if busy is not None and busy.endless:
            return
        if busy is not None:  # wait for it to fade out
            await asyncio.wait({busy.over})
        number = self._replies if what == "reply" else 0
        endless = number == 1 and self._has("talks_for_ever")
        talk = Talk(what, answer.text, not_before_ns=not_before_ns, endless=endless)
        talk.add(first, last=len(parts) == 1 or endless)
        self._mouth.say(talk)
        if (number == 2 and self._has("crashes")) or self._course.crashes_in(number):
            await self._clock.sleep_until_ns(not_before_ns + s_to_ns(first.voiced_s / 2))
            await self._course.crash()
        for number, part in enumerate(parts[1:], start=2):
            talk.add(await self._thinking.say(part), last=number == len(parts))
        await asyncio.wait({talk.over})
        if talk.over.result() == "ended":
            self._tasks().create_task(self._course.ended(number))

    async def _send(self, kind: Literal["user_text", "agent_text"], text: str) -> None:
        if self._has("mute") or self._has("voice_only"):
            return
        if self._has("garbage_frames"):
            for garbage in GARBAGE:
                await self._line.send(garbage)
        at_ns = await self._send_frame({"type": kind, "text": text}, REPLY_TOPIC)
        self._log("data_out", type=kind, text=text, at_ns=at_ns)

    async def _send_frame(self, payload: dict[str, Any], topic: str) -> int:
        at_ns = await self._line.send(payload, topic=topic)
        self._around.frames.sent(self._room, topic, payload)
        return at_ns

    # -- itself ------------------------------------------------------------------------------------------------------

    def _has(self, fault: AgentFault) -> bool:
        return fault in self._spec.faults

    def _log(self, event: str, **fields: Any) -> None:
        self._truth_log.write(self._room, self._name, event, **fields)
