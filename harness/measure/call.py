"""Measures one call from its timeline: a pure function that gives the same numbers live and years later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from harness.hearing.voice import count_before, setting_in, speaks_at
from harness.measure.call_failures import failures_seen
from harness.measure.fitness import Fitness
from harness.measure.media_health import media_health
from harness.measure.notes import call_notes
from harness.measure.self_check import self_faults
from harness.measure.texts import AssignedTexts, assign_texts
from harness.measure.times import first_known, span_ms
from harness.measure.tool_calls import assign_tool_calls
from harness.measure.turns import Turns
from harness.measure.who_was_there import handovers, tracks_heard
from harness.record.result import (
    CallResult,
    GreetingResult,
    OwnLateness,
    SinceDue,
    ToolCallSeen,
    TurnResult,
    WaitResult,
)
from harness.record.role import role_of
from harness.timeline.events import (
    AgentJoined,
    CallStarted,
    Cut,
    Event,
    GreetingAwaited,
    GreetingEnded,
    RoomConnected,
    RoomConnecting,
    SessionCreated,
    SessionRequested,
)
from harness.timeline.spans import CallSpans, StageSpan, WaitSpan, gather


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
    texts = assign_texts(spans.turns, spans.texts, spans.spaces)
    measured = _Measured(spans, zero_ns, texts, Fitness(spans, faults))
    tools = assign_tool_calls(spans.turns, spans.tool_calls, measured.position)
    greeting, turns = measured.greeting(), measured.turns()
    stray_tools = _add_tool_calls(greeting, turns, before=tools.before, of_turns=tools.turns)
    failures = failures_seen(spans, greeting, turns, measured.position)
    cut, set_up = Cut in spans.first, spans.set_up
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
        **asdict(role_of(start)),
        start_late_ms=span_ms(start.due, start.t_ns),
        held_back_ms=_held_back_ms(spans),
        since_due=_since_due(spans, start.due),
        duration_ms=span_ms(start.t_ns, spans.last_ns) or 0.0,
        ok=None if cut else failure is None,
        failure=failure,
        failures=failures,
        cut=cut,
        session_create_ms=_took_ms(set_up.get("session")),
        session_retries=0 if created is None else created.retries,
        room_connect_ms=_took_ms(set_up.get("join")),
        agent_join_ms=_took_ms(set_up.get("agent_join")),
        agents=len(spans.agents),
        tracks=tracks_heard(spans, measured.position),
        handovers=handovers(spans, measured.position),
        other_texts=spans.other_texts,
        junk_frames=spans.junk,
        other_tool_frames=spans.other_tool_frames,
        junk_tool_frames=spans.tool_junk,
        stray_tool_calls=stray_tools,
        stray_texts=texts.stray,
        altered_echoes=texts.altered_echoes,
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
        + call_notes(spans, stray=texts.stray, altered_echoes=texts.altered_echoes, stray_tools=stray_tools),
        self_faults=[fault.seen for fault in faults],
    )


def _add_tool_calls(
    greeting: GreetingResult | None,
    turns: Sequence[TurnResult],
    *,
    before: list[ToolCallSeen],
    of_turns: Sequence[list[ToolCallSeen]],
) -> int:
    """Adds the tool calls to their turns and to the greeting; returns how many belong to none."""
    for turn, calls in zip(turns, of_turns, strict=True):
        turn.tool_calls = calls
    if greeting is None:
        return len(before)
    greeting.tool_calls = before
    return 0


def _took_ms(stage: StageSpan | None) -> float | None:
    """How long a stage of setting up took; None if it did not begin or end."""
    return None if stage is None else span_ms(stage.started_ns, stage.ended_ns)


def _held_back_ms(spans: CallSpans) -> float:
    """How long the harness delayed the call's session request and join request."""
    held = (spans.one(SessionRequested), spans.one(RoomConnecting))
    return round(sum(event.held_back_ms for event in held if event is not None), 1)


def _since_due(spans: CallSpans, due_ns: int | None) -> SinceDue | None:
    if due_ns is None:
        return None
    return SinceDue(
        session_asked_ms=span_ms(due_ns, spans.at(SessionRequested)),
        session_answered_ms=span_ms(due_ns, spans.at(SessionCreated)),
        join_asked_ms=span_ms(due_ns, spans.at(RoomConnecting)),
        agent_there_ms=span_ms(due_ns, spans.at(AgentJoined)),
    )


class _Measured:
    """Computes the parts of one call's result."""

    def __init__(self, spans: CallSpans, zero_ns: int, texts: AssignedTexts, fitness: Fitness) -> None:
        self.spans = spans
        self.zero_ns = zero_ns
        self.texts = texts
        self.fitness = fitness

    def position(self, t_ns: int | None) -> float | None:
        return span_ms(self.zero_ns, t_ns)

    def greeting(self) -> GreetingResult | None:
        if GreetingAwaited not in self.spans.first:
            return None
        end_ns = first_known(self.spans.at(GreetingEnded), self.spans.last_ns)
        spoken = self.spans.voices[: count_before(self.spans.voices, end_ns)]
        onset_ns = spoken[0].onset_ns if spoken else None
        awaited_ns = first_known(self.spans.at(GreetingAwaited))
        # Nothing after its onset is measured.
        until_ns = end_ns if onset_ns is None else max(onset_ns, awaited_ns)
        why = self.fitness.unfit_reasons(awaited_ns, until_ns, onset_ns)
        return GreetingResult(
            fit=not why,
            unfit_why=why,
            ttfa_ms=span_ms(self.spans.at(RoomConnecting), onset_ns),
            onset_ms=self.position(onset_ns),
            end_ms=self.position(spoken[-1].end_ns) if spoken else None,
            reply=self.texts.greeting.reply,
        )

    def turns(self) -> list[TurnResult]:
        return Turns(self.spans, self.texts, self.fitness, self.position).measured()

    def wait(self, wait: WaitSpan) -> WaitResult:
        end_ns = wait.ended_ns or self.spans.last_ns
        spoke = setting_in(self.spans.voices, wait.started_ns, end_ns + 1)
        if speaks_at(self.spans.voices, wait.started_ns):
            spoke_ns: int | None = wait.started_ns
        else:
            spoke_ns = self.spans.voices[spoke[0]].onset_ns if spoke else None
        return WaitResult(
            step=wait.step,
            after_turn=wait.after_turn,
            started_ms=self.position(wait.started_ns),
            ended_ms=self.position(wait.ended_ns),
            agent_spoke_ms=span_ms(wait.started_ns, spoke_ns),
            fit=not self.fitness.unfit_reasons(wait.started_ns, end_ns, spoke_ns),
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
