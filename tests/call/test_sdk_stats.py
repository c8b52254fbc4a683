"""The SDK's statistics as seconds of media health; the messages are the SDK's own."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from livekit import rtc

from harness.call.engines.line import Media
from harness.call.engines.sdk_stats import TrackStats

CLOCK_MS = count(1000, 1000)


def inbound(received: int, lost: int, *, jitter: float = 0.001, **counts: Any) -> rtc.stats.RtcStats:
    stat = rtc.stats.RtcStats()
    stat.inbound_rtp.received.packets_received = received
    stat.inbound_rtp.received.packets_lost = lost
    stat.inbound_rtp.received.jitter = jitter
    for name, value in counts.items():
        setattr(stat.inbound_rtp.inbound, name, value)
    return stat


def read(stats: TrackStats, answer: list[rtc.stats.RtcStats]) -> None:
    """An answer of its own time: the same one twice would be taken for the SDK's cached one."""
    for stat in answer:
        if stat.WhichOneof("stats") == "inbound_rtp":
            stat.inbound_rtp.rtc.timestamp = 1000 * next(CLOCK_MS)
    stats.read(answer, utc_less_clock_ns=0, tick_ns=None)


def test_the_same_answer_again_tells_nothing_new() -> None:
    stats = TrackStats("TR_1")
    answer = [inbound(50, 0, jitter_buffer_delay=480.0, jitter_buffer_emitted_count=9600)]
    read(stats, answer)
    before_ns = stats.jitter_buffer_ns
    stats.read(answer, utc_less_clock_ns=0, tick_ns=None)
    assert stats.jitter_buffer_ns == before_ns
    assert stats.second().jitter_buffer_ms == 50.0


def test_an_onset_is_told_with_the_buffer_as_it_was_before_it_was_shortened() -> None:
    stats = TrackStats("TR_1")
    counts = {"jitter_buffer_delay": 960 * 0.06, "jitter_buffer_emitted_count": 960}
    read(stats, [inbound(1, 0, **counts)])
    stats.onset_begins()
    counts = {"jitter_buffer_delay": 960 * 0.11, "jitter_buffer_emitted_count": 1920}
    read(stats, [inbound(2, 0, removed_samples_for_acceleration=480, **counts)])
    assert stats.jitter_buffer_ns == 55_000_000, "50 ms are counted, half a tick off, and 10 ms were taken out since"
    stats.onset_ended()
    assert stats.jitter_buffer_ns == 45_000_000


def test_the_wait_is_never_below_zero_and_the_first_packets_are_not_corrected() -> None:
    stats = TrackStats("TR_1")
    stats.onset_begins()
    counts = {"jitter_buffer_delay": 960 * 0.03, "jitter_buffer_emitted_count": 960}
    read(stats, [inbound(1, 0, concealed_samples=4800, **counts)])
    assert stats.jitter_buffer_ns == 25_000_000, "half a tick less than counted, whatever was made up before"
    stats.onset_begins()
    counts = {"jitter_buffer_delay": 960 * 0.06, "jitter_buffer_emitted_count": 1920}
    read(stats, [inbound(2, 0, concealed_samples=9600, **counts)])
    assert stats.jitter_buffer_ns == 0


def pair(rtt_s: float, *, nominated: bool = True) -> rtc.stats.RtcStats:
    stat = rtc.stats.RtcStats()
    stat.candidate_pair.candidate_pair.current_round_trip_time = rtt_s
    stat.candidate_pair.candidate_pair.nominated = nominated
    return stat


def test_each_second_tells_what_happened_in_it() -> None:
    stats = TrackStats("TR_1")
    # WebRTC counts the jitter buffer's delay in seconds, summed over samples.
    buffered = {"jitter_buffer_delay": 48_000 * 0.06, "jitter_buffer_emitted_count": 48_000}
    read(stats, [inbound(50, 1, total_samples_received=48_000, concealed_samples=960, **buffered), pair(0.02)])
    assert stats.second() == Media("TR_1", 50, 1, 48_000, 960, 1.0, 20.0, 60.0, server_heard=False)
    buffered = {"jitter_buffer_delay": 48_000 * 0.06 + 24_000 * 0.04, "jitter_buffer_emitted_count": 72_000}
    read(stats, [inbound(75, 0, total_samples_received=96_000, concealed_samples=960, **buffered), pair(0.03)])
    assert stats.second() == Media("TR_1", 25, -1, 48_000, 0, 1.0, 30.0, 40.0, server_heard=False)


def test_silence_put_in_for_silence_is_not_concealed() -> None:
    stats = TrackStats("TR_1")
    read(
        stats, [inbound(3, 0, total_samples_received=48_000, concealed_samples=40_000, silent_concealed_samples=39_520)]
    )
    assert stats.second().concealed == 480


def test_where_nothing_came_the_jitter_buffer_held_nothing() -> None:
    stats = TrackStats("TR_1")
    read(stats, [inbound(0, 0)])
    assert (stats.begun, stats.second().jitter_buffer_ms) == (False, None)
    read(stats, [inbound(50, 0, jitter_buffer_delay=480.0, jitter_buffer_emitted_count=9600)])
    read(stats, [inbound(99, 0, jitter_buffer_delay=864.0, jitter_buffer_emitted_count=19_200)])
    assert (stats.begun, stats.second().jitter_buffer_ms) == (True, pytest.approx(45))
    read(stats, [inbound(99, 0, jitter_buffer_delay=864.0, jitter_buffer_emitted_count=19_200)])
    assert stats.second().jitter_buffer_ms is None


def test_the_round_trip_is_the_one_of_the_path_in_use() -> None:
    stats = TrackStats("TR_1")
    read(stats, [pair(0.5, nominated=False), inbound(1, 0), pair(0.004)])
    assert stats.second().rtt_ms == pytest.approx(4)
    assert TrackStats("TR_1").second().rtt_ms is None
