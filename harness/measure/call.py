"""Measures one call from its timeline: a pure function that gives the same numbers live and years later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

from harness.clock import NS_PER_MS, NS_PER_S
from harness.failures import HINT_IF_LATE, HINTS, FailureKind
from harness.hearing.echo import without_echo
from harness.hearing.voice import (
    ReplyStart,
    Voice,
    count_before,
    reply_to_barge_in,
    reply_to_speech,
    reply_to_text,
    setting_in,
    speaks_at,
)
from harness.measure.doubtful_edges import doubts_of_edges
from harness.measure.fitness import Fitness
from harness.measure.media_health import media_health
from harness.measure.new_replies import new_replies_ns
from harness.measure.notes import call_notes
from harness.measure.self_check import self_faults
from harness.measure.self_fault import SelfFault
from harness.measure.stopping import Stop, find_stop
from harness.measure.texts import AssignedTexts, TurnTexts, assign_texts
from harness.measure.turn_taking import dead_air_ns, stopped_falsely, talk_over_ns
from harness.measure.wer import word_error_rate
from harness.measure.who_was_there import handovers, mistaken, tracks_heard
from harness.measure.whose_answer import OwedAnswers
from harness.record.result import (
    CallResult,
    FailureSeen,
    GreetingResult,
    OwnLateness,
    SinceDue,
    TurnResult,
    WaitResult,
)
from harness.record.unfit import Doubt, Unfit
from harness.timeline.events import (
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    CallStarted,
    Cut,
    Event,
    Failed,
    GreetingAwaited,
    GreetingEnded,
    RoomConnected,
    RoomConnecting,
    SessionCreated,
    SessionRequested,
)
from harness.timeline.spans import CallSpans, TurnSpan, WaitSpan, gather

# Failures that a late harness can cause: the agent misses speech with gaps, and a full receive queue hears nothing.
HEARD_AS_SILENCE: tuple[FailureKind, ...] = ("agent.no_reply", "agent.no_greeting")
SHORTEST_REPLY_NS = 300 * NS_PER_MS
DIED_AWAY_NS = 20 * NS_PER_MS  # a voice that ended at least this long before its agent left was not cut off
NOT_HELD = "the harness was late itself here, so this is not held against the agent"
MAY_HAVE_GONE_ON = (
    "it spoke while the caller did, soon after its last reply, and wrote nothing before or with it: whether that reply "
    "went on or it interrupted cannot be told"
)
GOES_ON_ADVICE = "the reply went on while the caller already spoke: raise timeouts.end_silence"


def measure_call(events: Sequence[Event], *, tags: Sequence[str] = ()) -> CallResult:
    """Measures a call; expectations are judged afterwards (`judge.expectations`).

    Raises:
        ValueError: The timeline has no `call.started`.
    """
    spans = gather(events)
    start = spans.one(CallStarted)
    if start is None:
        raise ValueError("the timeline has no call.started")
    created = spans.one(SessionCreated)
    connected_ns = spans.at(RoomConnected)
    zero_ns = start.t_ns if connected_ns is None else connected_ns
    faults = self_faults(events)
    measured = _Measured(spans, zero_ns, faults)
    greeting, turns = measured.greeting(), measured.turns()
    failures = measured.failures(greeting, turns)
    cut = Cut in spans.first
    ended_by = next((failure.kind for failure in failures if failure.ended), None)
    failure = ended_by or (failures[0].kind if failures else None)
    return CallResult(
        call=start.call,
        scenario=start.scenario,
        tags=list(tags),
        target=start.target,
        agent=start.agent,
        room=None if created is None else created.room,
        started=start.utc,
        engine=start.engine,
        warm_up=start.warm_up,
        canary=start.canary,
        start_late_ms=_span_ms(start.due, start.t_ns),
        held_back_ms=_held_back_ms(spans),
        since_due=_since_due(spans, start.due),
        duration_ms=_span_ms(start.t_ns, spans.last_ns) or 0.0,
        ok=None if cut else failure is None,
        failure=failure,
        failures=failures,
        cut=cut,
        session_create_ms=_span_ms(spans.at(SessionRequested), spans.at(SessionCreated)),
        session_retries=0 if created is None else created.retries,
        room_connect_ms=_span_ms(spans.at(RoomConnecting), spans.at(RoomConnected)),
        agent_join_ms=_span_ms(spans.at(RoomConnecting), spans.agent_joined_ns),
        agents=len(spans.agents),
        tracks=tracks_heard(spans, measured.position),
        handovers=handovers(spans, measured.position),
        other_texts=spans.other_texts,
        junk_frames=spans.junk,
        stray_texts=measured.texts.stray,
        altered_echoes=measured.texts.altered_echoes,
        stray_speech=measured.stray_speech(),
        greeting=greeting,
        turns=turns,
        waits=[measured.wait(wait) for wait in spans.waits],
        caller_voice=measured.caller_voice(),
        agent_voice=measured.agent_voice(),
        media=media_health(spans.media, spans.voice_ends),
        own=OwnLateness(
            lag_ms=[event.lag_ms for event in spans.seconds],
            send_late_ms=[event.send_late_ms for event in spans.seconds],
        ),
        notes=[f"the harness found itself wrong: {fault}" for fault in faults]
        + call_notes(spans, stray=measured.texts.stray, altered_echoes=measured.texts.altered_echoes),
        self_faults=[fault.seen for fault in faults],
    )


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _span_ms(start_ns: int | None, end_ns: int | None) -> float | None:
    if start_ns is None or end_ns is None:
        return None
    return round((end_ns - start_ns) / NS_PER_MS, 1)


def _held_back_ms(spans: CallSpans) -> float:
    """How long the harness delayed the call's session request and join request."""
    held = (spans.one(SessionRequested), spans.one(RoomConnecting))
    return round(sum(event.held_back_ms for event in held if event is not None), 1)


def _since_due(spans: CallSpans, due_ns: int | None) -> SinceDue | None:
    if due_ns is None:
        return None
    return SinceDue(
        session_asked_ms=_span_ms(due_ns, spans.at(SessionRequested)),
        session_answered_ms=_span_ms(due_ns, spans.at(SessionCreated)),
        join_asked_ms=_span_ms(due_ns, spans.at(RoomConnecting)),
        agent_there_ms=_span_ms(due_ns, spans.at(AgentJoined)),
    )


def _ms(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else round(duration_ns / NS_PER_MS, 1)


class _Measured:
    """Computes the parts of one call's result."""

    def __init__(self, spans: CallSpans, zero_ns: int, faults: Sequence[SelfFault]) -> None:
        self.spans = spans
        self.zero_ns = zero_ns
        self.texts: AssignedTexts = assign_texts(spans.turns, spans.texts, spans.spaces)
        self.heard_anything = bool(spans.voices)
        self.fitness = Fitness(spans, faults)
        self.owed = OwedAnswers(spans, self.texts)
        self.replies_ns = new_replies_ns(spans.texts)
        self.transcripts_ns = [event.t_ns for event in spans.texts if event.role == "transcript"]
        self.lost = any(event.kind in ("agent.left", "room.lost") and event.ended for event in spans.failures)

    def position(self, t_ns: int | None) -> float | None:
        return _span_ms(self.zero_ns, t_ns)

    def failures(self, greeting: GreetingResult | None, turns: Sequence[TurnResult]) -> list[FailureSeen]:
        late: set[int | None] = {turn.turn for turn in turns if not turn.fit}
        doubtful = {turn.turn: turn.doubtful[0] for turn in turns if turn.doubtful and turn.ours}
        if greeting is not None and not greeting.fit:
            late.add(None)
        seen = [
            FailureSeen(
                kind=cast(FailureKind, event.kind),
                what=event.what,
                hint=event.hint,
                at_ms=self.position(event.t_ns),
                turn=event.turn or self._turn_ended_by(event),
                ended=event.ended,
            )
            for event in self.spans.failures
            if event.kind in get_args(FailureKind)
        ]
        for failure in seen:
            if failure.kind in HEARD_AS_SILENCE and failure.turn in late:
                failure.fit, failure.what, failure.hint = False, f"{failure.what}; {NOT_HELD}", HINT_IF_LATE
            elif failure.kind in HEARD_AS_SILENCE and failure.turn in doubtful:
                failure.fit, failure.what = False, f"{failure.what}; {doubtful[failure.turn]}"
        if self._was_mute(seen):
            # One failure for a mute call, ahead of one per silent turn.
            what = "not one voiced moment of the agent in the whole call"
            fit = any(failure.fit for failure in seen)
            mute = FailureSeen(
                kind="agent.no_audio",
                what=what if fit else f"{what}; {NOT_HELD}",
                hint=HINTS["agent.no_audio"] if fit else HINT_IF_LATE,
                ended=any(failure.ended for failure in seen),
                fit=fit,
            )
            return [mute, *seen]
        return seen

    def _turn_ended_by(self, failure: Failed) -> int | None:
        """The turn that was in progress when a failure ended the script."""
        if not failure.ended:
            return None
        ends = ("failed", "no_reply") if failure.kind == "agent.no_reply" else ("failed",)
        failed = [turn.turn for turn in self.spans.turns if turn.why in ends]
        return failed[-1] if failed else None

    def _was_mute(self, seen: Sequence[FailureSeen]) -> bool:
        return (
            AgentJoined in self.spans.first
            and not self.heard_anything
            and any(failure.kind in HEARD_AS_SILENCE for failure in seen)
            and all(failure.kind in HEARD_AS_SILENCE for failure in seen)
        )

    def greeting(self) -> GreetingResult | None:
        if GreetingAwaited not in self.spans.first:
            return None
        end_ns = _first(self.spans.at(GreetingEnded), self.spans.last_ns)
        spoken = self.spans.voices[: count_before(self.spans.voices, end_ns)]
        onset_ns = spoken[0].onset_ns if spoken else None
        awaited_ns = _first(self.spans.at(GreetingAwaited))
        # Nothing after its onset is measured.
        until_ns = end_ns if onset_ns is None else max(onset_ns, awaited_ns)
        why = self._unfit(awaited_ns, until_ns, onset_ns)
        return GreetingResult(
            fit=not why,
            unfit_why=why,
            ttfa_ms=_span_ms(self.spans.at(RoomConnecting), onset_ns),
            onset_ms=self.position(onset_ns),
            end_ms=self.position(spoken[-1].end_ns) if spoken else None,
            reply=self.texts.greeting.reply,
        )

    def turns(self) -> list[TurnResult]:
        return [self._turn(turn, texts) for turn, texts in zip(self.spans.turns, self.texts.turns, strict=True)]

    def _turn(self, turn: TurnSpan, texts: TurnTexts) -> TurnResult:
        # A call that took too long ends its turn like a cut, but with a failure that counts.
        cut = Cut in self.spans.first and (turn.why == "cut" or turn.ended_ns is None)
        end_ns = turn.ended_ns or self.spans.last_ns
        result = TurnResult.model_validate(
            {
                "turn": turn.turn,
                "kind": turn.kind,
                "text": turn.text or "",
                "fixture": turn.fixture,
                "language": turn.language,
                "started_ms": self.position(turn.started_ns),
                "ended_ms": self.position(turn.ended_ns),
                "caller_start_ms": self.position(turn.caller_start_ns),
                "caller_end_ms": self.position(turn.caller_end_ns),
                "reply": texts.reply,
                "transcript": texts.transcript,
                "cut": cut,
            }
        )
        if turn.caller_end_ns is None or turn.caller_start_ns is None or self._lost_within(turn):
            return result
        reply, stop = self._reply(turn, result)
        stop_ns = None if stop is None else stop.at_ns
        in_time = reply.onset_ns is not None and reply.onset_ns <= end_ns and turn.why != "no_reply"
        onset_ns = reply.onset_ns if in_time else None
        ear_ns = self.spans.ears.get(onset_ns) if onset_ns is not None else None
        result.interrupted = reply.interrupted and turn.echo_heard is None
        result.own_voice_db = turn.echo_heard.gain_db if turn.echo_heard else None
        result.backchannels = reply.backchannels
        result.agent_onset_ms = self.position(onset_ns)
        result.agent_stop_ms = self.position(stop_ns)
        result.ttfa_ms = _span_ms(turn.caller_end_ns, onset_ns)
        if cut and onset_ns is None and not reply.interrupted:
            cut_ns = _first(self.spans.at(Cut), end_ns)
            result.awaited_ms = _span_ms(turn.caller_end_ns, cut_ns) if cut_ns > turn.caller_end_ns else None
        result.first_sound_ms = _span_ms(turn.caller_end_ns, self._first_sound_ns(turn, onset_ns, end_ns))
        result.ends_call_ms = self._ends_call_ms(end_ns)
        result.ttfa_ear_ms = _span_ms(turn.said_end_ns or turn.caller_end_ns, ear_ns)
        result.stop_ms = _span_ms(turn.caller_start_ns, stop_ns)
        self._judge_taking(result, turn, end_ns)
        result.reply_text_ms = _span_ms(turn.caller_end_ns, texts.first_reply_ns)
        result.advice = GOES_ON_ADVICE if reply.went_on and turn.kind == "say" else None
        if turn.kind == "type":
            result.echo_ms = _span_ms(turn.caller_end_ns, texts.echo_ns)
        else:
            transcript_ms = _span_ms(turn.caller_end_ns, texts.transcript_ns)
            # A transcript from before the caller's end is partial: its words count, its time does not.
            result.transcript_ms = transcript_ms if transcript_ms is not None and transcript_ms >= 0 else None
            self._judge_words(result)
        result.doubtful = [
            *self._doubts(turn, onset_ns),
            *doubts_of_edges(self.spans, onset_ns, stop),
        ]
        if reply.unsure and turn.echo_heard is None:
            result.doubtful.append(Doubt(kind="went_on", detail=MAY_HAVE_GONE_ON))
        result.unfit_why = self._unfit(turn.started_ns, end_ns, onset_ns)
        result.fit = not result.unfit_why
        result.ran_out = None if result.fit else self.fitness.what_ran_out(turn.started_ns, end_ns)
        return result

    def _unfit(self, start_ns: int, end_ns: int, onset_ns: int | None) -> list[Unfit]:
        """Why the harness was not fit between two times."""
        reasons = self.fitness.unfit_reasons(start_ns, end_ns, onset_ns)
        for gap in self.spans.gaps:
            if gap.touches(start_ns, end_ns):
                back_ns = gap.until_ns or self.spans.last_ns
                reasons.append(Unfit(kind="line_away", figure=(back_ns - gap.from_ns) / NS_PER_MS))
        return reasons

    def _doubts(self, turn: TurnSpan, onset_ns: int | None) -> list[Doubt]:
        """Why it is uncertain whose voice was measured, or whether it answers this turn."""
        wrong_voices = [
            Doubt(kind="wrong_voice", detail=f"{wrong} was taken for the agent until {agent.identity} came")
            for wrong, agent in mistaken(self.spans)
            if agent.t_ns > turn.started_ns
        ]
        late = self.owed.doubt(turn.turn - 1, onset_ns)
        missed = self._doubt_of_sounds(turn) if onset_ns is None else None
        return [*wrong_voices, *(doubt for doubt in (late, missed) if doubt is not None)]

    def _doubt_of_sounds(self, turn: TurnSpan) -> Doubt | None:
        """The doubt if the agent wrote a reply, but everything heard of it was classified as sound, not voice."""
        if not self.texts.turns[turn.turn - 1].reply or turn.caller_end_ns is None:
            return None
        end_ns = turn.ended_ns or self.spans.last_ns
        within = (sound for _, sound in self.spans.sounds if turn.caller_end_ns <= sound.onset_ns < end_ns)
        longest_ns = max(((sound.end_ns or end_ns) - sound.onset_ns for sound in within), default=0)
        if longest_ns < SHORTEST_REPLY_NS:
            return None
        what = f"it wrote a reply, and {longest_ns / NS_PER_S:.1f} s of what came with it was taken for a sound"
        return Doubt(kind="sound", detail=f"{what}: it may have been its voice")

    def _first_sound_ns(self, turn: TurnSpan, onset_ns: int | None, end_ns: int) -> int | None:
        """When a person first heard anything of the agent after the caller's end, voice or background."""
        from_ns = _first(turn.caller_end_ns)
        beside = setting_in(self.spans.background, from_ns, end_ns + 1)
        first = [self.spans.background[index].onset_ns for index in beside[:1]]
        return min([*first, *([onset_ns] if onset_ns is not None else [])], default=None)

    def _ends_call_ms(self, turn_end_ns: int) -> float | None:
        """How long after its last voice the agent ended the call, if it did so within the turn."""
        hung_up_ns = self.spans.at(AgentHungUp)
        if hung_up_ns is None or hung_up_ns > turn_end_ns or not self.spans.voices:
            return None
        return _span_ms(self.spans.voices[-1].end_ns, hung_up_ns)

    def _lost_within(self, turn: TurnSpan) -> bool:
        """Whether the agent or the room was lost in this turn before the reply ended; the turn then has no times."""
        lost = [
            failure
            for failure in self.spans.failures
            if failure.kind in ("agent.left", "agent.gone_silent", "room.lost") and failure.ended
        ]
        if turn.why != "failed" or not lost:
            return False
        left_ns = self.spans.at(AgentLeft) or lost[0].t_ns
        heard = [voice for voice in self.spans.voices if voice.onset_ns >= (turn.caller_end_ns or left_ns)]
        ended_ns = heard[-1].end_ns if heard else None
        return lost[0].kind == "room.lost" or ended_ns is None or left_ns - ended_ns < DIED_AWAY_NS

    def _reply(self, turn: TurnSpan, result: TurnResult) -> tuple[ReplyStart, Stop | None]:
        """Where the reply begins and, for a barge-in, when the agent stopped."""
        voices = self._voices(turn)
        start_ns, end_ns = _first(turn.caller_start_ns), _first(turn.caller_end_ns)
        if turn.kind == "type":
            return reply_to_text(voices, start_ns), None
        if turn.kind == "barge_in":
            result.exercised = turn.barged_onset_ns is not None and speaks_at(voices, start_ns)
            if result.exercised:
                stop = find_stop(
                    voices,
                    start_ns,
                    end_ns,
                    turn_end_ns=turn.ended_ns or self.spans.last_ns,
                    known_until_ns=self.spans.last_ns,
                    replies_ns=self.replies_ns,
                    transcripts_ns=self.transcripts_ns,
                )
                if stop is None:
                    return ReplyStart(), None
                return reply_to_barge_in(voices, stop.at_ns, end_ns, replies_ns=self.replies_ns), stop
        return reply_to_speech(voices, start_ns, end_ns, replies_ns=self.replies_ns), None

    def _voices(self, turn: TurnSpan) -> Sequence[Voice]:
        """The agent's voices as they count in a turn: without the caller's echo, if there was one."""
        start_ns, end_ns = _first(turn.caller_start_ns), _first(turn.caller_end_ns)
        if turn.echo_heard is None:
            return self.spans.voices
        delay_ms = turn.echo_heard.delay_ms
        return without_echo(self.spans.voices, start_ns, end_ns, delay_ms, known_until_ns=self.spans.last_ns)

    def _judge_taking(self, result: TurnResult, turn: TurnSpan, turn_end_ns: int) -> None:
        voices, start_ns, end_ns = self._voices(turn), _first(turn.caller_start_ns), _first(turn.caller_end_ns)
        result.dead_air_ms = _ms(dead_air_ns(voices, end_ns, turn_end_ns))
        if turn.kind == "type":
            return
        if turn.echo_heard is not None:
            return  # an echo hides how much of the sound during the caller's speech was the agent's
        result.talk_over_ms = _ms(talk_over_ns(voices, start_ns, end_ns, known_until_ns=self.spans.last_ns))
        if turn.why == "no_reply_needed" and result.exercised:
            result.false_stop = stopped_falsely(result.agent_stop_ms, result.caller_end_ms)

    @staticmethod
    def _judge_words(result: TurnResult) -> None:
        if not result.transcript:
            return
        errors = word_error_rate(result.text, result.transcript, language=result.language)
        if errors is not None:
            result.wer = errors.rate
            result.wer_pair = (errors.reference, errors.hypothesis)

    def wait(self, wait: WaitSpan) -> WaitResult:
        end_ns = wait.ended_ns or self.spans.last_ns
        spoke = setting_in(self.spans.voices, wait.started_ns, end_ns + 1)
        if speaks_at(self.spans.voices, wait.started_ns):
            spoke_ns: int | None = wait.started_ns
        else:
            spoke_ns = self.spans.voices[spoke[0]].onset_ns if spoke else None
        return WaitResult(
            after_turn=wait.after_turn,
            started_ms=self.position(wait.started_ns),
            ended_ms=self.position(wait.ended_ns),
            agent_spoke_ms=_span_ms(wait.started_ns, spoke_ns),
            fit=not self._unfit(wait.started_ns, end_ns, spoke_ns),
        )

    def stray_speech(self) -> int:
        """How many times the agent spoke during waits."""
        return sum(
            len(setting_in(self.spans.voices, wait.started_ns, (wait.ended_ns or self.spans.last_ns) + 1))
            for wait in self.spans.waits
        )

    def caller_voice(self) -> list[tuple[float, float]]:
        return [
            (self.position(turn.caller_start_ns) or 0.0, self.position(turn.caller_end_ns) or 0.0)
            for turn in self.spans.turns
            if turn.kind != "type" and turn.caller_start_ns is not None
        ]

    def agent_voice(self) -> list[tuple[float, float]]:
        return [
            (self.position(voice.onset_ns) or 0.0, self.position(voice.end_ns or self.spans.last_ns) or 0.0)
            for voice in self.spans.voices
        ]
