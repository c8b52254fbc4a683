"""The SDK's statistics of a received track, as differences between readings."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from harness.call.engines.line import Media
from harness.call.engines.sdk_wait import PACKET_MS, TICK_MS, Discards, JitterBufferWait, Reading, left_over_ms
from harness.clock import NS_PER_S
from harness.hearing.level import peak

SAMPLES_PER_MS = 48
PACKET_SAMPLES = 960  # in 20 ms
JUMP_BLOCKS = 10
LEAST_PEAK = 40  # -58 dBFS: anything below it is not a voice
SILENT_MS = 450.0  # LiveKit's SDK sends a packet per 400 ms of silence
LEAST_COUNTS = 3  # a buffer that has just started is still growing
OTHER_WAIT_MS = 20.0  # the first packets of a voice show that the wait has changed if theirs differs by this much


@dataclass(slots=True)
class _Counts:
    """WebRTC's cumulative counters of an inbound stream (W3C webrtc-stats)."""

    received: int = 0
    lost: int = 0
    samples: int = 0
    concealed: int = 0
    waited_s: float = 0.0
    emitted: int = 0


@dataclass(slots=True)
class _Onset:
    """The jitter buffer at a possible onset of a voice.

    Attributes:
        stretched: The samples stretched by then, in all.
        heard_stretched: Those of them that are not made-up silence.
        wait_ms: How long the packets before it had waited; None if unknown, or if the buffer restarts.
        restarts: No packets arrived during the silence before it, so the buffer restarts with the voice.
        restart_wait_ms: How long the first packet waited in a restarted buffer, once that is known.
    """

    stretched: int
    heard_stretched: int
    wait_ms: float | None
    restarts: bool
    restart_wait_ms: float | None = None


class LevelJump:
    """Detects sudden increases in level, which may be a voice's onset. Once per 200 ms, in blocks of 20 ms."""

    def __init__(self) -> None:
        self._peaks: deque[int] = deque(maxlen=JUMP_BLOCKS)
        self._quiet_for = JUMP_BLOCKS

    def heard(self, samples: NDArray[np.int16]) -> bool:
        """Whether this block, `(frames,)` int16, is four times as loud as the ones before it."""
        loudest = peak(samples)
        usual = sorted(self._peaks)[len(self._peaks) // 2] if self._peaks else 0
        self._peaks.append(loudest)
        self._quiet_for += 1
        if loudest <= 4 * usual + LEAST_PEAK or self._quiet_for < JUMP_BLOCKS:
            return False
        self._quiet_for = 0
        return True


class TrackStats:
    """Reads a track's statistics; `jitter_buffer_ns` is how long the packets before the last reading had waited.

    Args:
        sid: The track's sid.

    Attributes:
        wanted: Set to request a reading now.
        last_packet_ns: When the last packet arrived.
    """

    def __init__(self, sid: str) -> None:
        self.wanted = asyncio.Event()
        self._sid = sid
        self._from_server = self._from_server_told = 0
        self._wait = JitterBufferWait()
        self._discards = Discards()
        self._stretched = self._heard_stretched = self._silence = 0
        self._onset: _Onset | None = None
        self._counted_ms: float | None = None
        self._counts = 0
        self.last_packet_ns: int | None = None
        self._last_packet_ms = 0.0
        self._read_ms = 0.0
        self._now = _Counts()
        self._told = _Counts()
        self._jitter_ms: float | None = None
        self._rtt_ms: float | None = None

    @property
    def begun(self) -> bool:
        """Whether any sample has passed the jitter buffer."""
        return self._now.emitted > 0

    @property
    def jitter_buffer_ns(self) -> int:
        """See the class; 0 until it is known.

        Between `onset_begins` and `onset_ended` it stays as it was at the onset: WebRTC shrinks an overfull buffer as
        soon as there is a voice to compress, though the voice's first sample had waited the full time. It then takes
        packets early, so readings in that time show shorter waits than there were.
        """
        onset = self._onset
        wait_now_ms = (self._wait.wait_ms or 0.0) + left_over_ms(self._stretched)
        if onset is None:
            return _ns(wait_now_ms)
        if onset.restart_wait_ms is not None:
            return _ns(onset.restart_wait_ms)
        if onset.wait_ms is not None and not self._waits_otherwise(onset.wait_ms):
            return _ns(onset.wait_ms + left_over_ms(onset.stretched))
        return _ns(wait_now_ms - (self._heard_stretched - onset.heard_stretched) / SAMPLES_PER_MS)

    def _waits_otherwise(self, before_ms: float) -> bool:
        """Whether the voice's first packets show a different wait; a single one may just have been late."""
        if self._counted_ms is None:
            return False
        return abs(self._counted_ms - TICK_MS / 2 - before_ms) > OTHER_WAIT_MS

    def onset_begins(self) -> None:
        """Called at a possible onset; in the silence before it no voice was stretched since the last reading."""
        if self.begun:  # at the very first packets there is no earlier state
            restarts = self._read_ms - self._last_packet_ms > SILENT_MS
            known = self._counts >= LEAST_COUNTS and not restarts
            wait_ms = self._wait.wait_ms if known else None
            self._onset = _Onset(self._stretched, self._heard_stretched, wait_ms, restarts)
            self._counted_ms = None

    def onset_ended(self) -> None:
        """Called once an onset, if it was one, has been reported."""
        self._onset = None

    async def wanted_within(self, seconds: float) -> bool:
        """Waits up to `seconds` until a reading is `wanted`; returns whether it was."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wanted.wait(), seconds)
        wanted = self.wanted.is_set()  # even if set just as the time ran out
        self.wanted.clear()
        return wanted

    def read(self, stats: Iterable[rtc.stats.RtcStats], *, utc_less_clock_ns: int, tick_ns: int | None) -> None:
        """Processes a reading.

        Args:
            stats: The result of the track's `get_stats`.
            utc_less_clock_ns: Time of day minus our clock: the SDK timestamps packets by the time of day.
            tick_ns: See `JitterBufferWait.read`.
        """
        for stat in stats:
            match stat.WhichOneof("stats"):
                case "inbound_rtp":
                    self._read_inbound(stat.inbound_rtp, utc_less_clock_ns, tick_ns)
                case "candidate_pair" if stat.candidate_pair.candidate_pair.nominated:
                    pair = stat.candidate_pair.candidate_pair
                    # From ICE's last connectivity check, every few seconds; libwebrtc reports whole milliseconds.
                    self._rtt_ms = 1000 * pair.current_round_trip_time
                    self._from_server = pair.bytes_received + pair.responses_received + pair.requests_received
                case _:
                    pass

    def _read_inbound(self, stat: rtc.stats.RtcStats.InboundRtp, utc_less_clock_ns: int, tick_ns: int | None) -> None:
        if stat.rtc.timestamp / 1000 == self._read_ms:
            return  # the same reading again
        inbound, before = stat.inbound, self._now
        self._now = _Counts(
            received=stat.received.packets_received,
            lost=stat.received.packets_lost,
            samples=inbound.total_samples_received,
            # Silence that replaces untransmitted silence is not concealment.
            concealed=inbound.concealed_samples - inbound.silent_concealed_samples,
            waited_s=inbound.jitter_buffer_delay,
            emitted=inbound.jitter_buffer_emitted_count,
        )
        self._jitter_ms = round(1000 * stat.received.jitter, 3)
        self._stretched = (
            inbound.inserted_samples_for_deceleration
            - inbound.removed_samples_for_acceleration
            + inbound.concealed_samples
        )
        # If the sender sends nothing in silence, all of that silence is concealment, up to its voice.
        silence_made = inbound.silent_concealed_samples - self._silence
        self._silence = inbound.silent_concealed_samples
        self._heard_stretched = self._stretched - self._silence
        last_ms = inbound.last_packet_received_timestamp
        read_ms = stat.rtc.timestamp / 1000
        fresh_ns = round(last_ms * NS_PER_S / 1000) - utc_less_clock_ns if last_ms != self._last_packet_ms else None
        self.last_packet_ns = self.last_packet_ns if fresh_ns is None else fresh_ns
        came_ms = (self._now.received - before.received) * PACKET_MS
        flowing = came_ms >= read_ms - self._read_ms - PACKET_MS
        thrown = self._discards.read(self._now.received, inbound.packets_discarded, flowing=flowing)
        reading = Reading(
            counted_ms=_mean_wait_ms(before, self._now),
            taken=(self._now.emitted - before.emitted) // PACKET_SAMPLES,
            last_packet_ns=fresh_ns,
            age_ms=read_ms - last_ms,
            waiting=self._now.received - thrown - self._now.emitted // PACKET_SAMPLES,
            flowing=flowing,
        )
        self._last_packet_ms, self._read_ms = last_ms, read_ms
        self._counted_ms = reading.counted_ms if reading.taken > 1 else None
        self._counts += reading.counted_ms is not None
        self._wait.read(reading, tick_ns)
        onset = self._onset
        if onset is not None and onset.restarts and reading.taken:
            onset.restarts = False
            onset.restart_wait_ms = self._wait.first_wait_ms(reading) if silence_made else None

    def second(self) -> Media:
        """The statistics since the last call."""
        before, now = self._told, self._now
        self._told = now
        waited_ms = _mean_wait_ms(before, now)
        heard, self._from_server_told = self._from_server > self._from_server_told, self._from_server
        return Media(
            track=self._sid,
            received=now.received - before.received,
            lost=now.lost - before.lost,
            samples=now.samples - before.samples,
            concealed=now.concealed - before.concealed,
            jitter_ms=self._jitter_ms,
            rtt_ms=self._rtt_ms,
            jitter_buffer_ms=None if waited_ms is None else round(waited_ms, 3),
            server_heard=heard,
        )


def _ns(wait_ms: float) -> int:
    return round(max(0.0, wait_ms) * NS_PER_S / 1000)


def _mean_wait_ms(before: _Counts, now: _Counts) -> float | None:
    count = now.emitted - before.emitted
    return 1000 * (now.waited_s - before.waited_s) / count if count > 0 else None
