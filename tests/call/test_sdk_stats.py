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


# Of calls, as read at the time: read at (ms), age of the last packet (ms), when it came after a tick (ms), packets that
# came and were thrown away, packets taken, how long these had waited in all (ms), samples inserted and removed.
WITH_COPIES = [
    (0.0, 13.6, 9.4, 617, 553, 617, 18510, 0, 0),
    (503.3, 197.2, 9.1, 633, 569, 634, 18990, 0, 0),
    (1005.8, 277.5, 1.5, 635, 569, 636, 19040, 0, 0),
    (1509.6, 364.0, 8.6, 637, 569, 638, 19090, 0, 0),
    (2013.7, 28.0, 8.8, 641, 569, 642, 19200, 0, 0),
    (2517.7, 112.6, 8.2, 643, 569, 644, 19260, 0, 0),
    (2637.6, 12.0, 8.7, 646, 571, 646, 19320, 0, 0),  # at an onset
    (2691.1, 5.6, 8.7, 649, 574, 649, 19410, 0, 0),
    (3194.3, 9.0, 8.5, 674, 599, 674, 20140, 0, 0),
    (3697.4, 11.1, 9.4, 699, 624, 699, 20870, 0, 0),
    (4199.9, 194.6, 8.5, 715, 640, 716, 21360, 0, 0),
    (4702.9, 277.7, 8.5, 717, 640, 718, 21420, 0, 0),
    (
        5017.7,
        11.9,
        9.0,
        721,
        641,
        721,
        21510,
        0,
        0,
    ),  # at an onset: as many copies were thrown away as packets lay there
    (5072.2, 6.7, 8.7, 724, 644, 724, 21600, 0, 0),
]
TAKEN_AHEAD = [
    (0.0, 15.0, 6.2, 95, 0, 94, 3760, 1975, 1325),
    (53.9, 8.6, 6.6, 98, 0, 96, 3820, 1975, 1590),
    (557.0, 12.5, 5.7, 123, 0, 121, 4770, 1975, 1590),
    (1060.2, 15.2, 6.2, 148, 0, 147, 5800, 1975, 1590),
    (1564.9, 200.4, 5.8, 164, 0, 164, 6480, 1975, 1590),
    (2071.9, 286.5, 6.7, 166, 0, 166, 6560, 1975, 1590),
    (2575.3, 369.5, 7.1, 168, 0, 168, 6640, 1975, 1590),
    (3079.6, 34.2, 6.7, 172, 0, 172, 6800, 1975, 1590),
    (3360.5, 15.1, 6.6, 175, 0, 175, 6890, 1975, 1855),  # at an onset: 5.5 ms were cut out of what was taken for it
    (3414.1, 8.2, 7.0, 178, 0, 176, 6930, 1975, 1855),
]
# The same, with samples concealed with a sound and with silence: of an agent that sends no packets in silence.
NOTHING_IN_SILENCE = [
    (0.0, 6.0, 5.6, 3, 0, 3, 70, 265, 0, 0, 0),
    (504.6, 4.1, 5.7, 28, 0, 26, 950, 2386, 0, 0, 0),
    (1010.5, 9.5, 5.7, 54, 0, 52, 2110, 2386, 1061, 0, 0),
    (1512.5, 211.1, 5.7, 68, 0, 68, 2600, 2386, 1061, 1560, 6240),
    (2015.5, 714.2, 5.7, 68, 0, 68, 2600, 2386, 1061, 1560, 30240),
    (2518.0, 1216.7, 5.7, 68, 0, 68, 2600, 2386, 1061, 1560, 54720),
    (3022.0, 1720.7, 5.7, 68, 0, 68, 2600, 2386, 1061, 1560, 78720),
    (3277.8, 6.4, 5.7, 71, 0, 70, 2670, 2386, 1061, 1560, 97920),  # at an onset: its packets waited 40 and 30 ms
    (3333.1, 2.9, 5.7, 74, 0, 72, 2700, 2386, 1326, 1560, 97920),
]


def waits(stats: TrackStats, recorded: list[tuple[float, ...]]) -> list[float]:
    """What the jitter buffer's wait is after each reading, in ms."""
    told = []
    for at_ms, age_ms, place_ms, received, discarded, taken, ticks_ms, inserted, removed, *concealed in recorded:
        last_ms = 1_000_000 + at_ms - age_ms
        stat = inbound(
            int(received),
            0,
            packets_discarded=int(discarded),
            jitter_buffer_emitted_count=960 * int(taken),
            jitter_buffer_delay=960 * ticks_ms / 1000,
            inserted_samples_for_deceleration=int(inserted),
            removed_samples_for_acceleration=int(removed),
            concealed_samples=int(sum(concealed)),
            silent_concealed_samples=int(sum(concealed[1:])),
            last_packet_received_timestamp=last_ms,
        )
        stat.inbound_rtp.rtc.timestamp = round(1000 * (last_ms + age_ms))
        stats.read([stat], utc_less_clock_ns=0, tick_ns=round((last_ms - place_ms) * 1e6))
        told.append(stats.jitter_buffer_ns / 1e6)
    return told


def test_copies_of_packets_are_no_packets_that_the_buffer_threw_away() -> None:
    told = waits(TrackStats("TR_1"), WITH_COPIES)
    assert told[2:] == pytest.approx([20.9] * 12, abs=1.0), "30 ms are counted, and packets come 9.1 ms after a tick"


async def test_an_onset_at_the_very_end_of_the_wait_for_one_is_not_missed() -> None:
    stats = TrackStats("TR_1")
    assert not await stats.wanted_within(0)
    stats.wanted.set()
    assert await stats.wanted_within(0)
    assert not await stats.wanted_within(0)


def test_what_is_taken_ahead_at_an_onset_says_nothing_of_how_long_the_onset_had_waited() -> None:
    stats = TrackStats("TR_1")
    *_, before_ms = waits(stats, TAKEN_AHEAD[:-2])
    stats.onset_begins()
    assert waits(stats, TAKEN_AHEAD[-2:]) == [before_ms] * 2
    assert before_ms == pytest.approx(40 - 7 + 8, abs=0.5), "40 ms counted, 6.6 + 0.4 after a tick, 8 ms lay ready"


def test_an_onset_after_a_silence_without_packets_is_told_by_its_own_packets() -> None:
    stats = TrackStats("TR_1")
    waits(stats, TAKEN_AHEAD[:-4])
    at_ms, age_ms, place_ms, received, discarded, taken, ticks_ms, inserted, removed = TAKEN_AHEAD[-5]
    waits(stats, [(at_ms + 1000, age_ms + 1000, *TAKEN_AHEAD[-5][2:])])
    stats.onset_begins()
    voice = (at_ms + 2000, 4.0, place_ms, received + 4, discarded, taken + 2, ticks_ms + 2 * 50, inserted, removed)
    assert waits(stats, [voice]) == pytest.approx([50 - 7.1 + 8], abs=1.0)


def test_silence_that_was_made_up_for_a_silent_agent_is_not_taken_from_its_onsets_wait() -> None:
    stats = TrackStats("TR_1")
    waits(stats, NOTHING_IN_SILENCE[:-2])
    stats.onset_begins()
    assert waits(stats, NOTHING_IN_SILENCE[-2:]) == pytest.approx([40 - 6.1] * 2, abs=0.1), "of the first packet"


def test_the_first_onset_of_a_call_is_told_by_its_own_packets() -> None:
    stats = TrackStats("TR_1")
    waits(stats, TAKEN_AHEAD[:2])
    stats.onset_begins()
    at_ms, age_ms, place_ms, received, discarded, taken, ticks_ms, inserted, removed = TAKEN_AHEAD[1]
    voice = (at_ms + 60, age_ms, place_ms, received + 3, discarded, taken + 3, ticks_ms + 3 * 50, inserted, removed)
    assert waits(stats, [voice]) == pytest.approx([50 - 7 + 8], abs=1.0)


def test_first_packets_that_waited_much_less_than_those_before_are_believed() -> None:
    stats = TrackStats("TR_1")
    waits(stats, TAKEN_AHEAD[:-2])
    stats.onset_begins()
    at_ms, _, place_ms, received, discarded, taken, ticks_ms, inserted, removed = TAKEN_AHEAD[-3]
    late = (at_ms + 280, 4.0, place_ms, received + 3, discarded, taken + 1, ticks_ms + 10, inserted, removed)
    assert waits(stats, [late]) == pytest.approx([40 - 7 + 8], abs=1.0), "a single one came late"
    voice = (at_ms + 340, 4.0, place_ms, received + 6, discarded, taken + 5, ticks_ms + 5 * 10, inserted, removed)
    assert waits(stats, [voice]) == pytest.approx([10 - 7.1 + 8], abs=1.0)
