from __future__ import annotations

import random

import pytest

from harness.clock import NS_PER_MS
from harness.transport.reception import NS_PER_SAMPLE, REORDER_NS, Piece, Reception
from harness.transport.rtp import RtpPacket

VOICE = b"\x78" + bytes(60)  # CELT, 20 ms
DTX = b"\x78"
START_NS = 1_000_000_000_000
PACKET_NS = 20 * NS_PER_MS


class Sender:
    """Makes packets and hands each over as long after its time as a test says."""

    def __init__(self, *, sequence: int = 65_530, timestamp: int = 2**32 - 5000) -> None:
        self.reception = Reception(START_NS)
        self.pieces: list[Piece] = []
        self.sequence = sequence
        self.timestamp = timestamp
        self.now_ns = START_NS

    def packet(self, index: int, *, samples: int | None = None, payload: bytes = VOICE) -> RtpPacket:
        """The packet of that number; `samples` is its time where that is not 20 ms times its number."""
        ticks = index * 960 if samples is None else samples
        return RtpPacket(
            111, False, (self.sequence + index) & 0xFFFF, (self.timestamp + ticks) & 0xFFFFFFFF, 1, payload
        )

    def give(self, index: int, *, late_ms: float = 0, samples: int | None = None, payload: bytes = VOICE) -> None:
        ticks = index * 960 if samples is None else samples
        arrival_ns = START_NS + round((ticks + 960) * NS_PER_SAMPLE + late_ms * NS_PER_MS)
        self.now_ns = max(self.now_ns, arrival_ns)
        self.reception.arrived(self.packet(index, samples=samples, payload=payload), arrival_ns)

    def play(self, *, after_ms: float = 0) -> list[Piece]:
        self.now_ns += round(after_ms * NS_PER_MS)
        new = self.reception.play(self.now_ns)
        self.pieces += new
        return new

    def contiguous(self) -> bool:
        ends = [0, *(piece.position + piece.samples for piece in self.pieces)]
        return [piece.position for piece in self.pieces] == ends[:-1]


def payloads(pieces: list[Piece]) -> list[bytes]:
    return [piece.payload for piece in pieces if piece.payload is not None]


def test_a_stream_without_loss_is_played_whole_over_both_wrap_arounds() -> None:
    sender = Sender()
    for index in range(100):
        sender.give(index)
        sender.play()
    assert len(payloads(sender.pieces)) == 100
    assert sender.contiguous()
    counts = sender.reception.counts
    assert (counts.received, counts.expected, counts.lost, counts.reordered, counts.doubled) == (100, 100, 0, 0, 0)
    assert sender.reception.jitter_ms < 0.01


def test_a_samples_time_is_its_packets_arrival_by_its_place_in_it() -> None:
    sender = Sender()
    for index in range(5):
        sender.give(index, late_ms=7 if index == 3 else 0)
    sender.play()
    start = next(piece.position for piece in sender.pieces if piece.payload is not None)
    arrival_ns = START_NS + 4 * PACKET_NS + 7 * NS_PER_MS
    third = start + 3 * 960
    assert sender.reception.wire_at(third + 480) == pytest.approx(arrival_ns, abs=2)
    assert sender.reception.wire_at(third) == pytest.approx(arrival_ns - 10 * NS_PER_MS, abs=2)
    assert sender.reception.wire_at(third + 959) == pytest.approx(arrival_ns + 10 * NS_PER_MS, abs=30_000)


def test_a_lost_packet_is_a_gap_that_is_waited_for_and_counted() -> None:
    sender = Sender()
    for index in (0, 1, 3):
        sender.give(index)
    assert len(payloads(sender.play())) == 2
    played = sender.play(after_ms=REORDER_NS / NS_PER_MS)
    assert [(piece.samples, piece.lost) for piece in played[:2]] == [(960, True), (960, False)]
    counts = sender.reception.counts
    assert (counts.lost, counts.concealed) == (1, 960)
    assert sender.contiguous()


def test_a_reordered_packet_is_played_in_its_place() -> None:
    sender = Sender()
    sender.give(0, payload=VOICE + b"0")
    sender.give(2, payload=VOICE + b"2")
    sender.play()
    sender.give(1, late_ms=25, payload=VOICE + b"1")
    sender.play()
    assert [payload[-1:] for payload in payloads(sender.pieces)] == [b"0", b"1", b"2"]
    counts = sender.reception.counts
    assert (counts.lost, counts.reordered, counts.late, counts.concealed) == (0, 1, 0, 0)


def test_one_that_comes_too_late_is_counted_as_received_and_not_played() -> None:
    sender = Sender()
    for index in (0, 2):
        sender.give(index)
    sender.play(after_ms=100)
    sender.give(1, late_ms=200)
    sender.play()
    assert len(payloads(sender.pieces)) == 2
    counts = sender.reception.counts
    assert (counts.lost, counts.late, counts.reordered) == (0, 1, 1)
    assert sender.contiguous()


def test_a_doubled_packet_is_played_once() -> None:
    sender = Sender()
    for index in (0, 1, 1, 0, 2):
        sender.give(index)
    sender.play()
    sender.give(1, late_ms=50)
    assert len(payloads(sender.pieces)) == 3
    counts = sender.reception.counts
    assert (counts.received, counts.doubled, counts.lost) == (3, 3, 0)


def test_silence_that_is_not_sent_is_no_loss_and_is_heard_while_it_lasts() -> None:
    sender = Sender()
    for index in range(3):
        sender.give(index)
    sender.give(3, payload=DTX)
    sender.play()
    before = sender.reception.played
    sender.play(after_ms=300)
    assert 200 * 48 <= sender.reception.played - before <= 300 * 48
    sender.give(4, samples=3 * 960 + 400 * 48, payload=DTX)
    sender.give(5, samples=3 * 960 + 420 * 48)
    sender.play()
    counts = sender.reception.counts
    assert (counts.lost, counts.concealed) == (0, 0)
    assert sender.contiguous()
    assert sender.reception.played == before - 960 + 440 * 48


def test_silence_is_heard_before_the_first_packet() -> None:
    reception = Reception(START_NS)
    pieces = reception.play(START_NS + 500 * NS_PER_MS)
    assert [piece.payload for piece in pieces] == [None]
    assert 400 * 48 <= reception.played <= 500 * 48
    assert reception.wire_at(4800) == START_NS + 100 * NS_PER_MS


def test_one_that_stops_without_a_word_is_waited_for_longer() -> None:
    sender = Sender()
    sender.give(0)
    sender.play()
    assert sender.play(after_ms=150) == []
    assert sender.play(after_ms=150)


def test_a_sender_whose_clock_stands_still_in_silence_goes_on_where_we_are() -> None:
    sender = Sender()
    sender.give(0)
    sender.give(1, payload=DTX)
    sender.play()
    sender.play(after_ms=2000)
    silent_until = sender.reception.played
    arrival_ns = sender.now_ns
    sender.reception.arrived(sender.packet(2), arrival_ns)
    assert sender.play()[-1].payload == VOICE
    assert sender.reception.played >= silent_until + 960
    assert sender.contiguous()
    assert sender.reception.wire_at(sender.pieces[-1].position + 480) == pytest.approx(arrival_ns, abs=30_000)


def test_timestamps_that_jump_by_an_hour_make_no_hour_of_silence() -> None:
    sender = Sender()
    for index in range(3):
        sender.give(index)
    sender.play()
    sender.reception.arrived(sender.packet(3, samples=3600 * 48_000), sender.now_ns + PACKET_NS)
    sender.play(after_ms=20)
    assert sender.reception.played <= 6 * 960
    assert sender.contiguous()


def test_a_stray_packet_changes_nothing_and_two_in_a_row_begin_anew() -> None:
    sender = Sender()
    for index in range(3):
        sender.give(index)
    sender.play()
    lost = sender.reception.counts.lost
    sender.give(20_000, samples=3 * 960)
    assert sender.play() == []
    assert sender.reception.counts.junk == 1
    for index in (20_001, 20_002):
        sender.give(index, samples=(index - 19_998) * 960)
    sender.play()
    assert len(payloads(sender.pieces)) == 5
    assert sender.reception.counts.lost == lost
    assert sender.contiguous()


@pytest.mark.parametrize("payload", [b"", b"\x7b", b"\x7b\x00", b"\x7b\x3f"])
def test_what_holds_no_opus_is_junk(payload: bytes) -> None:
    sender = Sender()
    sender.give(0, payload=payload)
    assert sender.reception.counts.junk == 1
    assert payloads(sender.play()) == []


def test_another_track_goes_on_where_the_first_ended() -> None:
    sender = Sender()
    for index in range(3):
        sender.give(index)
    sender.play()
    sender.reception.restart()
    other = Sender(sequence=9, timestamp=77)
    sender.reception.arrived(other.packet(0), sender.now_ns + PACKET_NS)
    sender.play(after_ms=20)
    assert len(payloads(sender.pieces)) == 4
    assert sender.reception.counts.lost == 0
    assert sender.contiguous()


def test_jitter_is_that_of_rfc_3550() -> None:
    sender = Sender()
    for index in range(400):
        sender.give(index, late_ms=4 * (index % 2))
    # Each packet's spacing is off by 4 ms, so the smoothed mean approaches it.
    assert sender.reception.jitter_ms == pytest.approx(4, rel=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_network_does_the_counts_hold_and_the_audio_has_no_hole(seed: int) -> None:
    chance = random.Random(seed)
    sender = Sender()
    arrivals: list[tuple[float, int]] = []
    sent = set(range(400))
    dropped = {index for index in range(1, 399) if chance.random() < 0.1}
    for index in sorted(sent - dropped):
        arrivals.append((index * 20 + chance.expovariate(1 / 15), index))
        if chance.random() < 0.05:
            arrivals.append((index * 20 + 30 + chance.random() * 100, index))
    arrivals.sort()
    for at_ms, index in arrivals:
        arrival_ns = START_NS + PACKET_NS + round(at_ms * NS_PER_MS)
        sender.now_ns = max(sender.now_ns, arrival_ns)
        sender.reception.arrived(sender.packet(index), arrival_ns)
        if chance.random() < 0.5:
            sender.play()
    sender.play(after_ms=500)
    counts = sender.reception.counts
    assert sender.contiguous()
    assert counts.received == len(sent - dropped)
    assert counts.lost == len(dropped)
    assert counts.doubled == len(arrivals) - len(sent - dropped)
    assert len(payloads(sender.pieces)) == counts.received - counts.late
    assert counts.samples == sender.reception.played


def behind_ms(sender: Sender) -> float:
    return sender.reception.counts.behind / 48


def test_a_sender_that_is_too_slow_falls_behind_and_jitter_does_not() -> None:
    slow, uneven = Sender(), Sender()
    for index in range(500):
        slow.give(index, late_ms=1.5 * index)
        uneven.give(index, late_ms=10 * (index % 3))
        slow.play()
        uneven.play()
    assert behind_ms(slow) == pytest.approx(1.5 * 499, abs=0.1)
    assert behind_ms(uneven) == pytest.approx(10 * (499 % 3), abs=0.1)


def test_what_is_missing_or_numbered_anew_says_nothing_of_the_senders_pace() -> None:
    sender = Sender()
    for index in range(400):
        if index % 2:
            sender.give(index, late_ms=1.5 * index)
            sender.play(after_ms=50)
    assert behind_ms(sender) == 0
