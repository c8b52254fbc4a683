"""A conversation of which only the two voices are known, told as the timeline of a call.

So its turns, interruptions and latencies are measured by the same rules as those of a call (`measure/call.py`). What a
call knows from its script is taken from the sound instead: a turn of the caller is what it says until the agent has
spoken, or until both have been silent for as long as a call waits for a reply; where it sets in over the agent's speech
it is a barge-in.
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

NO_REPLY_NS = 15 * NS_PER_S
"""A call's `timeouts.reply`: a caller who speaks again after so much silence has waited in vain."""


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """What the caller says in one go, from its first onset to its last end (ns from the recording's start)."""

    start_ns: int
    end_ns: int
    over_ns: int | None
    """The onset of the agent's speech that it sets in over; None where the agent was silent."""


def at_ns(position: int) -> int:
    """The time of a sample, from the recording's start."""
    return round(position * NS_PER_S / SAMPLE_RATE)


def voices_of(edges: Sequence[FoundEdge]) -> list[Voice]:
    """The stretches of voice."""
    return gather(voice_events(edges)).voices


def edges_of(edges: Sequence[FoundEdge], voices: Sequence[Voice]) -> list[FoundEdge]:
    """The edges, but for those of voices that are none of these."""
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
    """The caller's turns."""
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
    """Whether the agent spoke after the turn: it set in after its end, or cut in and spoke on beyond that."""
    said = setting_in(agent, turn.start_ns, until_ns)
    return any(
        agent[index].onset_ns >= turn.end_ns or (agent[index].end_ns or until_ns) - turn.end_ns >= SILENCE_NS
        for index in said
    )


def as_timeline(
    name: str, caller: Sequence[FoundEdge], agent: Sequence[FoundEdge], frames: int, *, heard: Sequence[Leak] = ()
) -> list[Event]:
    """The timeline of the conversation.

    Args:
        name: The recording's, for `call` and `scenario`.
        caller: The edges of the caller's voice.
        agent: The edges of the agent's.
        frames: How many samples the recording has, at 48 kHz.
        heard: What of the caller was heard in the agent's channel; its edges are none of the agent's.
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
    """The events of edges that were found in a recording, by the recording's own time."""
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
