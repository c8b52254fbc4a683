"""A joined room: who is in it, one published microphone, subscribed audio tracks, and data both ways.

It has two peer connections, as LiveKit does: on one we offer and publish, on the other the server offers and we
subscribe. A lost signalling connection is resumed while media continues (`resume`). Not supported: rejoining when media
itself is lost, video, end-to-end encryption, RED, retransmission, ICE over TCP, TURN.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from livekit.protocol import rtc

from harness.errors import RoomFailure
from harness.secret import Secret
from harness.transport import sdp
from harness.transport.data_packets import DataPackets
from harness.transport.hub import TransportHub
from harness.transport.interruption import Interruption
from harness.transport.peer import OnRtp, Peer, PeerLostError
from harness.transport.present import Present
from harness.transport.publication import Publication, Publishing, publish_failed
from harness.transport.refusal import ending, refused_by_reason, unreachable
from harness.transport.resume import RESUME_S, NotResumedError, resume
from harness.transport.room_events import RemoteTrack, Rights, RoomEvents
from harness.transport.signalling import Signalling, reason_name

WHY_WITHIN_S = 1.0
RESTART_S = 2.0  # seconds in which a server that resumed our stay restarts ICE for its media
_UDP_HINT = "is UDP open to the server's media ports? the light engine knows no TCP and no TURN: --engine sdk does"
_CLOSED_HINT = "is the LiveKit server well, and does nothing between it and us close connections?"

_log = logging.getLogger(__name__)


class Room:
    """See the module. Created by `connect`."""

    def __init__(
        self,
        hub: TransportHub,
        signalling: Signalling,
        events: RoomEvents,
        *,
        url: str,
        token: Secret,
        resume_within_s: float,
    ) -> None:
        self._hub = hub
        self._clock = hub.clock
        self._url = url
        self._token = token
        self._signalling = signalling
        self._events = events
        self._resume_within_s = resume_within_s
        self._interruption = Interruption(hub.clock, events)
        self._to_publish_again = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._offers: asyncio.Queue[tuple[int, sdp.Description, bool]] = asyncio.Queue()
        # Done once what the server sends can be received; failed if the server ends the join before.
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closed = False
        self._over = False
        self._lost_timer: asyncio.TimerHandle | None = None
        hub.pacer.acquire()
        host = signalling.local_host
        self._subscriber = Peer(hub.port, host, offering=False, on_lost=self._media_lost)
        self._publisher = Peer(hub.port, host, offering=True, on_lost=self._media_lost)
        self._data = DataPackets(self._publisher, self._subscriber, events)
        self._publishing = Publishing(self._publisher, lambda: self._signalling)
        self.identity = signalling.joined.participant.identity
        others = signalling.joined.other_participants
        self._present = Present(self.identity, others, events, hub.clock, unlisten=self._subscriber.unlisten)
        self.rights = Rights.of(signalling.joined.participant.permission)
        """What the token allows."""
        if not (self.rights.subscribe and signalling.joined.subscriber_primary):
            # The server offers to send nothing, at least for now.
            self._ready.set_result(None)

    @classmethod
    async def connect(
        cls,
        hub: TransportHub,
        url: str,
        token: Secret,
        events: RoomEvents,
        *,
        timeout_s: float,
        resume_within_s: float = RESUME_S,
    ) -> Room:
        """Joins the token's room. Returns once what the server sends can be received, if `rights` permit receiving.

        Args:
            hub: What all rooms of the event loop share.
            url: The server's URL.
            token: An access token for one room.
            events: Receives the room's events.
            timeout_s: Time limit for the join.
            resume_within_s: Time limit for resuming a lost signalling connection; with 0 a lost one ends the room.

        Raises:
            RoomFailure: room.unreachable, room.refused or room.timeout, in the server's words if there are any; never
                contains the token.
            TransportVersionError: A library has an unknown version.
        """
        room: Room | None = None
        try:
            async with asyncio.timeout(timeout_s):
                signalling = await Signalling.connect(url, token, hub.clock)
                try:
                    room = cls(hub, signalling, events, url=url, token=token, resume_within_s=resume_within_s)
                except BaseException:
                    await signalling.close()
                    raise
                room._start(room._listen())
                room._start(room._answer_offers())
                await room._ready
        except TimeoutError:
            if room is not None:
                await room.close()
            stage = "no media came through" if room is not None else "the server did not answer"
            raise RoomFailure(
                "room.timeout", f"the room was not joined within {timeout_s:g} s: {stage}", hint=_UDP_HINT
            ) from None
        except BaseException:
            if room is not None:
                await room.close()
            raise
        return room

    # -- what we do ------------------------------------------------------------------------------------------------

    def greet_present(self) -> None:
        """Reports those who are in the room, in the order in which they joined, and all events from now on."""
        self._present.greet()

    @property
    def rtt_ms(self) -> float | None:
        """Round-trip time to the server."""
        return self._subscriber.rtt_ms

    @property
    def heard_ns(self) -> int:
        """When anything other than media was last received from the server: connectivity checks, reports, data."""
        return max(self._subscriber.came_ns, self._publisher.came_ns)

    async def publish(self, *, name: str = "microphone", dtx: bool = False) -> Publication:
        """Publishes a microphone; with `dtx` it may send almost nothing in silence. The caller sets a time limit.

        Raises:
            RoomFailure: room.publish_failed.
        """
        if not self.rights.publish:
            raise publish_failed("the token does not allow it")
        publication = await self._publishing.publish(name=name, dtx=dtx)
        await self._data.open.wait()
        return publication

    def listen(self, track: RemoteTrack, on_rtp: OnRtp) -> None:
        """Passes a track's packets to `on_rtp`, each with its arrival time."""
        self._subscriber.listen(track.ssrc, on_rtp)

    def send_data(self, topic: str, payload: bytes) -> None:
        """Sends a data packet, reliably and in order.

        Raises:
            ConnectionError: The room is gone, or nothing was published before.
        """
        self._data.send(topic, payload)

    async def close(self) -> None:
        """Leaves the room and closes everything. Idempotent; never raises."""
        if self._closed:
            return
        self._closed = True
        self._stop()
        self._ready.cancel()
        if self._lost_timer is not None:
            self._lost_timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._signalling.close()
        await asyncio.gather(self._publisher.close(), self._subscriber.close())
        self._hub.pacer.release()

    # -- what the server says --------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.debug("a task of the room failed", exc_info=problem)
            self._end(f"{type(problem).__name__}: {problem}")

    def _end(self, reason: str, *, by_service: bool = False, refusal: RoomFailure | None = None) -> None:
        """Ends the room; a join that is still in progress fails with `refusal`."""
        if self._over:
            return
        self._stop()
        if not self._ready.done():
            self._ready.set_exception(refusal or unreachable(f"{reason}, before media came through", hint=_UDP_HINT))
            return
        self._publishing.fail(reason)
        self._events.disconnected(self._clock.now_ns(), reason, by_service=by_service)

    def _stop(self) -> None:
        self._over = True
        self._data.end()
        self._interruption.end()

    def _media_lost(self) -> None:
        # A server that closes the room closes media first, and gives the reason a moment later.
        if not self._over and self._lost_timer is None:
            loop = asyncio.get_running_loop()
            self._lost_timer = loop.call_later(WHY_WITHIN_S, self._end, "the media connection was lost")

    async def _listen(self) -> None:
        while True:
            async for response in self._signalling.responses():
                await self._take(response)
            lost = self._signalling.lost
            begun = self._subscriber.connected.is_set() or self._publisher.connected.is_set()
            if self._over or not self._resume_within_s or not begun or self._publishing.in_progress:
                self._end(lost, refusal=unreachable(f"{lost}, before media came through", hint=_CLOSED_HINT))
                return
            if not await self._resume(lost):
                return

    async def _resume(self, why: str) -> bool:
        """Resumes the signalling connection; returns whether that worked."""
        left_s = self._resume_within_s - self._interruption.lost(why)
        joined = self._signalling.joined
        await self._signalling.drop()
        try:
            self._signalling = await resume(self._url, lambda: self._token, self._clock, joined, within_s=left_s)
        except NotResumedError as problem:
            self._end(f"the line was lost ({self._interruption.why}) and {problem}")
            return False
        self._present.resumed()
        if self._to_publish_again:
            self._to_publish_again = False
            self._interruption.publishes_again()
            self._start(self._publish_again())
        # The server restarts ICE for its media at once; if it does not, nothing has changed.
        wait_s = RESTART_S if self._subscriber.connected.is_set() else 0.0
        self._interruption.over_in(wait_s, "signalling")
        return True

    async def _publish_again(self) -> None:
        """Restarts ICE for what we send."""
        answered = await self._publishing.offer_again()
        try:
            async with asyncio.timeout(self._resume_within_s):
                await self._publisher.connect_again(await answered)
        except (ConnectionError, TimeoutError, ValueError):
            self._end("the media connection was lost")
        self._interruption.published_again("signalling and the way of media")

    async def _take(self, response: rtc.SignalResponse) -> None:
        match response.WhichOneof("message"):
            case "offer":
                self._offered_now(response.offer)
            case "answer":
                self._publishing.answered(response.answer.sdp)
            case "trickle":
                await self._trickle(response.trickle)
            case "update":
                self._present.update(response.update.participants)
            case "track_published":
                self._publishing.published(response.track_published)
            case "request_response":
                self._publishing.refused(response.request_response)
            case "track_subscribed":
                self._events.microphone_heard(self._clock.now_ns())
            case "refresh_token":
                self._token = Secret(response.refresh_token)
            case "leave":
                await self._leave(response.leave)
            case _:
                pass  # not needed by a caller: qualities, speakers, subscriptions, room updates

    async def _leave(self, leave: rtc.LeaveRequest) -> None:
        name = reason_name(leave.reason)
        what, _, by_service = ending(name, self.identity)
        if leave.action == rtc.LeaveRequest.RESUME and self._resume_within_s:
            # The server no longer receives our media, or we its: both sides restart ICE.
            self._to_publish_again = self._publisher.connected.is_set()
            self._signalling.lost = what
            await self._signalling.drop()
            return
        if leave.action != rtc.LeaveRequest.DISCONNECT or leave.can_reconnect:
            what += "; the server asks us to join again, which the light engine does not do"
        self._end(what, by_service=by_service, refusal=refused_by_reason(name, self.identity))

    async def _trickle(self, trickle: rtc.TrickleRequest) -> None:
        import json

        try:
            init = json.loads(trickle.candidateInit)
            text = init["candidate"]
        except (ValueError, KeyError, TypeError):
            return
        if isinstance(text, str) and text:
            peer = self._subscriber if trickle.target == rtc.SignalTarget.SUBSCRIBER else self._publisher
            await peer.add_candidate(text.removeprefix("candidate:"))

    # -- what is subscribed ----------------------------------------------------------------------------------------

    def _offered_now(self, offered: rtc.SessionDescription) -> None:
        remote = sdp.parse(offered.sdp)
        again = self._subscriber.connected.is_set() and not self._subscriber.same_transport(remote)
        if again:
            if not self._subscriber.goes_on_with(remote):
                self._end("the server restarts the media connection, which the light engine does not do")
                return
            # At once: its candidates may arrive before the offer is processed.
            self._subscriber.begin_again(remote)
        self._offers.put_nowait((offered.id, remote, again))

    async def _answer_offers(self) -> None:
        """Processes offers one at a time: the next may arrive before the first has led to a connection."""
        while True:
            number, remote, again = await self._offers.get()
            begun = self._subscriber.connected.is_set()
            setup = "passive" if remote.transport.setup == "active" else "active"
            ours = await self._subscriber.describe(setup)
            answer = sdp.answer(remote, ours)
            await self._signalling.send(answer=rtc.SessionDescription(type="answer", sdp=answer, id=number))
            try:
                if again:
                    async with asyncio.timeout(self._resume_within_s or RESUME_S):
                        await self._subscriber.connect_again(remote)
                    self._interruption.over("signalling and the way of media")
                elif not begun:
                    await self._subscriber.connect(remote)
                    if not self._ready.done():
                        self._ready.set_result(None)
            except PeerLostError as problem:
                self._end(str(problem))
                return
            except TimeoutError:
                self._end("the media connection was lost")
                return
            self._present.offered(remote)
