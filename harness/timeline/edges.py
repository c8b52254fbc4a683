"""Converts a voice edge that was found in a stream to its event."""

from __future__ import annotations

from typing import Literal

from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.voice_finder import FoundEdge
from harness.timeline.events import AgentEnd, AgentOnset


def onset_event(
    found: FoundEdge, *, t_ns: int, track: str, ear: int | None, found_ns: int | None, read_late_ms: float = 0.0
) -> AgentOnset:
    """The event of an onset that arrived at `t_ns`, was audible at `ear` and was detected at `found_ns`."""
    return AgentOnset(
        t_ns=t_ns,
        ear=ear,
        track=track,
        position=found.edge.position,
        level_dbfs=found.edge.level_dbfs,
        found=found_ns,
        read_late_ms=read_late_ms,
    )


def end_event(
    found: FoundEdge, *, t_ns: int, track: str, began: int | Literal["onset"] | None, found_ns: int | None
) -> AgentEnd:
    """The event of an end, with the quality of the voice; for `began` see `AgentEnd`."""
    edge, quality = found.edge, found.quality
    return AgentEnd(
        t_ns=t_ns,
        began=began,
        track=track,
        position=edge.position,
        level_dbfs=edge.level_dbfs,
        active_dbfs=None if quality is None else quality.level_dbfs,
        active_ms=0.0 if quality is None else quality.active_ms,
        clipped=0.0 if quality is None else quality.clipped,
        dropouts=0 if quality is None else quality.dropouts,
        dropout_ms=0.0 if quality is None else quality.dropout_ms,
        noise_dbfs=edge.noise_dbfs,
        sound=found.sound,
        sure_ms=None if found.sure_after is None else round(1000 * found.sure_after / SAMPLE_RATE),
        found=found_ns,
    )
