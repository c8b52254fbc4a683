"""Who was the agent in a call, on which tracks, and who was mistaken for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from harness.measure.times import Position
from harness.record.result import Handover, TrackHeard
from harness.text.counted import counted
from harness.timeline.events import AgentSeen
from harness.timeline.spans import CallSpans

MOST_NAMED = 6


def mistaken(spans: CallSpans) -> Iterator[tuple[str, AgentSeen]]:
    """Yields each participant that was mistaken for the agent, and the event that corrected the choice."""
    listened = {event.identity for event in spans.joined}
    for before, after in itertools.pairwise(spans.choices):
        wrong = before.identity
        if wrong in listened and spans.heard.speaks_for(wrong) != after.identity:
            yield wrong, after


def tracks_heard(spans: CallSpans, position: Position) -> list[TrackHeard]:
    """The agent's audio tracks."""
    return [
        TrackHeard(
            identity=track.identity,
            name=track.name,
            source=track.source,
            came_ms=position(track.came_ns),
            gone_ms=position(track.gone_ns),
            background=spans.heard.is_background(track.sid),
        )
        for track in spans.heard.of_agent()
    ]


def handovers(spans: CallSpans, position: Position) -> list[Handover]:
    """Each agent that left, with the one that took over."""
    return [Handover(at_ms=position(event.t_ns), left=event.identity, followed=event.to) for event in spans.handovers]


def notes_of_company(spans: CallSpans) -> list[str]:
    """Notes on the agent's tracks, on other agents in the room, and on hand-overs."""
    measured = [spans.heard.identities[0], *(event.to for event in spans.handovers)] if spans.choices else []
    notes = [f"{wrong} was taken for the agent until {agent.identity} came" for wrong, agent in mistaken(spans)]
    notes += [f"handed over: {event.identity} left, {event.to} followed" for event in spans.handovers]
    others = sorted(spans.agents - set(measured))
    if others:
        notes.append(
            f"{counted(len(spans.agents), 'agent')} were in the room; measured was {' then '.join(measured)}, "
            f"not {', '.join(others)}"
        )
    tracks = spans.heard.of_agent()
    if len(tracks) > 1:
        names = [
            f"{track.name or track.sid} ({'background' if spans.heard.is_background(track.sid) else track.source})"
            for track in tracks[:MOST_NAMED]
        ]
        more = [f"and {len(tracks) - MOST_NAMED} more"] if len(tracks) > MOST_NAMED else []
        notes.append(f"the agent published {counted(len(tracks), 'audio track')}: {', '.join([*names, *more])}")
    if spans.other_texts:
        notes.append(f"on voice.reply from others than the agent: {counted(spans.other_texts, 'frame')}")
    if spans.other_tool_frames:
        others_sent = counted(spans.other_tool_frames, "frame")
        notes.append(f"on voice.tool_call from others than the agent: {others_sent}")
    return notes
