"""A call as spans: what it went through and when, without a word of what was said. Pure; `otlp.py` sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.clock import NS_PER_MS
from harness.record.result import CallResult, ToolCallSeen, TurnResult
from harness.telemetry.span_kinds import CALL, CALL_MS, TURN_VALUES
from harness.text.plain_text import one_line
from harness.timeline.events import (
    AgentHungUp,
    AgentLeft,
    CallEnded,
    CallStarted,
    Cut,
    Event,
    GreetingAwaited,
    GreetingEnded,
    HungUp,
    RoomConnected,
)
from harness.timeline.spans import CallSpans, TurnSpan, gather

Value = str | bool | int | float | Sequence[str]
_NAME_CHARS = 100


@dataclass(frozen=True)
class Moment:
    """An event of a span, at a time in ns since 1970 (UTC)."""

    name: str
    at_ns: int
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """A span of a call; times in ns since 1970 (UTC).

    Attributes:
        key: What it is called within its call; each is there once.
        parent: The key of the span that it is inside of; None for the call itself.
        failed: Why it failed; None if it did not.
    """

    name: str
    key: str
    start_ns: int
    end_ns: int
    parent: str | None = CALL
    attributes: Mapping[str, Value] = field(default_factory=dict)
    moments: Sequence[Moment] = ()
    failed: str | None = None


def spans_of(result: CallResult, events: Sequence[Event], run: str) -> list[Span]:
    """Returns a call's spans, the call itself first.

    Args:
        result: The call's numbers.
        events: Its timeline; without one there is the span of the call alone.
        run: The name of its run.
    """
    return list(_Call(result, events, run).spans())


class _Call:
    """One call; turns the times of its timeline into UTC by the time of day at which it started."""

    def __init__(self, result: CallResult, events: Sequence[Event], run: str) -> None:
        self._result = result
        self._run = run
        self._timeline: CallSpans = gather(events)
        first = self._timeline.one(CallStarted)
        started_ns = _utc_ns(first.utc if first is not None and first.utc else result.started)
        self._start_ns = first.t_ns if first is not None else min((event.t_ns for event in events), default=0)
        self._to_utc_ns = started_ns - self._start_ns
        connected_ns = self._timeline.at(RoomConnected)
        self._zero_ns = self._start_ns if connected_ns is None else connected_ns  # of positions in the result

    def spans(self) -> Iterator[Span]:
        yield self._call()
        yield from self._setting_up()
        yield from self._greeting()
        results = {turn.turn: turn for turn in self._result.turns}
        for span in self._timeline.turns:
            yield from self._turn(span, results.get(span.turn))
        for number, wait in enumerate(self._timeline.waits, 1):
            end_ns = self._until(wait.ended_ns)
            attributes = {"voice.step": wait.step}
            yield Span("voice.wait", f"wait {number}", self._utc(wait.started_ns), end_ns, attributes=attributes)

    def _call(self) -> Span:
        result, at = self._result, self._timeline.at
        start_ns = self._utc(self._start_ns)
        ended_ns = at(CallEnded)
        end_ns = self._until(ended_ns) if self._timeline.last_ns else start_ns + round(result.duration_ms * NS_PER_MS)
        marks = (
            ("voice.agent_left", AgentLeft),
            ("voice.agent_hung_up", AgentHungUp),
            ("voice.cut", Cut),
            ("voice.hung_up", HungUp),
        )
        moments = [Moment(name, self._utc(t_ns)) for name, kind in marks if (t_ns := at(kind)) is not None]
        attributes = {
            "voice.run": self._run,
            "voice.call": result.call,
            "voice.scenario": result.scenario,
            "voice.agent": result.agent,
            "voice.target": result.target,
            "voice.engine": result.engine,
            "voice.host": result.host,
            "voice.ok": result.ok,
            "voice.cut": result.cut,
            "voice.failure": result.failure,
            "voice.fit": result.is_sure,
            "voice.retry_of": result.retry_of,
            "voice.warm_up": result.warm_up,
            "voice.canary": result.canary,
            "voice.side": result.side,
            "voice.turns": len(result.turns),
            **_values(result, CALL_MS),
        }
        failed = None if result.ok is not False else result.failure or "expectations failed"
        return Span(CALL, CALL, start_ns, end_ns, None, _filled(attributes), [*moments, *self._failures(None)], failed)

    def _setting_up(self) -> Iterator[Span]:
        for stage, span in self._timeline.set_up.items():
            name = f"voice.{stage}"
            failed = None if span.ended_ns is not None else self._result.failure
            yield Span(name, name, self._utc(span.started_ns), self._until(span.ended_ns), failed=failed)

    def _greeting(self) -> Iterator[Span]:
        start_ns, greeting, key = self._timeline.at(GreetingAwaited), self._result.greeting, "voice.greeting"
        if start_ns is None or greeting is None:
            return
        moments = self._moments(("voice.agent_onset", greeting.onset_ms))
        attributes = {"voice.fit": greeting.fit, **(_values(greeting, ("ttfa_ms",)) if greeting.fit else {})}
        failed = next((f"{each.expect} failed" for each in greeting.expectations if each.outcome == "failed"), None)
        end_ns = self._until(self._timeline.at(GreetingEnded))
        yield Span(key, key, self._utc(start_ns), end_ns, attributes=attributes, moments=moments, failed=failed)
        yield from self._tools(key, greeting.tool_calls)

    def _turn(self, span: TurnSpan, result: TurnResult | None) -> Iterator[Span]:
        key = f"turn {span.turn}"
        attributes: dict[str, Any] = {
            "voice.turn": span.turn,
            "voice.step": span.step,
            "voice.kind": span.kind,
            "voice.language": span.language,
            "voice.ended_by": span.why,
        }
        moments: list[Moment] = []
        failed: list[str] = []
        if result is not None:
            failed = [each.expect for each in result.expectations if each.outcome == "failed"]
            attributes |= {"voice.fit": result.fit, "voice.doubtful": bool(result.doubtful)}
            attributes |= {"voice.failed_expectations": failed} if failed else {}
            attributes |= _values(result, TURN_VALUES) if result.sure else {}
            moments = self._moments(
                ("voice.caller_start", result.caller_start_ms),
                ("voice.caller_end", result.caller_end_ms),
                ("voice.agent_onset", result.agent_onset_ms),
            )
        failures = self._failures(span.turn)
        why = next((str(each.attributes["voice.kind"]) for each in failures), None)
        yield Span(
            "voice.turn",
            key,
            self._utc(span.started_ns),
            self._until(span.ended_ns),
            attributes=_filled(attributes),
            moments=[*moments, *failures],
            failed=why or (f"{', '.join(failed)} failed" if failed else None),
        )
        if result is not None:
            yield from self._tools(key, result.tool_calls)

    def _tools(self, key: str, calls: Sequence[ToolCallSeen]) -> Iterator[Span]:
        """As the agent reports them: a frame comes when the call is done, and says how long it took."""
        for number, call in enumerate(calls, 1):
            if call.at_ms is None:
                continue
            end_ns = self._position(call.at_ms)
            attributes = {"voice.tool": one_line(call.name)[:_NAME_CHARS], "voice.ok": call.ok, "voice.ms": call.ms}
            yield Span(
                "voice.tool_call",
                f"{key} tool {number}",
                end_ns - round((call.ms or 0.0) * NS_PER_MS),
                end_ns,
                key,
                _filled(attributes),
                failed=None if call.ok else "the tool failed",
            )

    def _failures(self, turn: int | None) -> list[Moment]:
        return [
            Moment("voice.failure", self._failed_at(seen.at_ms), {"voice.kind": seen.kind})
            for seen in self._result.failures
            if seen.turn == turn
        ]

    def _failed_at(self, at_ms: float | None) -> int:
        return self._until(None) if at_ms is None else self._position(at_ms)

    def _moments(self, *named: tuple[str, float | None]) -> list[Moment]:
        return [Moment(name, self._position(at_ms)) for name, at_ms in named if at_ms is not None]

    def _position(self, at_ms: float) -> int:
        return self._utc(self._zero_ns + round(at_ms * NS_PER_MS))

    def _until(self, t_ns: int | None) -> int:
        """What did not end, ended with the call."""
        return self._utc(max(self._timeline.last_ns, self._start_ns) if t_ns is None else t_ns)

    def _utc(self, t_ns: int) -> int:
        return t_ns + self._to_utc_ns


def _utc_ns(text: str) -> int:
    """The time of day in ns since 1970; exact to the millisecond, as timelines have it."""
    return round(datetime.fromisoformat(text).timestamp() * 1000) * NS_PER_MS


def _values(source: object, names: Sequence[str]) -> dict[str, Any]:
    return _filled({f"voice.{name}": getattr(source, name) for name in names})


def _filled(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Those that have a value; the role of an ordinary call (false, `run`) is included."""
    return {name: value for name, value in attributes.items() if value is not None and value != ""}
