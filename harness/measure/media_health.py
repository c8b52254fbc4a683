"""How the agent's audio came over in a whole call, from what each second and each stretch of voice told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.clock import NS_PER_S
from harness.measure.level import FULL_SCALE, power_dbfs
from harness.measure.result import MediaHealth

Event = dict[str, Any]
GAP_MS = 15.0  # what is shorter nobody hears as a break (`voice_quality.DROP_LEAST_MS`)
GAP_SAMPLES = 720


def media_health(seconds: Sequence[Event] | None, ends: Sequence[Event]) -> MediaHealth:
    """The call's media health.

    Args:
        seconds: `media` events, one a second. Silence that the sender does not transmit (DTX) is in none of their
            counts: loss is told by sequence numbers, and silence put in for silence is not concealed. None for a
            recording, of whose media nothing is known: then each break in a voice counts.
        ends: `agent.end` events, one a stretch of voice; those without the voice's quality are left out.
    """
    voices = [event for event in ends if event.get("active_ms")]
    broken = [event for event in voices if event["dropouts"]]
    if seconds is not None:
        broken = _confirmed(broken, seconds)
    seconds = seconds or []
    lost, received = _sum(seconds, "lost"), _sum(seconds, "received")
    active_ms = sum(event["active_ms"] for event in voices)
    power = sum(10 ** (event["active_dbfs"] / 10) * event["active_ms"] for event in voices)
    clipped = sum(event["clipped"] * event["active_ms"] for event in voices)
    return MediaHealth(
        loss=_share(lost, lost + received),
        concealed=_share(_sum(seconds, "concealed"), _sum(seconds, "samples")),
        clipped=round(clipped / active_ms, 6) if active_ms else None,
        jitter_ms=_mean(seconds, "jitter_ms"),
        rtt_ms=_mean(seconds, "rtt_ms"),
        jitter_buffer_ms=_mean(seconds, "jitter_buffer_ms"),
        level_dbfs=round(power_dbfs(FULL_SCALE**2 * power / active_ms), 1) if active_ms else None,
        dropouts=sum(event["dropouts"] for event in broken),
        dropout_ms=float(sum(event["dropout_ms"] for event in broken)),
    )


def _confirmed(ends: Sequence[Event], seconds: Sequence[Event]) -> list[Event]:
    """The voices whose breaks the media tells of as well: a robotic voice breaks off by itself between its sounds."""
    gaps = sorted(
        int(event["t"])
        for event in seconds
        if (event["lost"] or 0) > 0
        or (event["concealed"] or 0) >= GAP_SAMPLES
        or (event.get("behind_ms") or 0.0) >= GAP_MS
    )
    found = []
    for end in ends:
        first = bisect_left(gaps, int(end.get("began") or end["t"]))
        # A second's counts are told at its end.
        if first < len(gaps) and gaps[first] <= int(end["t"]) + 2 * NS_PER_S:
            found.append(end)
    return found


def _sum(seconds: Sequence[Event], name: str) -> int:
    return sum(event[name] for event in seconds if event[name] is not None)


def _share(part: int, whole: int) -> float | None:
    # A packet that was counted as lost and came late after all is taken back, in a later second.
    return round(max(0, part) / whole, 6) if whole > 0 else None


def _mean(seconds: Sequence[Event], name: str) -> float | None:
    values = [event[name] for event in seconds if event[name] is not None]
    return round(float(np.mean(values)), 3) if values else None
