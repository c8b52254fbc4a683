"""Doubts about the edges of the agent's voice that a turn's numbers depend on."""

from __future__ import annotations

from collections.abc import Iterator

from harness.clock import NS_PER_MS
from harness.hearing.voice import setting_in
from harness.measure.stopping import Stop
from harness.record.unfit import Doubt
from harness.timeline.spans import CallSpans

# Below these margins over the noise's top, edges are more than 40 ms off (p95; docs/metrics.md).
ONSET_OVER_NOISE_DB, END_OVER_NOISE_DB = 15.0, 20.0
SURE_WITHIN_MS = 280.0  # of 112 voices none takes longer; 1 does through Opus, 3 do at telephone bandwidth


def doubts_of_edges(spans: CallSpans, onset_ns: int | None, stop: Stop | None) -> Iterator[Doubt]:
    """Yields the doubts about a reply that began at `onset_ns` (None: no reply) and about the stop at a barge-in."""
    reply = setting_in(spans.voices, onset_ns, onset_ns + 1) if onset_ns is not None else range(0)
    reply_end_ns = spans.voices[reply[0]].end_ns if reply else None
    if stop is not None and stop.pause_ns is not None:
        what = f"it was silent for {stop.pause_ns / NS_PER_MS:.0f} ms and spoke on, and nothing that it wrote tells why"
        yield Doubt(kind="stop_or_pause", detail=f"{what}: whether it stopped or paused cannot be told")
    yield from _in_noise(spans, "its reply began", reply_end_ns, ONSET_OVER_NOISE_DB)
    yield from _in_noise(spans, "it stopped", None if stop is None else stop.at_ns, END_OVER_NOISE_DB)
    sure_ms = None if reply_end_ns is None else spans.sure_ms.get(reply_end_ns)
    if sure_ms is not None and sure_ms >= SURE_WITHIN_MS:
        what = f"the first {sure_ms:.0f} ms of its reply do not sound like speech"
        yield Doubt(kind="before_words", detail=f"{what}: a breath or a beep may have come before its words")


def _in_noise(spans: CallSpans, what: str, end_ns: int | None, least_db: float) -> Iterator[Doubt]:
    """Yields a doubt if the voice that ended at `end_ns` is less than `least_db` above its noise, which may mask it."""
    margin_db = None if end_ns is None else spans.margins_db.get(end_ns)
    if margin_db is not None and margin_db < least_db:
        over = f"the agent's voice is only {margin_db:.0f} dB over its noise, or over what can be heard at all"
        yield Doubt(kind="noise", detail=f"{over}: when {what} may be off")
