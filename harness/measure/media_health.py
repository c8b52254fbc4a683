"""How the agent's audio came over in a whole call, from what each second and each stretch of voice told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.measure.level import FULL_SCALE, power_dbfs
from harness.measure.result import MediaHealth

Event = dict[str, Any]


def media_health(seconds: Sequence[Event], ends: Sequence[Event]) -> MediaHealth:
    """The call's media health.

    Args:
        seconds: `media` events, one a second. Silence that the sender does not transmit (DTX) is in none of their
            counts: loss is told by sequence numbers, and silence put in for silence is not concealed.
        ends: `agent.end` events, one a stretch of voice; those without the voice's quality are left out.
    """
    lost, received = _sum(seconds, "lost"), _sum(seconds, "received")
    voices = [event for event in ends if event.get("active_ms")]
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
        dropouts=sum(event["dropouts"] for event in voices),
        dropout_ms=float(sum(event["dropout_ms"] for event in voices)),
    )


def _sum(seconds: Sequence[Event], name: str) -> int:
    return sum(event[name] for event in seconds if event[name] is not None)


def _share(part: int, whole: int) -> float | None:
    # A packet that was counted as lost and came late after all is taken back, in a later second.
    return round(max(0, part) / whole, 6) if whole > 0 else None


def _mean(seconds: Sequence[Event], name: str) -> float | None:
    values = [event[name] for event in seconds if event[name] is not None]
    return round(float(np.mean(values)), 3) if values else None
