"""Measures the turns of a call: when the reply began, when the agent stopped, what was said, and what is doubtful."""

from __future__ import annotations

from collections.abc import Sequence

from harness.clock import NS_PER_MS, NS_PER_S
from harness.hearing.echo import without_echo
from harness.hearing.voice import (
    ReplyStart,
    Voice,
    reply_to_barge_in,
    reply_to_speech,
    reply_to_text,
    setting_in,
    speaks_at,
)
from harness.measure.doubtful_edges import doubts_of_edges
from harness.measure.fitness import Fitness
from harness.measure.new_replies import new_replies_ns
from harness.measure.stopping import Stop, find_stop
from harness.measure.texts import AssignedTexts, TurnTexts
from harness.measure.times import Position, duration_ms, first_known, span_ms
from harness.measure.turn_taking import dead_air_ns, stopped_falsely, talk_over_ns
from harness.measure.wer import word_error_rate
from harness.measure.who_was_there import mistaken
from harness.measure.whose_answer import OwedAnswers
from harness.record.result import TurnResult
from harness.record.unfit import Doubt
from harness.timeline.events import AgentHungUp, AgentLeft, Cut
from harness.timeline.spans import CallSpans, TurnSpan

SHORTEST_REPLY_NS = 300 * NS_PER_MS
DIED_AWAY_NS = 20 * NS_PER_MS  # a voice that ended at least this long before its agent left was not cut off
MAY_HAVE_GONE_ON = (
    "it spoke while the caller did, soon after its last reply, and wrote nothing before or with it: whether that reply "
    "went on or it interrupted cannot be told"
)
GOES_ON_ADVICE = "the reply went on while the caller already spoke: raise timeouts.end_silence"


class Turns:
    """Measures each turn of a call; `texts` are assigned to the turns, `position` gives a time's place in the call."""

    def __init__(self, spans: CallSpans, texts: AssignedTexts, fitness: Fitness, position: Position) -> None:
        self._spans = spans
        self._texts = texts
        self._fitness = fitness
        self._position = position
        self._owed = OwedAnswers(spans, texts)
        self._replies_ns = new_replies_ns(spans.texts)
        self._transcripts_ns = [event.t_ns for event in spans.texts if event.role == "transcript"]

    def measured(self) -> list[TurnResult]:
        """The result of each turn, in their order."""
        return [self._turn(turn, texts) for turn, texts in zip(self._spans.turns, self._texts.turns, strict=True)]

    def _turn(self, turn: TurnSpan, texts: TurnTexts) -> TurnResult:
        # A call that took too long ends its turn like a cut, but with a failure that counts.
        cut = Cut in self._spans.first and (turn.why == "cut" or turn.ended_ns is None)
        end_ns = turn.ended_ns or self._spans.last_ns
        result = TurnResult.model_validate(
            {
                "turn": turn.turn,
                "step": turn.step,
                "kind": turn.kind,
                "text": turn.text or "",
                "fixture": turn.fixture,
                "language": turn.language,
                "started_ms": self._position(turn.started_ns),
                "ended_ms": self._position(turn.ended_ns),
                "caller_start_ms": self._position(turn.caller_start_ns),
                "caller_end_ms": self._position(turn.caller_end_ns),
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
        ear_ns = self._spans.ears.get(onset_ns) if onset_ns is not None else None
        result.interrupted = reply.interrupted and turn.echo_heard is None
        result.own_voice_db = turn.echo_heard.gain_db if turn.echo_heard else None
        result.backchannels = reply.backchannels
        result.agent_onset_ms = self._position(onset_ns)
        result.agent_stop_ms = self._position(stop_ns)
        result.ttfa_ms = span_ms(turn.caller_end_ns, onset_ns)
        if cut and onset_ns is None and not reply.interrupted:
            cut_ns = first_known(self._spans.at(Cut), end_ns)
            result.awaited_ms = span_ms(turn.caller_end_ns, cut_ns) if cut_ns > turn.caller_end_ns else None
        result.first_sound_ms = span_ms(turn.caller_end_ns, self._first_sound_ns(turn, onset_ns, end_ns))
        result.ends_call_ms = self._ends_call_ms(end_ns)
        result.ttfa_ear_ms = span_ms(turn.said_end_ns or turn.caller_end_ns, ear_ns)
        result.stop_ms = span_ms(turn.caller_start_ns, stop_ns)
        self._judge_taking(result, turn, end_ns)
        result.reply_text_ms = span_ms(turn.caller_end_ns, texts.first_reply_ns)
        result.advice = GOES_ON_ADVICE if reply.went_on and turn.kind == "say" else None
        if turn.kind == "type":
            result.echo_ms = span_ms(turn.caller_end_ns, texts.echo_ns)
        else:
            transcript_ms = span_ms(turn.caller_end_ns, texts.transcript_ns)
            # A transcript from before the caller's end is partial: its words count, its time does not.
            result.transcript_ms = transcript_ms if transcript_ms is not None and transcript_ms >= 0 else None
            self._judge_words(result)
        result.doubtful = [
            *self._doubts(turn, onset_ns),
            *doubts_of_edges(self._spans, onset_ns, stop),
        ]
        if reply.unsure and turn.echo_heard is None:
            result.doubtful.append(Doubt(kind="went_on", detail=MAY_HAVE_GONE_ON))
        result.unfit_why = self._fitness.unfit_reasons(turn.started_ns, end_ns, onset_ns)
        if turn.why == "no_reply" and (starved := self._fitness.no_cpu_left(turn.started_ns, end_ns)) is not None:
            result.unfit_why.append(starved)
        result.fit = not result.unfit_why
        result.ran_out = None if result.fit else self._fitness.what_ran_out(turn.started_ns, end_ns)
        return result

    def _doubts(self, turn: TurnSpan, onset_ns: int | None) -> list[Doubt]:
        """Why it is uncertain whose voice was measured, or whether it answers this turn."""
        wrong_voices = [
            Doubt(kind="wrong_voice", detail=f"{wrong} was taken for the agent until {agent.identity} came")
            for wrong, agent in mistaken(self._spans)
            if agent.t_ns > turn.started_ns
        ]
        late = self._owed.doubt(turn.turn - 1, onset_ns)
        missed = self._doubt_of_sounds(turn) if onset_ns is None else None
        return [*wrong_voices, *(doubt for doubt in (late, missed) if doubt is not None)]

    def _doubt_of_sounds(self, turn: TurnSpan) -> Doubt | None:
        """The doubt if the agent wrote a reply, but everything heard of it was classified as sound, not voice."""
        if not self._texts.turns[turn.turn - 1].reply or turn.caller_end_ns is None:
            return None
        end_ns = turn.ended_ns or self._spans.last_ns
        within = (sound for _, sound in self._spans.sounds if turn.caller_end_ns <= sound.onset_ns < end_ns)
        longest_ns = max(((sound.end_ns or end_ns) - sound.onset_ns for sound in within), default=0)
        if longest_ns < SHORTEST_REPLY_NS:
            return None
        what = f"it wrote a reply, and {longest_ns / NS_PER_S:.1f} s of what came with it was taken for a sound"
        return Doubt(kind="sound", detail=f"{what}: it may have been its voice")

    def _first_sound_ns(self, turn: TurnSpan, onset_ns: int | None, end_ns: int) -> int | None:
        """When a person first heard anything of the agent after the caller's end, voice or background."""
        from_ns = first_known(turn.caller_end_ns)
        beside = setting_in(self._spans.background, from_ns, end_ns + 1)
        first = [self._spans.background[index].onset_ns for index in beside[:1]]
        return min([*first, *([onset_ns] if onset_ns is not None else [])], default=None)

    def _ends_call_ms(self, turn_end_ns: int) -> float | None:
        """How long after its last voice the agent ended the call, if it did so within the turn."""
        hung_up_ns = self._spans.at(AgentHungUp)
        if hung_up_ns is None or hung_up_ns > turn_end_ns or not self._spans.voices:
            return None
        return span_ms(self._spans.voices[-1].end_ns, hung_up_ns)

    def _lost_within(self, turn: TurnSpan) -> bool:
        """Whether the agent or the room was lost in this turn before the reply ended; the turn then has no times."""
        lost = [
            failure
            for failure in self._spans.failures
            if failure.kind in ("agent.left", "agent.gone_silent", "room.lost") and failure.ended
        ]
        if turn.why != "failed" or not lost:
            return False
        left_ns = self._spans.at(AgentLeft) or lost[0].t_ns
        heard = [voice for voice in self._spans.voices if voice.onset_ns >= (turn.caller_end_ns or left_ns)]
        ended_ns = heard[-1].end_ns if heard else None
        return lost[0].kind == "room.lost" or ended_ns is None or left_ns - ended_ns < DIED_AWAY_NS

    def _reply(self, turn: TurnSpan, result: TurnResult) -> tuple[ReplyStart, Stop | None]:
        """Where the reply begins and, for a barge-in, when the agent stopped."""
        voices = self._voices(turn)
        start_ns, end_ns = first_known(turn.caller_start_ns), first_known(turn.caller_end_ns)
        if turn.kind == "type":
            return reply_to_text(voices, start_ns), None
        if turn.kind == "barge_in":
            result.exercised = turn.barged_onset_ns is not None and speaks_at(voices, start_ns)
            if result.exercised:
                stop = find_stop(
                    voices,
                    start_ns,
                    end_ns,
                    turn_end_ns=turn.ended_ns or self._spans.last_ns,
                    known_until_ns=self._spans.last_ns,
                    replies_ns=self._replies_ns,
                    transcripts_ns=self._transcripts_ns,
                )
                if stop is None:
                    return ReplyStart(), None
                return reply_to_barge_in(voices, stop.at_ns, end_ns, replies_ns=self._replies_ns), stop
        return reply_to_speech(voices, start_ns, end_ns, replies_ns=self._replies_ns), None

    def _voices(self, turn: TurnSpan) -> Sequence[Voice]:
        """The agent's voices as they count in a turn: without the caller's echo, if there was one."""
        start_ns, end_ns = first_known(turn.caller_start_ns), first_known(turn.caller_end_ns)
        if turn.echo_heard is None:
            return self._spans.voices
        delay_ms = turn.echo_heard.delay_ms
        return without_echo(self._spans.voices, start_ns, end_ns, delay_ms, known_until_ns=self._spans.last_ns)

    def _judge_taking(self, result: TurnResult, turn: TurnSpan, turn_end_ns: int) -> None:
        voices, start_ns, end_ns = (
            self._voices(turn),
            first_known(turn.caller_start_ns),
            first_known(turn.caller_end_ns),
        )
        result.dead_air_ms = duration_ms(dead_air_ns(voices, end_ns, turn_end_ns))
        if turn.kind == "type":
            return
        if turn.echo_heard is not None:
            return  # an echo hides how much of the sound during the caller's speech was the agent's
        result.talk_over_ms = duration_ms(talk_over_ns(voices, start_ns, end_ns, known_until_ns=self._spans.last_ns))
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
