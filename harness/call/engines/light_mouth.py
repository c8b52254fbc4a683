"""What a caller on engine `light` sends: pre-encoded packets, one per 20 ms, with silence between utterances."""

from __future__ import annotations

import asyncio
import statistics
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.call.engines.line import NS_PER_SAMPLE, LineEvents
from harness.clock import Clock
from harness.transport.opus import FRAME, LOOK_AHEAD, Encoded, silence
from harness.transport.pacer import PACKET_NS

SendPacket = Callable[[bytes, Callable[[int], None]], None]  # sends a packet and reports its departure time (ns)


class LightUtterance:
    """An utterance being sent; its k-th packet was due at `due_ns[k]` and left at `left_at_ns[k]`."""

    def __init__(self, pcm: NDArray[np.int16], not_before_ns: int) -> None:
        self.pcm = pcm
        self.not_before_ns = not_before_ns
        self.packets: list[bytes] | None = None
        self.due_ns: list[int] = []
        self.left_at_ns: list[int] = []
        self._done = asyncio.Event()

    def end(self) -> None:
        """Ends it; nothing more of it will be sent."""
        self._done.set()

    async def finished(self) -> None:
        """See `Speaking.finished`."""
        await self._done.wait()

    def samples_of(self, packet: int) -> NDArray[np.int16]:
        """The samples that a packet was encoded from; the last packets may have less than 20 ms."""
        return self.pcm[packet * FRAME : (packet + 1) * FRAME]

    def said_ns(self, position: int) -> int:
        """See `Speaking.said_ns`: departure time minus the encoder's look-ahead."""
        return self.left_ns(position - LOOK_AHEAD)

    def left_ns(self, position: int) -> int:
        """See `Speaking.left_ns`; beyond what was sent it extrapolates from the last packet.

        It is based on the packet's deadline and the packets' usual lateness: a single late packet is not heard any
        later, as the receiver's jitter buffer absorbs that.
        """
        packet, rest = divmod(position + LOOK_AHEAD, FRAME)
        within_ns = round((rest - FRAME / 2) * NS_PER_SAMPLE)
        if not self.due_ns:
            return self.not_before_ns + packet * PACKET_NS + within_ns
        last = min(max(packet, 0), len(self.due_ns) - 1)
        pairs = zip(self.due_ns, self.left_at_ns, strict=True)
        late_ns = round(statistics.median(left_ns - due_ns for due_ns, left_ns in pairs))
        return self.due_ns[last] + late_ns + (packet - last) * PACKET_NS + within_ns


class LightMouth:
    """Hands a packet to the network each time that the pacer calls `send`.

    Args:
        encoded: The cache of encoded utterances.
        clock: Time source.
        events: Receives an event for each packet.
    """

    def __init__(self, encoded: Encoded, clock: Clock, events: LineEvents) -> None:
        self._encoded = encoded
        self._clock = clock
        self._events = events
        self._queue: deque[LightUtterance] = deque()
        self._encoding: set[asyncio.Future[None]] = set()
        self._send: SendPacket | None = None
        self._saying: LightUtterance | None = None
        self._due_ns = 0
        self._silence = silence()

    def begin(self, send: SendPacket) -> None:
        """Starts sending packets through `send`."""
        self._send = send

    def speak(self, pcm: NDArray[np.int16], *, not_before_ns: int = 0) -> LightUtterance:
        """Queues an utterance; its first packet is sent at the first deadline at or after `not_before_ns`."""
        utterance = LightUtterance(pcm, not_before_ns)
        self._queue.append(utterance)
        utterance.packets = self._encoded.get(pcm)
        if utterance.packets is None:
            encoding = asyncio.ensure_future(self._encode(utterance))
            self._encoding.add(encoding)
            encoding.add_done_callback(self._encoding.discard)
        return utterance

    async def _encode(self, utterance: LightUtterance) -> None:
        try:
            utterance.packets = await asyncio.to_thread(self._encoded.make, utterance.pcm)
        except Exception as problem:  # ends the call instead of leaving it waiting for ever  # noqa: BLE001
            self._events.on_broken(self._clock.now_ns(), f"{type(problem).__name__}: {problem}")

    def send(self, due_ns: int, now_ns: int) -> None:
        """Sends the next packet, due at `due_ns`; see `pacer.Job`."""
        del now_ns
        if self._send is None:
            return
        self._due_ns = due_ns
        utterance = self._saying = self._next(due_ns)
        if utterance is None or utterance.packets is None:
            self._send(self._silence, self._left)
        else:
            self._send(utterance.packets[len(utterance.due_ns)], self._left)

    def _left(self, left_ns: int) -> None:
        """Records that the last packet sent has left."""
        utterance = self._saying
        if utterance is None or utterance.packets is None:
            self._events.on_sent(self._due_ns, left_ns, None)
            return
        index = len(utterance.due_ns)
        utterance.due_ns.append(self._due_ns)
        utterance.left_at_ns.append(left_ns)
        if index + 1 == len(utterance.packets):
            self._queue.popleft()
            utterance.end()
        self._events.on_sent(self._due_ns, left_ns, utterance.samples_of(index))

    def _next(self, due_ns: int) -> LightUtterance | None:
        # A packet leaves when its middle is due: its first sample was due half a packet earlier.
        if not self._queue or self._queue[0].packets is None or due_ns < self._queue[0].not_before_ns:
            return None
        return self._queue[0]

    def end(self) -> None:
        """Stops sending; unfinished utterances end."""
        self._send = None
        for encoding in self._encoding:
            encoding.cancel()
        for utterance in self._queue:
            utterance.end()
        self._queue.clear()
