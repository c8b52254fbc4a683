"""Finds what is impossible in a call's timeline whatever the agent does, and so is a fault of the harness.

`soundness` rejects a timeline that cannot be measured at all; a fault found here makes the turns that it touches unfit.
Pure functions, with one or two passes over the events. A timeline without track names counts as having one track.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from harness.clock import NS_PER_MS, NS_PER_S
from harness.hearing.onset import SAMPLE_RATE
from harness.measure.call_course import CallCourse, Edge, Stream
from harness.measure.self_fault import SelfFault, not_too_many
from harness.measure.self_rates import decoded_faults, heard_faults, received_faults, second_faults, sent_faults
from harness.timeline.events import (
    AgentEnd,
    AgentOnset,
    CallerSpoke,
    CallerTyped,
    Event,
    JunkCame,
    SecondPassed,
    SendLate,
    StreamAnchor,
    TextCame,
    ToolCalled,
    ToolJunkCame,
)

AFTER_NS = 1 * NS_PER_S  # tolerance after the hang-up: times on the wire are estimates
BEFORE_NS = 50 * NS_PER_MS  # tolerance before the join: events may arrive before our join is recorded
REACH = 3 * SAMPLE_RATE  # anchors are one second apart, and audio is heard a little beyond the last one
STUCK_NS = 1 * NS_PER_S
TOGETHER_NS = 30 * NS_PER_MS
TOGETHER_LEAST = 3

_Placed = tuple[Edge | StreamAnchor, int]  # an event with its position in the stream

_IN_THE_CALL = (
    AgentOnset
    | AgentEnd
    | TextCame
    | JunkCame
    | ToolCalled
    | ToolJunkCame
    | CallerSpoke
    | CallerTyped
    | SendLate
    | SecondPassed
)


def self_faults(events: Sequence[Event]) -> list[SelfFault]:
    """All faults of the harness in a call, from its events in the order in which they were written."""
    course = CallCourse(events)
    streams = course.streams
    return [
        *not_too_many(_outside(events, course)),
        *not_too_many(chain.from_iterable(map(_unpaired, streams))),
        *not_too_many(chain.from_iterable(map(_beyond, streams))),
        *not_too_many(chain.from_iterable(map(_repeated, streams))),
        *_twice(streams),
        *not_too_many(chain.from_iterable(heard_faults(stream, course) for stream in streams)),
        *not_too_many(second_faults(streams, course)),
        *not_too_many(chain.from_iterable(decoded_faults(stream, course) for stream in streams)),
        *not_too_many(chain.from_iterable(received_faults(stream, course) for stream in streams)),
        *not_too_many(sent_faults(course)),
    ]


def _outside(events: Sequence[Event], course: CallCourse) -> Iterator[SelfFault]:
    """Events that were heard, sent or read outside of the call."""
    for event in events:
        if not isinstance(event, _IN_THE_CALL):
            continue
        ours = (event.voiced_start, event.voiced_end) if isinstance(event, CallerSpoke) else ()
        for t_ns in (event.t_ns, *ours):
            if course.hung_up_ns is not None and t_ns > course.hung_up_ns + AFTER_NS:
                after_s = (t_ns - course.hung_up_ns) / NS_PER_S
                yield SelfFault("outside of the call", f"{event.event} {after_s:.1f} s after the hang-up")
                break
            if course.connected_ns is not None and t_ns < course.connected_ns - BEFORE_NS:
                before_s = (course.connected_ns - t_ns) / NS_PER_S
                yield SelfFault("outside of the call", f"{event.event} {before_s:.2f} s before the room was joined")
                break


def _unpaired(stream: Stream) -> Iterator[SelfFault]:
    """Ends without an onset, and onsets without an end."""
    before: Edge | None = None
    for edge in stream.edges:
        span = sorted((edge.t_ns, edge.t_ns if before is None else before.t_ns))
        goes_on = isinstance(before, AgentOnset)
        if isinstance(edge, AgentOnset) and goes_on:
            what = f"a second onset{stream.where} before the first had ended"
            yield SelfFault("voice without an end", what, *span)
        elif isinstance(edge, AgentEnd) and not goes_on:
            yield SelfFault("voice without an onset", f"an end{stream.where} of no voice", *span)
        before = edge


def _beyond(stream: Stream) -> Iterator[SelfFault]:
    """Edges at stream positions well beyond what had been received when they were written."""
    for edge, reach in zip(stream.edges, stream.reach, strict=True):
        position = edge.position
        if position is not None and reach is not None and position > reach + REACH:
            ahead_s = (position - reach) / SAMPLE_RATE
            what = f"{edge.event}{stream.where} lies {ahead_s:.1f} s ahead of what had been heard"
            yield SelfFault("voice before its time", what, edge.t_ns - round(ahead_s * NS_PER_S), edge.t_ns)


def _repeated(stream: Stream) -> Iterator[SelfFault]:
    """Stream positions that go back, or stand still while time passes."""
    for before, after in pairwise(stream.anchors):
        came_ns = abs(after.t_ns - before.t_ns)
        if after.position < before.position or (after.position == before.position and came_ns > STUCK_NS):
            yield _repeats((before, before.position), (after, after.position), stream)
    positioned = [(edge, edge.position) for edge in stream.edges if edge.position is not None]
    onsets = [(edge, position) for edge, position in positioned if isinstance(edge, AgentOnset)]
    for one, other in pairwise(onsets):
        if other[1] <= one[1]:
            yield _repeats(one, other, stream)
    for one_edge, other_edge in pairwise(positioned):
        if isinstance(other_edge[0], AgentEnd) and other_edge[1] < one_edge[1]:
            yield _repeats(one_edge, other_edge, stream)


def _repeats(before: _Placed, after: _Placed, stream: Stream) -> SelfFault:
    what = f"{after[0].event}{stream.where} at sample {after[1]:,} after {before[1]:,}"
    return SelfFault("positions that repeat", what, *sorted((before[0].t_ns, after[0].t_ns)))


def _twice(streams: Sequence[Stream]) -> Iterator[SelfFault]:
    """Streams whose onsets coincide repeatedly: one voice, heard twice."""
    onsets = sorted(
        (edge.t_ns, stream.track) for stream in streams for edge in stream.edges if isinstance(edge, AgentOnset)
    )
    counts = Counter(track for _, track in onsets)
    together = Counter(
        (min(one, other), max(one, other))
        for (one_ns, one), (other_ns, other) in pairwise(onsets)
        if other_ns - one_ns <= TOGETHER_NS
    )
    for (one, other), count in together.items():
        whole = counts[one] / 2 if one == other else min(counts[one], counts[other])
        if count >= TOGETHER_LEAST and 2 * count > whole:
            where = f"tracks {one} and {other}" if one != other else "one track"
            yield SelfFault("one voice heard twice", f"{count} onsets within 30 ms of each other in {where}")
