"""Whether the harness was fit to measure a turn, and which resource ran out if it was not.

The harness's own lateness decides; network jitter never does. The machine's load only explains, it never decides by
itself. A service on the same machine is a special case: there is no network in between, and both share the resources.
If its media is late, or no reply comes, while the machine has no CPU left, that says nothing about the service.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from harness.clock import NS_PER_MS, NS_PER_S
from harness.measure.self_fault import SelfFault
from harness.measure.stalls import is_starved, longest_stall, own_doing, starved, unexplained
from harness.record.ran_out import RanOut
from harness.record.unfit import Unfit
from harness.timeline.events import Event, SessionCreated
from harness.timeline.spans import CallSpans

LATE_SHARE = 0.01  # more than 1 % of packets over 20 ms late: gaps that affect an agent's endpointing
LATE_LEAST = 3  # but at least this many: one or two packets exceed 1 % in a turn of half a second
MUCH_LATE_MS = 100.0
PACKETS_A_SECOND = 100.0  # the default if the call was too short to measure it
READ_LATE_MS = 10.0

# Limits for media over loopback, in one second. Five concurrent calls on a machine with spare CPU had at most 122 ms of
# jitter buffer while joining and 50 ms afterwards, no jitter or RTT over 2 ms, and 1,560 concealed samples.
LATE_BUFFER_MS = 100.0
LATE_JITTER_MS = 20.0
LATE_RTT_MS = 20.0
LATE_CONCEALED = 1920  # samples, 40 ms

# Limits beyond which a resource is reported as exhausted. A second with 5 % steal lacks 50 ms somewhere.
STEAL_SHARE = 0.05
THROTTLED_MS = 20.0
LOOP_SHARE = 0.9
BUSY_SHARE = 0.9
LAG_MS = 50.0  # a loop this late with CPU to spare was stopped, not starved

E = TypeVar("E", bound=Event)


class Fitness:
    """The fitness of one call. Queries about a part of it are lookups, with a cost independent of the call's length."""

    def __init__(self, spans: CallSpans, faults: Sequence[SelfFault] = ()) -> None:
        self._faults = faults
        self._read_late_ms = spans.read_late_ms
        self._gaps = spans.gaps
        self._last_ns = spans.last_ns
        created = spans.one(SessionCreated)
        self._shared = created is not None and created.on_this_machine
        self._late = _Timed(spans.late)
        self._overflows = sorted(spans.overflows)
        self._seconds = _Timed(spans.seconds)
        self._media = _Timed(spans.media)
        self._lags = _Timed(spans.lags)
        sent = [event.sent for event in spans.seconds if event.sent]
        self._packets_a_second = float(statistics.median(sent)) if sent else PACKETS_A_SECOND  # engines differ

    def unfit_reasons(self, start_ns: int, end_ns: int, onset_ns: int | None) -> list[Unfit]:
        """Why the harness was not fit between two times; empty if it was fit.

        `onset_ns` is the onset that was measured in between, if any: reading its packet late makes it unfit too.
        """
        reasons = [
            Unfit(kind="self_fault", name=fault.name, detail=fault.what)
            for fault in self._faults
            if fault.touches(start_ns, end_ns)
        ]
        late = [event.late_ms for event in self._late.between(start_ns, end_ns)]
        packets = max(1.0, (end_ns - start_ns) / NS_PER_S * self._packets_a_second)
        if late and max(late) > MUCH_LATE_MS:
            reasons.append(Unfit(kind="packet_late", figure=max(late)))
        elif len(late) >= LATE_LEAST and len(late) / packets > LATE_SHARE:
            reasons.append(Unfit(kind="packets_late", figure=len(late), of=round(packets)))
        if bisect_left(self._overflows, start_ns) < bisect_right(self._overflows, end_ns):
            reasons.append(Unfit(kind="overflow"))
        read_late_ms = self._read_late_ms.get(onset_ns, 0.0) if onset_ns is not None else 0.0
        if read_late_ms > READ_LATE_MS:
            reasons.append(Unfit(kind="read_late", figure=read_late_ms))
        if (late_media := self._late_media(start_ns, end_ns)) is not None:
            reasons.append(late_media)
        for gap in self._gaps:
            if gap.touches(start_ns, end_ns):
                back_ns = gap.until_ns or self._last_ns
                reasons.append(Unfit(kind="line_away", figure=(back_ns - gap.from_ns) / NS_PER_MS))
        return reasons

    def _late_media(self, start_ns: int, end_ns: int) -> Unfit | None:
        """What arrived late from a service on this machine while it had no CPU left; None if nothing did."""
        if not self._shared or _most(second.busy for second in self._seconds.touching(start_ns, end_ns)) < BUSY_SHARE:
            return None
        media = self._media.touching(start_ns, end_ns)
        buffer_ms = _most(second.jitter_buffer_ms for second in media)
        jitter_ms, rtt_ms = _most(second.jitter_ms for second in media), _most(second.rtt_ms for second in media)
        concealed = _most(second.concealed for second in media)
        if buffer_ms > LATE_BUFFER_MS:
            return Unfit(kind="buffer_grew", figure=buffer_ms)
        if jitter_ms > LATE_JITTER_MS:
            return Unfit(kind="jittered", figure=jitter_ms)
        if rtt_ms > LATE_RTT_MS:
            return Unfit(kind="slow_round_trip", figure=rtt_ms)
        if concealed > LATE_CONCEALED:
            return Unfit(kind="audio_missing", figure=concealed / 48)
        return None

    def no_cpu_left(self, start_ns: int, end_ns: int) -> Unfit | None:
        """Why no reply in this time is not held against a service on this machine; None if it is.

        It is not if more than half of its seconds had no CPU left: a recogniser or a model on the same cores is then
        slower than it would be anywhere else.
        """
        shares = [second.busy for second in self._seconds.touching(start_ns, end_ns) if second.busy is not None]
        busy = sum(share >= BUSY_SHARE for share in shares)
        if not self._shared or 2 * busy <= len(shares):
            return None
        return Unfit(kind="no_cpu_left", figure=busy, of=len(shares))

    def what_ran_out(self, start_ns: int, end_ns: int) -> RanOut | None:
        """Which resource ran out between two times, for an unfit turn; None if unknown."""
        seconds = self._seconds.touching(start_ns, end_ns)
        stall = longest_stall(self._lags.between(start_ns - 10 * NS_PER_S, end_ns), start_ns, end_ns)
        ours = None if stall is None or is_starved(stall) else own_doing(stall)
        stolen, throttled = _most(second.steal for second in seconds), _most(second.throttled_ms for second in seconds)
        loop, busy = _most(second.loop_cpu for second in seconds), _most(second.busy for second in seconds)
        if stolen >= STEAL_SHARE:
            return RanOut("stolen", figure=round(100 * stolen))
        if throttled >= THROTTLED_MS:
            return RanOut("throttled", figure=round(throttled))
        if ours is not None:
            return ours
        if loop >= LOOP_SHARE:
            return RanOut("python", figure=round(100 * loop))
        if busy >= BUSY_SHARE:
            own = _most(second.own_cpu for second in seconds)
            return RanOut("busy", figure=round(100 * busy), cores=round(own, 1))
        if _most(second.udp_dropped for second in seconds) > 0:
            return RanOut("udp")
        if stall is not None:
            return starved(stall) if is_starved(stall) else unexplained(stall)
        if _most(second.lag_ms for second in seconds) >= LAG_MS and any(second.tells_of_machine for second in seconds):
            return RanOut("unseen")
        return None


def _t_ns(event: Event) -> int:
    return event.t_ns


class _Timed(Generic[E]):
    """Events sorted by time."""

    def __init__(self, events: Sequence[E]) -> None:
        self._events = sorted(events, key=_t_ns)

    def between(self, start_ns: int, end_ns: int) -> list[E]:
        """The events from one time to another, inclusive."""
        first = bisect_left(self._events, start_ns, key=_t_ns)
        return self._events[first : bisect_right(self._events, end_ns, key=_t_ns)]

    def touching(self, start_ns: int, end_ns: int) -> list[E]:
        """The per-second events whose second overlaps the interval; such an event has the time of its second's end."""
        return self.between(start_ns, end_ns + NS_PER_S)


def _most(values: Iterable[float | None]) -> float:
    return max((value for value in values if value is not None), default=0.0)
