"""A room's data packets: ours go out on a reliable channel of the publisher, others' come in on the subscriber."""

from __future__ import annotations

import asyncio

from livekit.protocol import models

from harness.transport.peer import Peer
from harness.transport.room_events import RoomEvents

RELIABLE, LOSSY = "_reliable", "_lossy"


class DataPackets:
    """Sends data packets, and reports those that come to `events`, until `end`."""

    def __init__(self, publisher: Peer, subscriber: Peer, events: RoomEvents) -> None:
        self._events = events
        self._ended = False
        subscriber.on_message = self._message
        self._channel = publisher.open_channel(RELIABLE)
        self.open = asyncio.Event()
        """Set once data can be sent."""
        self._channel.on("open", self.open.set)

    def send(self, topic: str, payload: bytes) -> None:
        """Sends a data packet, reliably and in order.

        Raises:
            ConnectionError: The room is gone, or nothing was published before.
        """
        if self._ended or self._channel.readyState != "open":
            raise ConnectionError("the data channel is not open")
        user = models.UserPacket(payload=payload, topic=topic)
        packet = models.DataPacket(kind=models.DataPacket.RELIABLE, user=user)
        self._channel.send(packet.SerializeToString())

    def end(self) -> None:
        """The room is over: nothing is sent or reported from now on."""
        self._ended = True

    def _message(self, label: str, data: bytes, came_ns: int) -> None:
        if label not in (RELIABLE, LOSSY) or self._ended:
            return
        try:
            packet = models.DataPacket.FromString(data)
        except Exception:  # protobuf's DecodeError: junk  # noqa: BLE001
            return
        if packet.WhichOneof("value") != "user":
            return
        user = packet.user
        identity = packet.participant_identity or user.participant_identity or None
        self._events.data_came(came_ns, user.topic, user.payload, identity)
