"""The quality of the agent's audio over a whole call, from its per-second statistics and its stretches of voice."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np

from harness.clock import NS_PER_S
from harness.hearing.level import FULL_SCALE, power_dbfs
from harness.record.result import MediaHealth
from harness.timeline.events import AgentEnd, MediaSecond

GAP_MS = 15.0  # a shorter gap is not heard as a dropout (`voice_quality.DROP_LEAST_MS`)
GAP_SAMPLES = 720


def media_health(seconds: Sequence[MediaSecond] | None, ends: Sequence[AgentEnd]) -> MediaHealth:
    """Summarises the media health of a call.

    Args:
        seconds: `media` events, one per second. Silence that the sender does not transmit (DTX) is in none of their
            counts: loss is measured by sequence numbers, and silence inserted for silence is not concealment. None for
            a recording, whose media statistics are unknown; every dropout then counts.
        ends: `agent.end` events, one per stretch of voice; those without the voice's quality are ignored.
    """
    voices = [(end, end.active_dbfs) for end in ends if end.active_ms and end.active_dbfs is not None]
    broken = [end for end, _ in voices if end.dropouts]
    if seconds is not None:
        broken = _confirmed(broken, seconds)
    seconds = seconds or []
    lost, received = sum(second.lost for second in seconds), sum(second.received for second in seconds)
    samples, concealed = (
        sum(second.samples or 0 for second in seconds),
        sum(second.concealed or 0 for second in seconds),
    )
    active_ms = sum(end.active_ms for end, _ in voices)
    power = sum(10 ** (active_dbfs / 10) * end.active_ms for end, active_dbfs in voices)
    clipped = sum(end.clipped * end.active_ms for end, _ in voices)
    return MediaHealth(
        loss=_share(lost, lost + received),
        concealed=_share(concealed, samples),
        clipped=round(clipped / active_ms, 6) if active_ms else None,
        jitter_ms=_mean(second.jitter_ms for second in seconds),
        rtt_ms=_mean(second.rtt_ms for second in seconds),
        jitter_buffer_ms=_mean(second.jitter_buffer_ms for second in seconds),
        level_dbfs=round(power_dbfs(FULL_SCALE**2 * power / active_ms), 1) if active_ms else None,
        dropouts=sum(event.dropouts for event in broken),
        dropout_ms=float(sum(event.dropout_ms for event in broken)),
    )


def _confirmed(ends: Sequence[AgentEnd], seconds: Sequence[MediaSecond]) -> list[AgentEnd]:
    """The voices whose dropouts the media statistics confirm: a robotic voice itself breaks off between sounds."""
    gaps = sorted(
        event.t_ns
        for event in seconds
        if event.lost > 0 or (event.concealed or 0) >= GAP_SAMPLES or (event.behind_ms or 0.0) >= GAP_MS
    )
    found = []
    for end in ends:
        first = bisect_left(gaps, end.began if isinstance(end.began, int) else end.t_ns)
        # The counts of a second have the time of its end.
        if first < len(gaps) and gaps[first] <= end.t_ns + 2 * NS_PER_S:
            found.append(end)
    return found


def _share(part: int, whole: int) -> float | None:
    # A packet counted as lost that arrives late is subtracted in a later second, so `part` may be negative.
    return round(max(0, part) / whole, 6) if whole > 0 else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 3) if known else None
