"""One received stream: the order and position in which its packets are played, and RFC 3550's statistics. Pure.

A position is in samples at 48 kHz, from when listening began. RTP time advances through silence that a sender does not
transmit (DTX), so a gap in timestamps is silence; only a gap in sequence numbers is loss. A packet's arrival is the
time of its middle sample, as `docs/metrics.md` defines times on the wire.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from harness.clock import NS_PER_MS
from harness.transport.opus import SAMPLE_RATE, packet_samples
from harness.transport.rtp import RtpPacket, Unwrapper

NS_PER_SAMPLE = 1e9 / SAMPLE_RATE
REORDER_NS = 40 * NS_PER_MS  # how long to wait for a missing packet after a later one has arrived
DTX_BYTES = 3  # packets of at most this size announce untransmitted silence
# How long after its due time a packet that has not arrived is taken for silence: soon if silence was announced, else
# after the most that a late packet may take.
ANNOUNCED_NS, UNANNOUNCED_NS = 50 * NS_PER_MS, 200 * NS_PER_MS
MOST_DROPOUT, MOST_MISORDER = 3000, 100  # sequence numbers further apart belong to another stream (RFC 3550, A.1)
MOVED = SAMPLE_RATE // 2  # timestamps that deviate more from the arrivals have been reset
WHOLE = SAMPLE_RATE // 100  # silence is played in whole frames of 10 ms
REMEMBERED = 128  # packets whose arrivals are kept: longer than an onset is backdated


class Piece(NamedTuple):
    """The next thing to play: a packet's payload, or None for audio that was lost or not sent."""

    position: int
    samples: int
    payload: bytes | None
    lost: bool = False


@dataclass(slots=True)
class Counts:
    """Statistics since the stream began.

    Attributes:
        received: Packets, without duplicates.
        expected: Packets, by the sequence numbers.
        doubled: Duplicate packets.
        reordered: Packets that arrived after one that was sent later.
        late: Those of them that arrived too late to be played.
        junk: Packets that held no Opus, or stray ones of another stream.
        concealed: Samples of lost packets.
        samples: Samples played, including silence and lost ones.
        behind: By how many samples the sender's clock fell behind the arrivals, summed over consecutive packets.
    """

    received: int = 0
    expected: int = 0
    doubled: int = 0
    reordered: int = 0
    late: int = 0
    junk: int = 0
    concealed: int = 0
    samples: int = 0
    behind: float = 0.0

    @property
    def lost(self) -> int:
        """Packets that have not arrived (RFC 3550, A.3)."""
        return self.expected - self.received


class _Waiting(NamedTuple):
    timestamp: int
    samples: int
    payload: bytes
    arrival_ns: int


class _Played(NamedTuple):
    """A packet that was played: its position, and its first sample's arrival; `offset` is position minus timestamp."""

    position: int
    first_ns: float
    offset: int | None = None


class Reception:
    """Takes packets as they arrive and returns what to play, with the arrival time of each sample.

    Args:
        start_ns: When listening begins: position 0.
    """

    def __init__(self, start_ns: int) -> None:
        self.counts = Counts()
        self.played = 0
        """Position up to which everything has been played."""
        self._jitter = 0.0
        self._transit: float | None = None
        self._sequences = Unwrapper(16)
        self._shift = 0
        self._anew = False
        self._timestamps = Unwrapper(32)
        self._received: set[int] = set()
        self._first = self._highest = 0
        self._stray: int | None = None
        self._next: int | None = None
        self._waiting: dict[int, _Waiting] = {}
        self._offset: int | None = None
        self._announced = True
        self._played = deque([_Played(0, float(start_ns))], maxlen=REMEMBERED)

    @property
    def jitter_ms(self) -> float:
        """The interarrival jitter (RFC 3550, A.8)."""
        return self._jitter * 1000 / SAMPLE_RATE

    def restart(self) -> None:
        """Prepares for another stream, which continues where this one ends."""
        self._anew = True
        self._stray = self._offset = self._transit = None

    # -- packets arrive --------------------------------------------------------------------------------------------

    def arrived(self, packet: RtpPacket, arrival_ns: int) -> None:
        """Takes a packet that arrived at `arrival_ns`."""
        samples = packet_samples(packet.payload)
        if not samples or self._is_stray(packet.sequence):
            self.counts.junk += 1
            return
        if self._anew:
            self._anew = False
            self._sequences, self._timestamps = Unwrapper(16), Unwrapper(32)
            self._shift = self._highest + 1 - packet.sequence
        sequence = self._sequences.unwrap(packet.sequence) + self._shift
        if self._next is None:
            self._next = self._first = self._highest = sequence
        elif sequence in self._received:
            self.counts.doubled += 1
            return
        timestamp = self._timestamps.unwrap(packet.timestamp)
        self._count(sequence)
        transit = arrival_ns / NS_PER_SAMPLE - timestamp
        if self._transit is not None:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit
        if sequence < self._next:
            self.counts.late += 1
        else:
            self._waiting[sequence] = _Waiting(timestamp, samples, packet.payload, arrival_ns)

    def _count(self, sequence: int) -> None:
        self._received.add(sequence)
        self.counts.received += 1
        if sequence < self._highest:
            self.counts.reordered += 1
            self._first = min(self._first, sequence)
        else:
            self._highest = sequence
            if len(self._received) > 2 * MOST_MISORDER:
                self._received = {one for one in self._received if one >= sequence - MOST_MISORDER}
        self.counts.expected = self._highest - self._first + 1

    def _is_stray(self, number: int) -> bool:
        """Whether a sequence number is far from the others; two such in a row mean that the stream was restarted."""
        if self._next is None or self._anew:
            return False
        last = self._highest - self._shift
        ahead = (number - last + 0x8000) % 0x10000 - 0x8000
        if -MOST_MISORDER <= ahead <= MOST_DROPOUT:
            self._stray = None
            return False
        if self._stray is None or number != (self._stray + 1) & 0xFFFF:
            self._stray = number
            return True
        self.restart()
        return False

    # -- and are played --------------------------------------------------------------------------------------------

    def play(self, now_ns: int) -> list[Piece]:
        """Everything that can be played now, contiguous with the last piece."""
        pieces: list[Piece] = []
        while self._waiting and self._next is not None:
            if self._next not in self._waiting:
                following = min(self._waiting)
                if now_ns - self._waiting[following].arrival_ns < REORDER_NS:
                    return pieces
            else:
                following = self._next
            missing = following - self._next
            self._next = following + 1
            self._play(self._waiting.pop(following), missing, pieces)
        self._play_silence(now_ns, pieces)
        return pieces

    def _play(self, packet: _Waiting, missing: int, pieces: list[Piece]) -> None:
        first_ns = packet.arrival_ns - packet.samples / 2 * NS_PER_SAMPLE
        position = by_arrival = self._position_at(first_ns)
        if self._offset is not None and abs(packet.timestamp + self._offset - by_arrival) < MOVED:
            position = packet.timestamp + self._offset
        # A sender that stops its clock in silence resumes at our position, not where that silence began.
        position = max(position, self.played)
        self._offset = position - packet.timestamp
        gap = position - self.played
        lost = min(gap, missing * packet.samples)
        if gap > lost:
            self._add(pieces, Piece(self.played, gap - lost, None))
        if lost:
            self.counts.concealed += lost
            self._add(pieces, Piece(self.played, lost, None, lost=True))
        self._add(pieces, Piece(position, packet.samples, packet.payload))
        before = self._played[-1]
        if not missing and before.offset == self._offset:  # by its own timestamps, which were not shifted
            self.counts.behind += (first_ns - before.first_ns) / NS_PER_SAMPLE - (position - before.position)
        self._played.append(_Played(position, first_ns, self._offset))
        self._announced = len(packet.payload) <= DTX_BYTES

    def _play_silence(self, now_ns: int, pieces: list[Piece]) -> None:
        after_ns = ANNOUNCED_NS if self._announced else UNANNOUNCED_NS
        silent = self._position_at(now_ns - after_ns) - self.played
        if silent >= WHOLE:
            self._add(pieces, Piece(self.played, silent - silent % WHOLE, None))

    def _add(self, pieces: list[Piece], piece: Piece) -> None:
        pieces.append(piece)
        self.played = piece.position + piece.samples
        self.counts.samples += piece.samples

    def _position_at(self, t_ns: float) -> int:
        """The position of the sample that arrived at `t_ns`, by the last packet played."""
        last = self._played[-1]
        return last.position + round((t_ns - last.first_ns) / NS_PER_SAMPLE)

    def wire_at(self, position: int) -> int:
        """When the sample at `position` arrived; in silence, extrapolated from the packet before."""
        played = self._played[-1]
        if position < played.position:
            index = bisect_right(self._played, position, key=lambda played: played.position)
            played = self._played[max(0, index - 1)]
        return round(played.first_ns + (position - played.position) * NS_PER_SAMPLE)
