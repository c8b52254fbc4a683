"""How the caller waits for the agent's reply: its onset, its end and, where the scenario expects that, the hang-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from harness.call.ear import KNOWN_AFTER_NS, Ear
from harness.call.echo_watch import EchoWatch
from harness.call.plan import CallPlan
from harness.call.waiting import Check, Waiting
from harness.clock import NS_PER_MS, NS_PER_S, Clock, s_to_ns
from harness.errors import AgentFailure
from harness.hearing.echo import without_echo
from harness.hearing.voice import (
    SILENCE_NS,
    ReplyStart,
    reply_to_barge_in,
    reply_to_speech,
    reply_to_text,
    setting_in,
    speaks_at,
)
from harness.measure.new_replies import NewReplies
from harness.timeline.events import EchoHeard
from harness.timeline.timeline import Timeline

END_KNOWN_NS = NS_PER_S // 2  # delay until a voice's end is detected: 200 ms of silence, the jitter buffer, a packet

FindReply = Callable[[], ReplyStart]


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """How a turn ended.

    Attributes:
        why: As in `TurnEnded`.
        talked_over_ns: The onset of the voice that the next step barges in on.
        failure: What the agent did wrong.
    """

    why: str
    talked_over_ns: int | None = None
    failure: AgentFailure | None = None


class ReplyWatch:
    """Waits for the reply of the turn that `begin_turn` began."""

    def __init__(
        self,
        plan: CallPlan,
        *,
        waiting: Waiting,
        ear: Ear,
        echo: EchoWatch,
        timeline: Timeline,
        clock: Clock,
        agent_is_there: Check,
    ) -> None:
        self._plan = plan
        self._waiting = waiting
        self._ear = ear
        self._echo = echo
        self._timeline = timeline
        self._clock = clock
        self._agent_is_there = agent_is_there
        self._turn = 0
        self._replies = NewReplies()
        self._reply_heard = self._last_turn = False
        self.agent_hung_up = False
        """Whether the agent has ended the call, as the scenario expects."""

    def begin_turn(self, turn: int, *, ends_call: bool) -> None:
        """A turn begins; after its reply the agent may end the call if `ends_call`."""
        self._turn, self._reply_heard, self._last_turn = turn, False, ends_call

    def written(self, t_ns: int, text: str, segment: str | None) -> None:
        """Records a reply text, or a part of one: speech from its beginning on is a new reply."""
        self._replies.add(t_ns, text, segment)
        self._ear.wake()

    def hung_up(self) -> None:
        """The agent has ended the call, as the scenario expects."""
        self.agent_hung_up = True
        self._ear.wake()

    @property
    def awaits_hang_up(self) -> bool:
        """Whether the agent may end the call now: the scenario expects it, and the reply before it has been heard."""
        return self._last_turn and self._reply_heard and not self._ear.voiced

    def after_speech(self, start_ns: int, end_ns: int) -> FindReply:
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

    def after_barge_in(self, stop_ns: int, end_ns: int) -> FindReply:
        """A function that finds the reply to a barge-in that ended, after the agent had stopped."""
        voices = self._ear.voices
        return lambda: reply_to_barge_in(voices, stop_ns, end_ns, replies_ns=self._replies.times_ns)

    def after_text(self, sent_ns: int) -> FindReply:
        """A function that finds the reply to a typed text."""
        return lambda: reply_to_text(self._ear.voices, sent_ns)

    async def ended(self, find: FindReply, from_ns: int, *, barged: bool) -> TurnOutcome:
        """Waits for the reply's onset and, unless a barge-in follows, its end; returns how the turn ended.

        Raises:
            CallFailure: As `Waiting.until`.
        """
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
            await self._waiting.until(settled, deadline_ns + KNOWN_AFTER_NS)
            if found.onset_ns is not None and found.onset_ns > deadline_ns:
                found = ReplyStart(interrupted=found.interrupted)
            if found.onset_ns is None and not found.interrupted:
                await self._waiting.until(lambda: not self._ear.voiced)
                return TurnOutcome("no_reply", failure=self._no_reply(from_ns))
            self._reply_heard = True
            if barged and found.onset_ns is not None:
                return TurnOutcome("barge_in", talked_over_ns=found.onset_ns)
            await self._waiting.until(lambda: self.agent_hung_up or self._waiting.has_ended(from_ns))
            # If it turned out to be another sound, or noise, it was no reply.
            was_reply = find()
            is_reply = was_reply.onset_ns is not None or was_reply.interrupted
            if is_reply or self.agent_hung_up or self._clock.now_ns() > deadline_ns:
                break
            self._reply_heard = False
        if self._last_turn:
            await self._await_hang_up()
        return TurnOutcome("interrupted" if found.interrupted else "replied")

    async def _await_hang_up(self) -> None:
        """Waits until the agent ends the call, for as long as the scenario allows after the end of its voice."""
        end_ns = self._ear.voices[-1].end_ns if self._ear.voices else None
        deadline_ns = (end_ns or self._clock.now_ns()) + s_to_ns(self._plan.hangs_up_within_s)
        if not await self._waiting.until(lambda: self.agent_hung_up or not self._agent_is_there(), deadline_ns):
            return
        await self._waiting.until(lambda: self.agent_hung_up or self._agent_is_there())

    def _no_reply(self, from_ns: int) -> AgentFailure:
        what = f"no voice came within {self._plan.timeouts.reply:g} s"
        if speaks_at(self._ear.voices, from_ns):
            what = f"it spoke when the caller had ended, and {what} and after {SILENCE_NS // NS_PER_MS} ms of silence"
            if self._turn == 1 and self._plan.scenario.greeting is False:
                what += "; it greets: without `greeting: false` the caller waits for that"
        return AgentFailure("agent.no_reply", what)
