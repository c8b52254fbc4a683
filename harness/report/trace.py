"""Renders a call as a trace that Perfetto opens: its turns, voices, texts, tool calls, latencies, and our own lateness.

Times count from the start of the call. The position that `calls.jsonl` and the report have, which counts from when the
caller was connected, is `at_ms` in the arguments of each slice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.clock import NS_PER_MS
from harness.record.result import CallResult, TurnResult
from harness.report.hints import hint_of
from harness.report.trace_events import Slice, TraceBuilder
from harness.text.plain_text import clipped, one_line, printable
from harness.timeline.events import (
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    CallEnded,
    CallStarted,
    Cut,
    Event,
    GreetingAwaited,
    GreetingEnded,
    HungUp,
    MediaSecond,
    RoomConnected,
    SecondPassed,
)
from harness.timeline.spans import CallSpans, Stage, TurnSpan, gather

NAME_LIMIT = 80
TEXT_LIMIT = 4000
TRACKS = (
    "call",
    "turns",
    "caller",
    "agent",
    "agent: other sound",
    "TTFA",
    "transcript after",
    "echo after",
    "reply text after",
    "stopped after",
    "texts",
    "tool calls",
    "not measured",
    "harness",
)
_LATENCIES = (  # the track, the field of a turn, and the one that it counts from
    ("TTFA", "ttfa_ms", "caller_end_ms"),
    ("transcript after", "transcript_ms", "caller_end_ms"),
    ("echo after", "echo_ms", "caller_end_ms"),
    ("reply text after", "reply_text_ms", "caller_end_ms"),
    ("stopped after", "stop_ms", "caller_start_ms"),
)
_STAGES: dict[Stage, str] = {
    "session": "session",
    "join": "join the room",
    "agent_join": "until the agent is heard",
}
_VERBS = {"say": "says", "type": "types", "barge_in": "talks over"}


def render_trace(result: CallResult, events: Sequence[Event]) -> str:
    """Renders a call as JSON in ASCII.

    Args:
        result: The call's numbers.
        events: Its timeline. It may break off, and may lack a session, a room or media.

    Raises:
        ValueError: The timeline is empty.
    """
    if not events:
        raise ValueError("it has no events")
    trace = _Trace(result, events)
    document = {
        "traceEvents": trace.events(),
        "displayTimeUnit": "ms",
        "otherData": {
            "call": _text(result.call),
            "scenario": _text(result.scenario),
            "ok": result.ok,
            "failure": result.failure,
            "ended": CallEnded in trace.spans.first,
            "connected_after_ms": None if trace.connected_ns is None else trace.ms_since_start(trace.connected_ns),
        },
    }
    return json.dumps(document, allow_nan=False) + "\n"


class _Trace:
    def __init__(self, result: CallResult, events: Sequence[Event]) -> None:
        self.result = result
        self.spans: CallSpans = gather(events)
        start_ns = self.spans.at(CallStarted)
        self._start_ns = min(event.t_ns for event in events) if start_ns is None else start_ns
        self.connected_ns = self.spans.at(RoomConnected)
        self._zero_ns = self._start_ns if self.connected_ns is None else self.connected_ns
        self._end_ns = self.spans.last_ns
        self._built = TraceBuilder(self._start_ns, TRACKS)

    def events(self) -> list[dict[str, Any]]:
        self._call()
        turns = self._turns()
        voices = self._agent()
        self._latencies()
        self._arrows(turns, voices)
        self._texts()
        self._tools()
        self._not_measured()
        self._harness()
        name = f"call {self.result.call}" + ("" if CallEnded in self.spans.first else " (broken off)")
        return self._built.events(one_line(name))

    def ms_since_start(self, t_ns: int) -> float:
        return round((t_ns - self._start_ns) / NS_PER_MS, 3)

    def _span(self, track: str, name: str, start_ns: int, end_ns: int | None, **args: Any) -> Slice:
        args = {"at_ms": round((start_ns - self._zero_ns) / NS_PER_MS, 1), **_filled(args)}
        if end_ns is None:
            args["unfinished"] = True
        return self._built.span(track, _name(name), start_ns, self._end_ns if end_ns is None else end_ns, args)

    def _mark(self, track: str, name: str, t_ns: int, **args: Any) -> None:
        args = {"at_ms": round((t_ns - self._zero_ns) / NS_PER_MS, 1), **_filled(args)}
        self._built.mark(track, _name(name), t_ns, args)

    def _ns(self, position_ms: float) -> int:
        return self._zero_ns + round(position_ms * NS_PER_MS)

    def _call(self) -> None:
        at, result = self.spans.at, self.result
        told = {"scenario": result.scenario, "agent": result.agent, "target": result.target, "engine": result.engine}
        self._span("call", f"call {result.call}", self._start_ns, at(CallEnded), ok=result.ok, **told)
        for stage, span in self.spans.set_up.items():
            if stage != "agent_join" or span.ended_ns is not None:
                self._span("call", _STAGES[stage], span.started_ns, span.ended_ns)
        for kind, words in (
            (RoomConnected, "connected: 0 in the report"),
            (AgentJoined, "the agent's audio is there"),
            (AgentLeft, "the agent left"),
            (AgentHungUp, "the agent hung up, as expected"),
            (Cut, "cut short on request"),
            (HungUp, "the caller hung up"),
        ):
            if (t_ns := at(kind)) is not None:
                self._mark("call", words, t_ns)
        for handover in self.spans.handovers:
            self._mark("call", f"hand-over to {handover.to}", handover.t_ns, left=handover.identity)
        for seen in result.failures:
            t_ns = self._end_ns if seen.at_ms is None else self._ns(seen.at_ms)
            self._mark("call", f"{seen.kind}: {seen.what}", t_ns, hint=hint_of(seen), ended=seen.ended)

    def _turns(self) -> dict[int, Slice]:
        awaited_ns = self.spans.at(GreetingAwaited)
        if awaited_ns is not None:
            self._span("turns", "greeting", awaited_ns, self.spans.at(GreetingEnded))
        for wait in self.spans.waits:
            self._span("turns", "wait", wait.started_ns, wait.ended_ns)
        by_number = {turn.turn: turn for turn in self.result.turns}
        return {turn.turn: self._turn(turn, by_number.get(turn.turn)) for turn in self.spans.turns}

    def _turn(self, turn: TurnSpan, result: TurnResult | None) -> Slice:
        said = f"{_VERBS.get(turn.kind, turn.kind)}: {turn.text}"
        if turn.caller_start_ns is not None and turn.caller_end_ns is not None:
            if turn.kind == "type":
                self._mark("caller", said, turn.caller_start_ns, text=turn.text)
            else:
                self._span("caller", said, turn.caller_start_ns, turn.caller_end_ns, text=turn.text)
        failed = [
            f"{one.expect} {one.limit}" for one in (result.expectations if result else ()) if one.outcome == "failed"
        ]
        told = {"ended_by": turn.why, "failed": "; ".join(failed), "reply": result.reply if result else ""}
        return self._span("turns", f"turn {turn.turn} {said}", turn.started_ns, turn.ended_ns, **told)

    def _agent(self) -> list[Slice]:
        for sound in self.spans.background:
            self._span("agent: other sound", "sound", sound.onset_ns, sound.end_ns)
        return [self._span("agent", "speaks", voice.onset_ns, voice.end_ns) for voice in self.spans.voices]

    def _latencies(self) -> None:
        greeting = self.result.greeting
        if greeting is not None and greeting.ttfa_ms is not None and greeting.onset_ms is not None:
            onset_ns = self._ns(greeting.onset_ms)
            start_ns = onset_ns - round(greeting.ttfa_ms * NS_PER_MS)
            self._span("TTFA", f"greeting {greeting.ttfa_ms:.0f} ms", start_ns, onset_ns, ms=greeting.ttfa_ms)
        for turn in self.result.turns:
            for track, length, since in _LATENCIES:
                value, start = getattr(turn, length), getattr(turn, since)
                if value is not None and start is not None:
                    start_ns = self._ns(start)
                    name = f"turn {turn.turn} {value:.0f} ms"
                    self._span(track, name, start_ns, start_ns + round(value * NS_PER_MS), ms=value)

    def _arrows(self, turns: dict[int, Slice], voices: list[Slice]) -> None:
        """From the caller's end, in its turn, to the voice that answers."""
        for turn in self.result.turns:
            start, end_ms, onset_ms = turns.get(turn.turn), turn.caller_end_ms, turn.agent_onset_ms
            if start is None or end_ms is None or onset_ms is None or onset_ms < end_ms:
                continue
            # Positions are rounded to 0.1 ms.
            onset_ns = self._ns(onset_ms)
            answer = min(voices, key=lambda voice: abs(voice.start_ns - onset_ns), default=None)
            from_ns = min(max(self._ns(end_ms), start.start_ns), start.end_ns - 1000)
            if answer is not None and abs(answer.start_ns - onset_ns) <= NS_PER_MS and from_ns <= answer.start_ns:
                self._built.arrow("answer", start, from_ns, answer, answer.start_ns)

    def _texts(self) -> None:
        for text in self.spans.texts:
            self._mark(
                "texts", f"{text.role}: {text.text}", text.t_ns, text=text.text, type=text.type, final=text.final
            )

    def _tools(self) -> None:
        for call in self.spans.tool_calls:
            name = f"{call.name}" + ("" if call.ok else " FAILED")
            told = {"arguments": json.dumps(dict(call.arguments)), "result": json.dumps(call.result), "ok": call.ok}
            if call.ms is None:
                self._mark("tool calls", name, call.t_ns, **told)
            else:  # as the agent says; the frame came when it was done
                start_ns = call.t_ns - round(call.ms * NS_PER_MS)
                self._span("tool calls", name, start_ns, call.t_ns, **told)

    def _not_measured(self) -> None:
        spans = {turn.turn: turn for turn in self.spans.turns}
        for turn in self.result.turns:
            span = spans.get(turn.turn)
            if span is None:
                continue
            late = "; ".join(map(str, turn.unfit_why)) + (f"; what ran out: {turn.ran_out}" if turn.ran_out else "")
            doubts = "; ".join(map(str, turn.doubtful))
            if not turn.fit:
                self._span("not measured", f"turn {turn.turn} unfit: {late}", span.started_ns, span.ended_ns, why=late)
            if turn.doubtful:
                name = f"turn {turn.turn} doubtful: {doubts}"
                self._span("not measured", name, span.started_ns, span.ended_ns, why=doubts)
        for gap in self.spans.gaps:
            self._span("not measured", "our own connection was away", gap.from_ns, gap.until_ns)

    def _harness(self) -> None:
        for lag in self.spans.lags:
            start_ns = lag.t_ns - round(lag.late_ms * NS_PER_MS)
            self._span("harness", f"event loop late {lag.late_ms:.0f} ms", start_ns, lag.t_ns)
        for late in self.spans.late:
            self._mark("harness", f"a packet left {late.late_ms:.0f} ms late", late.t_ns)
        for second in self.spans.seconds:
            self._second(second)
        for media in self.spans.media:
            self._media(media)

    def _second(self, second: SecondPassed) -> None:
        self._built.counter("harness: lag (ms)", second.t_ns, {"lag": second.lag_ms, "send late": second.send_late_ms})
        self._built.counter("machine: CPU", second.t_ns, {"busy": second.busy, "steal": second.steal})

    def _media(self, media: MediaSecond) -> None:
        self._built.counter("agent: packets", media.t_ns, {"received": media.received, "lost": media.lost})
        delays = {"jitter": media.jitter_ms, "round trip": media.rtt_ms, "jitter buffer": media.jitter_buffer_ms}
        self._built.counter("agent: delays (ms)", media.t_ns, delays)


def _filled(args: dict[str, Any]) -> dict[str, Any]:
    """The arguments that have a value; texts printable and clipped."""
    told = {key: _text(value) if isinstance(value, str) else value for key, value in args.items()}
    return {key: value for key, value in told.items() if value is not None and value != ""}


def _name(text: str) -> str:
    return clipped(one_line(text), NAME_LIMIT)


def _text(text: str) -> str:
    return clipped(printable(text), TEXT_LIMIT)
