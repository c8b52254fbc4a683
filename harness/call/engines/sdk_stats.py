"""What the SDK's statistics tell of a received track, as differences from one reading to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from livekit import rtc

from harness.call.engines.line import Media
from harness.clock import NS_PER_S


@dataclass(slots=True)
class _Counts:
    """WebRTC's counters of an inbound stream (W3C webrtc-stats), all since it began."""

    received: int = 0
    lost: int = 0
    samples: int = 0
    concealed: int = 0
    waited_s: float = 0.0
    emitted: int = 0


class TrackStats:
    """Reads a track's statistics; `jitter_buffer_ns` is the mean delay of the samples between the last two readings."""

    def __init__(self) -> None:
        self.jitter_buffer_ns = 0
        self._now = _Counts()
        self._told = _Counts()
        self._jitter_ms: float | None = None
        self._rtt_ms: float | None = None

    @property
    def begun(self) -> bool:
        """Whether any sample has passed the jitter buffer."""
        return self._now.emitted > 0

    def read(self, stats: Iterable[rtc.stats.RtcStats]) -> None:
        """A reading: the answer of the track's `get_stats`."""
        for stat in stats:
            match stat.WhichOneof("stats"):
                case "inbound_rtp":
                    self._read_inbound(stat.inbound_rtp)
                case "candidate_pair" if stat.candidate_pair.candidate_pair.nominated:
                    # Of ICE's last check, every few seconds; libwebrtc tells it in whole milliseconds.
                    self._rtt_ms = 1000 * stat.candidate_pair.candidate_pair.current_round_trip_time
                case _:
                    pass

    def _read_inbound(self, stat: rtc.stats.RtcStats.InboundRtp) -> None:
        inbound, before = stat.inbound, self._now
        self._now = _Counts(
            received=stat.received.packets_received,
            lost=stat.received.packets_lost,
            samples=inbound.total_samples_received,
            # Silence put in for silence that was not transmitted is no concealment.
            concealed=inbound.concealed_samples - inbound.silent_concealed_samples,
            waited_s=inbound.jitter_buffer_delay,
            emitted=inbound.jitter_buffer_emitted_count,
        )
        self._jitter_ms = round(1000 * stat.received.jitter, 3)
        waited_ms = _mean_wait_ms(before, self._now)
        if waited_ms is not None:
            self.jitter_buffer_ns = round(waited_ms * NS_PER_S / 1000)

    def second(self) -> Media:
        """What happened since this was asked last."""
        before, now = self._told, self._now
        self._told = now
        waited_ms = _mean_wait_ms(before, now)
        return Media(
            received=now.received - before.received,
            lost=now.lost - before.lost,
            samples=now.samples - before.samples,
            concealed=now.concealed - before.concealed,
            jitter_ms=self._jitter_ms,
            rtt_ms=self._rtt_ms,
            jitter_buffer_ms=None if waited_ms is None else round(waited_ms, 3),
        )


def _mean_wait_ms(before: _Counts, now: _Counts) -> float | None:
    count = now.emitted - before.emitted
    return 1000 * (now.waited_s - before.waited_s) / count if count > 0 else None
