"""Receiving a track on engine `light`: its packets put in order and decoded a few at a time, with silence in between.

Untransmitted silence (DTX) is played too, since a caller waits for the agent to end. It costs next to nothing, unless
the agent's background is noisy: then the decoder makes comfort noise, as it does for a human listener.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.call.engines.line import Heard, LineEvents, Media
from harness.clock import NS_PER_S, Clock
from harness.hearing.level import peak
from harness.transport.opus import FRAME, SAMPLE_RATE, Decoder
from harness.transport.pacer import PACKET_NS, SLOT_NS, SLOTS
from harness.transport.reception import DTX_BYTES, Counts, Piece, Reception
from harness.transport.rtp import RtpPacket

# Packet times between two looks: as many packets share the cost of one look, and an onset is detected as much later.
# While the agent speaks only its end matters, which takes longer to detect anyway; while it sends nothing, there is
# nothing to detect.
HEAR_EVERY, HEAR_SELDOM = 4, 8
SPEECH = 1000  # peak out of 32,767 above which audio is hardly the noise between an agent's words
AUDIBLE = 10  # peak out of 32,767: -70 dBFS; an agent whose silence is below it has no background noise
_TURNS = itertools.count()
OVERFLOW_NS = 10 * NS_PER_S  # audio that waited longer to be read is useless


class LightEar:
    """Hears one track from now on; the pacer calls `listen`.

    Args:
        sid: The track's sid.
        clock: Time source.
        events: Receives what is heard.
        rtt_ms: Returns the network's round-trip time, if known.
        stamped: Returns whether the kernel timestamps received packets.
        server_heard_ns: Returns when anything other than media was last received from the server.
    """

    def __init__(
        self,
        sid: str,
        clock: Clock,
        events: LineEvents,
        *,
        rtt_ms: Callable[[], float | None],
        stamped: Callable[[], bool],
        server_heard_ns: Callable[[], int],
    ) -> None:
        now_ns = clock.now_ns()
        self._sid = sid
        self._server_heard_ns = server_heard_ns
        self.reception = Reception(now_ns)
        self._clock = clock
        self._events = events
        self._rtt_ms = rtt_ms
        self._stamped = stamped
        self._decoder = Decoder()
        self._last = np.zeros(FRAME, np.int16)
        self._noisy: bool | None = None
        # Spreads the calls over the packet times: what several hear in one of them delays everything that is due in it.
        self._phase = next(_TURNS) // SLOTS % HEAR_EVERY
        self._time = self._next_look = 0  # packet times
        self._nothing_sent = False
        self.last_packet_ns: int | None = None
        self._late_ns = 0
        self._waited_ns = 0
        self._tell_ns = now_ns + NS_PER_S
        self._told = Counts()

    def arrived(self, packet: RtpPacket, came_ns: int) -> None:
        """Takes a packet from the agent."""
        # Waiting for the end of a slot is by design. If the kernel timestamps it, no time depends on when it was read.
        self._waited_ns = max(self._waited_ns, self._clock.now_ns() - came_ns - SLOT_NS)
        if not self._stamped():
            self._late_ns = max(self._late_ns, self._waited_ns)
        self.last_packet_ns = came_ns
        self.reception.arrived(packet, came_ns)
        if self._nothing_sent and len(packet.payload) > DTX_BYTES:
            self._nothing_sent = False
            self._next_look = min(self._next_look, self._in_phase(self._time + 1))

    def listen(self, due_ns: int, now_ns: int) -> None:
        """Processes what has arrived; see `pacer.Job`."""
        self._time = due_ns // PACKET_NS
        if self._time >= self._next_look:
            self._next_look = self._in_phase(self._time + 1)
            self._look(now_ns)

    def _in_phase(self, time: int) -> int:
        """The first packet time from `time` on in which this track may be heard."""
        return time + (self._phase - time) % HEAR_EVERY

    def _look(self, now_ns: int) -> None:
        pieces = self.reception.play(now_ns)
        self._nothing_sent = all(piece.payload is None for piece in pieces)
        if self._nothing_sent:
            self._next_look += HEAR_SELDOM - HEAR_EVERY
        if pieces:
            late_ns, self._late_ns = self._late_ns, 0
            waited_ns, self._waited_ns = self._waited_ns, 0
            if waited_ns > OVERFLOW_NS:
                self._events.on_overflow(now_ns)
            position = pieces[0].position
            wire_of = self.reception.wire_at
            samples = self._decoded(pieces)
            if pieces[-1].payload is not None and peak(samples) > SPEECH:
                self._next_look += HEAR_SELDOM - HEAR_EVERY
            self._events.on_heard(
                Heard(self._sid, samples, position, wire_of(position), late_ns=late_ns, wire_of=wire_of)
            )
        if now_ns >= self._tell_ns:
            self._events.on_media(now_ns, self._media(now_ns))
            self._tell_ns += NS_PER_S

    def finish(self, now_ns: int) -> None:
        """Processes what is left at the track's end."""
        self._look(now_ns)

    def _decoded(self, pieces: Sequence[Piece]) -> NDArray[np.int16]:
        samples = np.zeros(sum(piece.samples for piece in pieces), np.int16)
        address = samples.ctypes.data
        start = 0
        for piece in pieces:
            stop = start + piece.samples
            if piece.payload is not None:
                self._decoder.decode_at(piece.payload, address + start * samples.itemsize, piece.samples)
                self._last, self._noisy = samples[start:stop], None
            elif not piece.lost and self._is_noisy():
                self._make_noise(samples[start:stop])
            start = stop
        return samples

    def _is_noisy(self) -> bool:
        if self._noisy is None:
            self._noisy = peak(self._last) > AUDIBLE
        return self._noisy

    def _make_noise(self, part: NDArray[np.int16]) -> None:
        for start in range(0, part.size - part.size % FRAME, FRAME):
            self._decoder.comfort_noise(part[start : start + FRAME])

    def _media(self, now_ns: int) -> Media:
        now = replace(self.reception.counts)
        before, self._told = self._told, now
        received = now.received - before.received
        return Media(
            track=self._sid,
            received=received,
            lost=now.lost - before.lost,
            samples=now.samples - before.samples,
            concealed=now.concealed - before.concealed,
            behind_ms=round((now.behind - before.behind) * 1000 / SAMPLE_RATE, 1),
            jitter_ms=round(self.reception.jitter_ms, 3),
            rtt_ms=self._rtt_ms(),
            server_heard=received > 0 or self._server_heard_ns() > now_ns - NS_PER_S,
        )

    def close(self) -> None:
        """Closes the decoder."""
        self._decoder.close()
