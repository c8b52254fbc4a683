"""Converts a conversation of which only the two voices are known to the timeline of a call.

Its turns, interruptions and latencies are then measured by the same rules as a call's (`measure/turns.py`). What a call
knows from its script is derived from the sound: a caller's turn is everything it says until the agent has spoken, or
until both have been silent for as long as a call waits for a reply. A turn that starts over the agent's speech is a
barge-in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from harness.clock import NS_PER_S
from harness.hearing.crosstalk import Leak
from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.voice import SILENCE_NS, Voice, count_before, setting_in, speaks_at
from harness.hearing.voice_finder import FoundEdge
from harness.timeline.edges import end_event, onset_event
from harness.timeline.events import (
    UNKNOWN_TRACK,
    AgentJoined,
    BargedIn,
    CallEnded,
    CallerSpoke,
    CallStarted,
    EchoHeard,
    Event,
    RoomConnected,
    TurnEnded,
    TurnKind,
    TurnStarted,
)
from harness.timeline.spans import gather

NO_REPLY_NS = 15 * NS_PER_S  # a call's `timeouts.reply`: a caller who speaks again after this got no reply


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """A turn of the caller, from its first onset to its last end; times in ns from the recording's start."""

    start_ns: int
    end_ns: int
    over_ns: int | None  # the onset of the agent's speech that it talks over; None if the agent was silent


def at_ns(position: int) -> int:
    """The time of a sample, in ns from the recording's start."""
    return round(position * NS_PER_S / SAMPLE_RATE)


def voices_of(edges: Sequence[FoundEdge]) -> list[Voice]:
    """The stretches of voice between the edges."""
    return gather(voice_events(edges)).voices


def edges_of(edges: Sequence[FoundEdge], voices: Sequence[Voice]) -> list[FoundEdge]:
    """The edges that belong to `voices`."""
    kept = {voice.onset_ns for voice in voices}
    left: list[FoundEdge] = []
    onset: list[FoundEdge] = []
    for found in edges:
        if found.quality is None:
            onset = [found]
        elif found.edge.began is not None and at_ns(found.edge.began) in kept:
            left += [*onset, found]
    return left


def spoken_turns(caller: Sequence[Voice], agent: Sequence[Voice]) -> list[SpokenTurn]:
    """The caller's turns, from both sides' voices."""
    turns: list[SpokenTurn] = []
    for voice in caller:
        end_ns = voice.end_ns or voice.onset_ns
        last = turns[-1] if turns else None
        if last is not None and voice.onset_ns - last.end_ns < NO_REPLY_NS:
            answered = _answers(agent, last, voice.onset_ns)
            if not answered and not (speaks_at(agent, voice.onset_ns) and last.over_ns is None):
                turns[-1] = SpokenTurn(last.start_ns, end_ns, last.over_ns)
                continue
        before = count_before(agent, voice.onset_ns)
        over = before and speaks_at(agent, voice.onset_ns)
        turns.append(SpokenTurn(voice.onset_ns, end_ns, agent[before - 1].onset_ns if over else None))
    return turns


def _answers(agent: Sequence[Voice], turn: SpokenTurn, until_ns: int) -> bool:
    """Whether the agent answered: it started after the turn's end, or cut in and continued for 500 ms beyond it."""
    said = setting_in(agent, turn.start_ns, until_ns)
    return any(
        agent[index].onset_ns >= turn.end_ns or (agent[index].end_ns or until_ns) - turn.end_ns >= SILENCE_NS
        for index in said
    )


def as_timeline(
    name: str, caller: Sequence[FoundEdge], agent: Sequence[FoundEdge], frames: int, *, heard: Sequence[Leak] = ()
) -> list[Event]:
    """Builds the timeline of the conversation.

    Args:
        name: The recording's name, for `call` and `scenario`.
        caller: The edges of the caller's voice.
        agent: The edges of the agent's voice.
        frames: The length of the recording in samples at 48 kHz.
        heard: Leaks of the caller into the agent's channel; their edges are not in `agent`.
    """
    end_ns = at_ns(frames)
    turns = spoken_turns(voices_of(caller), voices_of(agent))
    events: list[Event] = [
        CallStarted(t_ns=0, call=name, scenario=name),
        RoomConnected(t_ns=0),
        AgentJoined(t_ns=0, identity="agent"),
    ]
    events += voice_events(agent)
    for number, turn in enumerate(turns, 1):
        until_ns = turns[number].start_ns if number < len(turns) else end_ns
        events += _turn_events(number, turn, until_ns)
        own = [leak.own for leak in heard if leak.start_ns < turn.end_ns and leak.end_ns > turn.start_ns]
        if own:
            events.append(EchoHeard(t_ns=turn.end_ns, turn=number, **asdict(own[0])))
    events.append(CallEnded(t_ns=end_ns))
    return events


def voice_events(edges: Sequence[FoundEdge]) -> list[Event]:
    """The events of edges found in a recording, with times relative to its start."""
    events: list[Event] = []
    for found in edges:
        t_ns, found_ns = at_ns(found.edge.position), at_ns(found.edge.found_at)
        if found.quality is None:
            events.append(onset_event(found, t_ns=t_ns, track=UNKNOWN_TRACK, ear=None, found_ns=found_ns))
        else:
            began = None if found.edge.began is None else at_ns(found.edge.began)
            events.append(end_event(found, t_ns=t_ns, track=UNKNOWN_TRACK, began=began, found_ns=found_ns))
    return events


def _turn_events(number: int, turn: SpokenTurn, until_ns: int) -> list[Event]:
    start_ns = turn.start_ns
    kind: TurnKind = "say" if turn.over_ns is None else "barge_in"
    events: list[Event] = [
        TurnStarted(t_ns=start_ns, turn=number, step=number - 1, kind=kind, text="", fixture=None, language="")
    ]
    if turn.over_ns is not None:
        events.append(BargedIn(t_ns=start_ns, turn=number, onset=turn.over_ns))
    events.append(CallerSpoke(t_ns=start_ns, turn=number, voiced_start=start_ns, voiced_end=turn.end_ns))
    events.append(TurnEnded(t_ns=until_ns, turn=number, why="replied"))
    return events
