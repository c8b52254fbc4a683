"""Checks that audio was received, decoded and sent in real time: 48,000 samples per second, packets as often as due.

A pace may be 1 % off over 5 s. A count that grows in pieces may be off by one piece in addition. Single packets may be
late because of network jitter, which is not a fault of the harness.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from harness.clock import NS_PER_MS, NS_PER_S
from harness.hearing.onset import SAMPLE_RATE
from harness.measure.call_course import CallCourse, Stream
from harness.measure.pace import Pace, Point, off_pace
from harness.measure.self_fault import SelfFault
from harness.timeline.events import SecondPassed

PIECE_S = 0.25  # received audio is counted in blocks of up to 160 ms, and read up to that late
PACKET = SAMPLE_RATE // 100  # the shortest packet in use, 10 ms: an agent that uses it sends 100 per second
MOST_OF_ANY = 1.25  # with several tracks, a different one may be a block ahead each time
JITTERS = 6  # how late a packet may be, in multiples of the call's mean jitter
STOPPED_NS = 5 * NS_PER_S
AROUND_NS = 3 * NS_PER_S // 2  # a track may begin or end this long before its first or after its last anchor
SECOND_NS = (NS_PER_S - NS_PER_MS, NS_PER_S + NS_PER_MS)  # from a `second` to the next


def heard_faults(stream: Stream, course: CallCourse) -> Iterator[SelfFault]:
    """Compares the samples heard in a track with the elapsed time."""
    by_packets = any(anchor.ear is None for anchor in stream.anchors)  # otherwise by playout time
    jitters_ms = [event.jitter_ms for event in stream.media if by_packets and event.jitter_ms is not None]
    pace = Pace(SAMPLE_RATE, slack_s=JITTERS * max(jitters_ms, default=0.0) / 1000, steady=by_packets)
    points = _due(
        stream,
        [
            (anchor.t_ns if by_packets or anchor.ear is None else anchor.ear, anchor.position)
            for anchor in stream.anchors
        ],
    )
    for run in course.clear(points):
        for off in off_pace(run, pace):
            what = f"{off.in_a_second:,.0f} samples a second were heard{stream.where}, of 48,000"
            yield SelfFault("heard against time", what, off.from_ns, off.to_ns)
    if stream.track and points and not stream.broken_off:
        last_ns = points[-1][0]
        if course.script_until_ns - last_ns > STOPPED_NS and not course.is_blind(last_ns, course.script_until_ns):
            what = f"nothing more was heard{stream.where}, which was still there"
            yield SelfFault("heard against time", what, last_ns, course.script_until_ns)


def second_faults(streams: Sequence[Stream], course: CallCourse) -> Iterator[SelfFault]:
    """Compares the samples heard in each second, in the track with the most, with the elapsed time."""
    heard = _Count([(stream.anchors[0].t_ns, stream.anchors[-1].t_ns) for stream in streams if stream.anchors])
    muted = _Count(course.muted)

    def tracks_in(second: SecondPassed) -> int | None:
        span = second.t_ns - NS_PER_S - AROUND_NS, second.t_ns + AROUND_NS
        return heard.constant(*span) if muted.constant(*span) == 0 else None

    for run, tracks in _constant(course.seconds, [tracks_in(second) for second in course.seconds]):
        pace = Pace(SAMPLE_RATE, high=1.0 if tracks == 1 else MOST_OF_ANY, slack_s=PIECE_S)
        points = _counted((second.t_ns, second.heard) for second in run)
        for clear in course.clear(_due(streams[0], points) if len(streams) == 1 else points):
            for off in off_pace(clear, pace):
                of = "one track" if tracks == 1 else f"the foremost of {tracks} tracks"
                what = f"{off.in_a_second:,.0f} samples a second were read of {of}, of 48,000"
                yield SelfFault("read against time", what, off.from_ns, off.to_ns)


def decoded_faults(stream: Stream, course: CallCourse) -> Iterator[SelfFault]:
    """Compares the decoded samples of a track with the elapsed time."""
    decoded = ((event.t_ns, event.samples) for event in stream.media if event.samples is not None)
    pace = Pace(SAMPLE_RATE, slack_s=PIECE_S)
    for run in course.clear(_due(stream, _counted(decoded))):
        for off in off_pace(run, pace):
            what = f"{off.in_a_second:,.0f} samples a second were decoded{stream.where}, of 48,000"
            yield SelfFault("decoded against time", what, off.from_ns, off.to_ns)


def received_faults(stream: Stream, course: CallCourse) -> Iterator[SelfFault]:
    """Compares received packets with decoded samples, which must hold at least as many packets."""
    points = _counted(
        (event.t_ns, PACKET * event.received - event.samples) for event in stream.media if event.samples is not None
    )
    pace = Pace(SAMPLE_RATE, low=-1000.0, high=0.0, slack_s=PIECE_S)
    for run in course.clear(points):
        for off in off_pace(run, pace):
            missing = off.in_a_second / PACKET
            what = f"{missing:,.0f} packets a second more came{stream.where} than were decoded"
            yield SelfFault("received against decoded", what, off.from_ns, off.to_ns)


def sent_faults(course: CallCourse) -> Iterator[SelfFault]:
    """Compares the microphone's sent packets with those that were due."""
    if course.published_ns is None or course.packets_a_second is None:
        return
    seconds = [event for event in course.seconds if event.t_ns >= course.published_ns + NS_PER_S]
    pace = Pace(course.packets_a_second, slack_s=0.02)
    for run, _ in _constant(seconds, [1] * len(seconds)):
        for clear in course.clear(_counted((second.t_ns, second.sent) for second in run)):
            for off in off_pace(clear, pace):
                what = f"{off.in_a_second:,.1f} packets a second left, of {pace.unit:.0f}"
                yield SelfFault("sent against due", what, off.from_ns, off.to_ns)
    until_ns = course.script_until_ns
    last_ns = seconds[-1].t_ns if seconds else course.published_ns
    if until_ns - last_ns > STOPPED_NS and not course.is_blind(last_ns, until_ns):
        yield SelfFault("sent against due", "no packet left any more", last_ns, until_ns)


def _due(stream: Stream, points: Sequence[Point]) -> list[Point]:
    """The points with the amount that the sender had fallen behind added."""
    return [(t_ns, amount + SAMPLE_RATE * stream.behind_s(t_ns)) for t_ns, amount in points]


def _counted(counts: Iterable[tuple[int, float]]) -> list[Point]:
    """Accumulates counts into totals by time; each count belongs to the period before its time."""
    told = list(counts)
    return list(zip((t_ns for t_ns, _ in told), accumulate(float(count) for _, count in told), strict=True))


def _constant(
    seconds: Sequence[SecondPassed], counts: Sequence[int | None]
) -> Iterator[tuple[Sequence[SecondPassed], int]]:
    """Yields runs of consecutive `second` events with the same, known, non-zero count."""
    first = 0
    for index in range(1, len(seconds) + 1):
        if index < len(seconds):
            apart_ns = seconds[index].t_ns - seconds[index - 1].t_ns
            if counts[index] == counts[first] and SECOND_NS[0] <= apart_ns <= SECOND_NS[1]:
                continue
        count = counts[first]
        if count:
            yield seconds[first:index], count
        first = index


class _Count:
    """Counts how many of some time spans overlap."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._starts = sorted(start_ns for start_ns, _ in spans)
        self._ends = sorted(end_ns for _, end_ns in spans)

    def constant(self, from_ns: int, to_ns: int) -> int | None:
        """The number between two times; None if it changes."""
        started, ended = bisect_right(self._starts, from_ns), bisect_left(self._ends, from_ns)
        if started != bisect_right(self._starts, to_ns) or ended != bisect_left(self._ends, to_ns):
            return None
        return started - ended
