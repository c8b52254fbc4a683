"""A timeline's events, gathered by what they are about: the call's marks, its turns and waits, the agent's voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.measure.voice import Voice, end_voice

Event = dict[str, Any]


@dataclass
class TurnSpan:
    """What the timeline says of a turn; times in ns, None where it did not come to that."""

    turn: int
    step: int
    kind: str
    text: str
    fixture: str | None
    language: str
    started_ns: int
    ended_ns: int | None = None
    why: str | None = None
    caller_start_ns: int | None = None
    caller_end_ns: int | None = None
    said_end_ns: int | None = None
    barged_onset_ns: int | None = None
    own_voice: Event | None = None


@dataclass
class WaitSpan:
    """What the timeline says of a wait."""

    step: int
    after_turn: int
    started_ns: int
    ended_ns: int | None = None


@dataclass
class CallSpans:
    """A timeline, gathered. `first` holds the first event of each name."""

    first: dict[str, Event] = field(default_factory=dict)
    turns: list[TurnSpan] = field(default_factory=list)
    waits: list[WaitSpan] = field(default_factory=list)
    voices: list[Voice] = field(default_factory=list)
    ears: dict[int, int] = field(default_factory=dict)
    read_late_ms: dict[int, float] = field(default_factory=dict)
    texts: list[Event] = field(default_factory=list)
    junk: int = 0
    second_agents: int = 0
    failures: list[Event] = field(default_factory=list)
    seconds: list[Event] = field(default_factory=list)
    media: list[Event] = field(default_factory=list)
    voice_ends: list[Event] = field(default_factory=list)
    late: list[Event] = field(default_factory=list)
    lags: list[Event] = field(default_factory=list)
    overflows: list[int] = field(default_factory=list)
    last_ns: int = 0

    def at(self, name: str) -> int | None:
        """When the first event of that name happened."""
        event = self.first.get(name)
        return None if event is None else int(event["t"])


def _end_voice(spans: CallSpans, t_ns: int, event: Event) -> None:
    """The last voice has ended; its end may know better than its onset when it began, or that it was noise."""
    onset_ns = spans.voices[-1].onset_ns
    began_ns = event.get("began", onset_ns)
    end_voice(spans.voices, t_ns, began_ns)
    if began_ns is None:
        return
    spans.read_late_ms[began_ns] = spans.read_late_ms[onset_ns]
    if onset_ns in spans.ears:
        spans.ears[began_ns] = spans.ears[onset_ns] + began_ns - onset_ns
    spans.voice_ends.append(event)


def gather(events: Sequence[Event]) -> CallSpans:
    """The spans of one call's events, which are in the order in which they became known."""
    spans = CallSpans()
    turns: dict[int, TurnSpan] = {}
    for event in events:
        name, t_ns = event["event"], int(event["t"])
        spans.first.setdefault(name, event)
        spans.last_ns = max(spans.last_ns, t_ns)
        match name:
            case "turn.started":
                turns[event["turn"]] = TurnSpan(
                    event["turn"],
                    event["step"],
                    event["kind"],
                    event["text"],
                    event["fixture"],
                    event["language"],
                    t_ns,
                )
            case "caller.spoke":
                turns[event["turn"]].caller_start_ns = event["voiced_start"]
                turns[event["turn"]].caller_end_ns = event["voiced_end"]
                turns[event["turn"]].said_end_ns = event.get("said_end", event["voiced_end"])
            case "caller.typed":
                turns[event["turn"]].caller_start_ns = turns[event["turn"]].caller_end_ns = t_ns
            case "barge_in":
                turns[event["turn"]].barged_onset_ns = event["onset"]
            case "own_voice":
                turns[event["turn"]].own_voice = event
            case "turn.ended":
                turns[event["turn"]].ended_ns = t_ns
                turns[event["turn"]].why = event["why"]
            case "wait.started":
                spans.waits.append(WaitSpan(event["step"], event["after_turn"], t_ns))
            case "wait.ended":
                spans.waits[-1].ended_ns = t_ns
            case "agent.onset":
                spans.voices.append(Voice(t_ns))
                spans.read_late_ms[t_ns] = event.get("read_late_ms", 0.0)
                if event["ear"] is not None:
                    spans.ears[t_ns] = event["ear"]
            case "agent.end":
                _end_voice(spans, t_ns, event)
            case "text":
                spans.texts.append(event)
            case "text.junk":
                spans.junk += 1
            case "agent.second":
                spans.second_agents += 1
            case "failure":
                spans.failures.append(event)
            case "second":
                spans.seconds.append(event)
            case "media":
                spans.media.append(event)
            case "send.late":
                spans.late.append(event)
            case "loop.lag":
                spans.lags.append(event)
            case "heard.overflow":
                spans.overflows.append(t_ns)
            case _:
                pass
    spans.turns = list(turns.values())
    return spans
