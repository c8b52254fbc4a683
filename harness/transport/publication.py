"""Our microphone in a room: how it is published, and published again, and how its packets are sent."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable

from livekit.protocol import models, rtc

from harness.errors import RoomFailure
from harness.transport import rtp, sdp
from harness.transport.opus import FRAME
from harness.transport.peer import Peer, PeerLostError
from harness.transport.signalling import Signalling
from harness.transport.udp import OnLeft


class Publication:
    """Our published microphone: each payload sent is its next 20 ms."""

    def __init__(self, peer: Peer, sid: str) -> None:
        self.sid = sid
        self._peer = peer
        chance = random.SystemRandom()
        # In the lower half: a wrap-around before the remote side's first packet would break its decryption (RFC 3711).
        self._sequence = chance.getrandbits(15)
        self._timestamp = chance.getrandbits(32)
        self._first = True

    def send(self, payload: bytes, on_left: OnLeft) -> None:
        """Sends one packet of 20 ms, in this slot of the pacer; `on_left` is called with its departure time (ns)."""
        packet = rtp.pack(
            sdp.OPUS_PAYLOAD_TYPE, self._sequence, self._timestamp, self._peer.ssrc, payload, marker=self._first
        )
        self._first = False
        self._sequence += 1
        self._timestamp += FRAME
        self._peer.send(packet, on_left)

    def skip(self) -> None:
        """Sends nothing for 20 ms: untransmitted silence. The next packet starts a talkspurt (RFC 3551, 4.1)."""
        self._timestamp += FRAME
        self._first = True


class Publishing:
    """Negotiates the publication of a microphone with the server, on the peer connection on which we offer.

    Args:
        peer: The peer connection.
        signalling: Returns the signalling connection, which is another one once it was resumed.
    """

    def __init__(self, peer: Peer, signalling: Callable[[], Signalling]) -> None:
        self._peer = peer
        self._signalling = signalling
        self._published: asyncio.Future[str] | None = None
        self._publish_id = ""
        self._offers_made = 0
        self._answered: asyncio.Future[sdp.Description] | None = None

    @property
    def in_progress(self) -> bool:
        """Whether the server has yet to confirm the publication."""
        return self._published is not None and not self._published.done()

    async def publish(self, *, name: str, dtx: bool) -> Publication:
        """Publishes a microphone; with `dtx` it may send almost nothing in silence. The caller sets a time limit.

        Raises:
            RoomFailure: room.publish_failed.
        """
        cid = str(uuid.uuid4())
        loop = asyncio.get_running_loop()
        self._published, self._answered, self._publish_id = loop.create_future(), loop.create_future(), cid
        ours = await self._peer.describe("actpass")
        request = rtc.AddTrackRequest(
            cid=cid,
            name=name,
            type=models.TrackType.AUDIO,
            source=models.TrackSource.MICROPHONE,
            disable_dtx=not dtx,
            disable_red=True,
        )
        await self._signalling().send(add_track=request)
        # Not earlier: the server knows the offer's track by the request's id.
        text = sdp.offer(ours, track=cid, ssrc=self._peer.ssrc)
        self._offers_made += 1
        await self._signalling().send(offer=rtc.SessionDescription(type="offer", sdp=text, id=self._offers_made))
        try:
            remote = await self._answered
            await self._peer.connect(remote)
            sid = await self._published
        except (PeerLostError, ConnectionError, ValueError) as problem:
            raise publish_failed(str(problem)) from None
        return Publication(self._peer, sid)

    async def offer_again(self) -> asyncio.Future[sdp.Description]:
        """Restarts ICE for what we send; returns the server's answer to come."""
        answered = self._answered = asyncio.get_running_loop().create_future()
        self._peer.begin_again()
        ours = await self._peer.describe("actpass")
        self._offers_made += 1
        text = sdp.offer(ours, track=self._publish_id, ssrc=self._peer.ssrc)
        await self._signalling().send(offer=rtc.SessionDescription(type="offer", sdp=text, id=self._offers_made))
        return answered

    def answered(self, text: str) -> None:
        """Handles the server's answer (SDP) to our offer."""
        if self._answered is not None and not self._answered.done():
            try:
                self._answered.set_result(sdp.parse(text))
            except sdp.SdpError as problem:
                self._answered.set_exception(problem)

    def published(self, published: rtc.TrackPublishedResponse) -> None:
        """Handles the server's confirmation."""
        if self._published is not None and not self._published.done() and published.cid == self._publish_id:
            self._published.set_result(published.track.sid)

    def refused(self, refusal: rtc.RequestResponse) -> None:
        """Handles the server's response to a request, which may refuse ours."""
        reason = refusal.reason
        if reason in (rtc.RequestResponse.OK, rtc.RequestResponse.QUEUED) or not refusal.HasField("add_track"):
            return
        if self._published is not None and not self._published.done():
            said = refusal.message or rtc.RequestResponse.Reason.Name(reason).lower()
            self._published.set_exception(PeerLostError(said))
            if self._answered is not None and not self._answered.done():
                self._answered.set_exception(PeerLostError(said))

    def fail(self, reason: str) -> None:
        """Fails what waits for the server: the room ended."""
        for waiter in (self._published, self._answered):
            if waiter is not None and not waiter.done():
                waiter.set_exception(ConnectionError(reason))


def publish_failed(what: str) -> RoomFailure:
    """The failure of a publication."""
    return RoomFailure(
        "room.publish_failed", f"the microphone could not be published: {what}", hint="does the token allow publishing?"
    )
