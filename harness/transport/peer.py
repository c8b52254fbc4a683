"""One peer connection: ICE, DTLS and SCTP by aiortc over a socket of ours; media bypasses them.

It uses aiortc's building blocks (its ORTC interface), not its `RTCPeerConnection`, which creates a transport for each
m-line and a thread for each track.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

from aioice import Candidate
from aiortc import (
    RTCCertificate,
    RTCDataChannel,
    RTCDataChannelParameters,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
    RTCSctpCapabilities,
    RTCSctpTransport,
)

from harness.transport import private_names, rtp
from harness.transport.sdp import Description, Transport
from harness.transport.udp import Address, OnLeft, UdpPort, UdpSocket, family_of, our_address

OnRtp = Callable[[rtp.RtpPacket, int], None]
OnMessage = Callable[[str, bytes, int], None]

_log = logging.getLogger(__name__)


@cache
def _certificate() -> RTCCertificate:
    """One certificate for all peers of the process: creating it is the most expensive part of a join."""
    return RTCCertificate.generateCertificate()


class PeerLostError(ConnectionError):
    """The connection could not be established."""


class Peer:
    """One side of a connection to the server.

    Args:
        port: Reads and writes its socket.
        host: Our address from which the server is reached.
        offering: Whether we make the offer and control ICE; otherwise the server does both.
        on_lost: Called once when an established connection is lost.
    """

    def __init__(self, port: UdpPort, host: str, *, offering: bool, on_lost: Callable[[], None]) -> None:
        private_names.check_versions()
        self.ssrc = random.SystemRandom().getrandbits(32)
        self.on_message: OnMessage = lambda label, data, came_ns: None
        self.connected = asyncio.Event()
        self._on_lost = on_lost
        self._offering = offering
        self._listeners: dict[int, OnRtp] = {}
        self._host = host
        self._port = port
        self._socket = UdpSocket(port, family_of(host), on_media=self._media_received)
        self._sockets = {family_of(host): self._socket}
        self._gatherer = RTCIceGatherer(iceServers=[])
        private_names.put_socket_under(self._gatherer, self._socket, host, controlling=offering)
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [_certificate()])
        self._sctp = RTCSctpTransport(self._dtls)
        self._sctp.on("datachannel", self._channel_opened)
        self._ice.on("statechange", self._state_changed)
        self._dtls.on("statechange", self._state_changed)
        self._protect: private_names.Cipher | None = None
        self._unprotect: private_names.Cipher | None = None
        self._address: Address | None = None
        self._remote: Description | None = None
        self._early: list[Candidate] = []
        self._closed = False

    @property
    def rtt_ms(self) -> float | None:
        """Round-trip time to the server, by ICE's connectivity checks; None before the first."""
        return None if self._socket.rtt_ns is None else self._socket.rtt_ns / 1e6

    @property
    def came_ns(self) -> int:
        """When anything other than media was last received; 0 before that."""
        return self._socket.came_ns

    async def describe(self, setup: str) -> Transport:
        """Our side of the transport, with `setup` as the DTLS role."""
        await self._gatherer.gather()
        parameters = self._gatherer.getLocalParameters()
        fingerprints = [
            (one.algorithm, one.value)
            for one in self._dtls.getLocalParameters().fingerprints
            if one.algorithm == "sha-256"
        ]
        candidates = [
            f"{one.foundation} {one.component} {one.protocol} {one.priority} {one.ip} {one.port} typ {one.type}"
            for one in self._gatherer.getLocalCandidates()
        ]
        return Transport(
            parameters.usernameFragment or "", parameters.password or "", fingerprints, candidates, setup=setup
        )

    async def connect(self, remote: Description) -> None:
        """Connects to the remote side; returns once media and data can flow.

        Raises:
            PeerLostError: It failed. If nothing at all arrives, it waits until cancelled.
        """
        self._remote = remote
        if remote.transport.lite:
            private_names.set_controlling(self._gatherer)
        for candidate in [*self._early, *map(Candidate.from_sdp, remote.transport.candidates)]:
            await self._add(candidate)
        self._early.clear()
        we_are_server = remote.transport.setup == "active"
        private_names.set_dtls_role(self._dtls, "server" if we_are_server else "client")
        theirs = remote.transport
        await self._ice.start(RTCIceParameters(theirs.ufrag, theirs.password, theirs.lite))
        if self._ice.state != "completed":
            raise PeerLostError("no media connection (ICE)")
        fingerprints = [RTCDtlsFingerprint(algorithm, digest) for algorithm, digest in remote.transport.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints))
        if self._dtls.state != "connected":
            raise PeerLostError("no encrypted media connection (DTLS)")
        self._protect, self._unprotect = private_names.media_ciphers(self._dtls)
        chosen = await private_names.keep_nominated_socket(self._ice)
        if chosen is None:
            raise PeerLostError("the media connection was lost")
        self._socket = chosen
        self._address = private_names.nominated_address(self._ice)
        await self._sctp.start(RTCSctpCapabilities(remote.max_message_bytes), remote.sctp_port)
        self._socket.settle()
        self.connected.set()

    def same_transport(self, description: Description) -> bool:
        """Whether a later description belongs to the current connection, rather than a new one."""
        return self._remote is not None and description.transport.ufrag == self._remote.transport.ufrag

    def goes_on_with(self, description: Description) -> bool:
        """Whether a description asks for an ICE restart under the current DTLS connection."""
        remote = self._remote
        return remote is not None and list(description.transport.fingerprints) == list(remote.transport.fingerprints)

    def begin_again(self, remote: Description | None = None) -> None:
        """Starts an ICE restart; media continues on the old path meanwhile, and `describe` returns the new credentials.

        Args:
            remote: The remote side's offer, if it asked for the restart.
        """
        self._remote = remote or self._remote
        private_names.begin_ice_again(self._gatherer, self._ice, self._socket, self._host)

    async def connect_again(self, remote: Description) -> None:
        """After `begin_again`: connects to the remote side and moves media to the new path.

        Raises:
            PeerLostError: It failed. If nothing at all arrives, it waits until cancelled.
        """
        self._remote = remote
        theirs = remote.transport
        for candidate in map(Candidate.from_sdp, theirs.candidates):
            await self._add(candidate)
        try:
            await private_names.connect_ice_again(self._ice, theirs.ufrag, theirs.password, lite=theirs.lite)
        except ConnectionError as problem:
            raise PeerLostError(f"no media connection (ICE): {problem}") from None
        self._address = private_names.nominated_address(self._ice)

    async def add_candidate(self, text: str) -> None:
        """Adds a further remote candidate, in SDP's syntax; unusable ones are ignored."""
        with contextlib.suppress(ValueError):
            candidate = Candidate.from_sdp(text)
            if self._remote is None:
                self._early.append(candidate)
            else:
                await self._add(candidate)

    async def _add(self, candidate: Candidate) -> None:
        if candidate.transport.lower() != "udp" or candidate.component != 1:
            return
        self._reach(candidate.host)
        await self._ice.addRemoteCandidate(
            RTCIceCandidate(
                component=candidate.component,
                foundation=candidate.foundation,
                ip=candidate.host,
                port=candidate.port,
                priority=candidate.priority,
                protocol="udp",
                type=candidate.type,
            )
        )

    def _reach(self, host: str) -> None:
        """Opens a socket for this address's family, if there is none yet and it is routable.

        Signalling may use one address family and media the other, as behind a dual-stack front end.
        """
        if self.connected.is_set() or family_of(host) in self._sockets:
            return
        ours = our_address(host)
        if ours is not None:
            self._sockets[family_of(host)] = further = UdpSocket(self._port, family_of(host), self._media_received)
            private_names.add_socket(self._gatherer, further, ours)

    # -- data ------------------------------------------------------------------------------------------------------

    def open_channel(self, label: str, *, ordered: bool = True, retransmits: int | None = None) -> RTCDataChannel:
        """Creates a data channel; it opens once the connection is established."""
        parameters = RTCDataChannelParameters(label=label, ordered=ordered, maxRetransmits=retransmits)
        return RTCDataChannel(self._sctp, parameters)

    def _channel_opened(self, channel: RTCDataChannel) -> None:
        def received(data: bytes | str) -> None:
            self.on_message(channel.label, data if isinstance(data, bytes) else data.encode(), self._socket.came_ns)

        channel.on("message", received)

    # -- media -----------------------------------------------------------------------------------------------------

    def send(self, packet: bytes, on_left: OnLeft) -> None:
        """Encrypts an RTP packet and sends it in this slot of the pacer; dropped if there is no connection."""
        if self._protect is not None and self._address is not None:
            self._socket.post(self._protect(packet), self._address, on_left)

    def listen(self, ssrc: int, on_rtp: OnRtp) -> None:
        """Passes the packets of this SSRC to `on_rtp`, each with its arrival time."""
        self._listeners[ssrc] = on_rtp

    def unlisten(self, ssrc: int) -> None:
        """Stops that; its packets are no longer even decrypted."""
        self._listeners.pop(ssrc, None)

    def _media_received(self, datagram: bytes, came_ns: int) -> None:
        ssrc = rtp.ssrc_of(datagram)
        on_rtp = self._listeners.get(ssrc) if ssrc is not None else None
        if on_rtp is None or self._unprotect is None or rtp.is_rtcp(datagram):
            return
        try:
            packet = rtp.parse(self._unprotect(datagram))
        except private_names.CipherError as problem:
            # A duplicate is counted by its header, which is not encrypted. Anything else is not from the server.
            packet = rtp.parse(datagram) if problem.replayed else None
        if packet is not None:
            on_rtp(packet, came_ns)

    # -- the end ---------------------------------------------------------------------------------------------------

    def _state_changed(self) -> None:
        ended = self._ice.state in ("failed", "closed") or self._dtls.state in ("failed", "closed")
        if ended and self.connected.is_set() and not self._closed:
            self.connected.clear()
            self._protect = self._address = None
            self._on_lost()

    async def close(self) -> None:
        """Closes everything. Idempotent; never raises."""
        if self._closed:
            return
        self._closed = True
        self._protect = self._unprotect = self._address = None
        self._listeners.clear()
        self.on_message = lambda label, data, came_ns: None
        steps: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (self._sctp.stop, self._dtls.stop, self._ice.stop)
        for step in steps:
            try:
                await step()
            except Exception as problem:  # aiortc may be in any state when a join is aborted  # noqa: BLE001
                _log.debug("a peer was not closed well", exc_info=problem)
        for one in self._sockets.values():
            one.close()
        self._sctp.remove_all_listeners()
        self._dtls.remove_all_listeners()
