"""Every private name of aiortc, aioice and pylibsrtp that we rely on, and the versions that we know it from.

Those libraries provide ICE, DTLS and SCTP; media bypasses them, as sending a packet through them costs five times as
much. No other module uses a name of theirs that begins with an underscore. `check_versions` refuses any other version
before the first packet: review this file against the new version's source, run `tests/transport`, then move the pins in
`KNOWN` and in pyproject.toml.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError

if TYPE_CHECKING:
    from aioice import Candidate
    from aiortc import RTCDtlsTransport, RTCIceGatherer, RTCIceTransport

    from harness.transport.udp import Address, UdpSocket

KNOWN: Mapping[str, str] = {"aiortc": "1.16.0", "aioice": "0.13.0", "pylibsrtp": "1.0.0"}

_MOST_BYTES = 2048
_TRAILER = 144  # SRTP_MAX_TRAILER_LEN of libsrtp
_REPLAYED = (9, 10)  # srtp_err_status_replay_fail and _replay_old


class TransportVersionError(ConfigError):
    """A library is installed in a version whose internals we do not know."""


@cache
def check_versions() -> None:
    """Checks that the libraries have the known versions.

    Raises:
        TransportVersionError: One is missing or has another version.
    """
    for name, known in KNOWN.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "not installed"
        if found != known:
            raise TransportVersionError(
                f"{name} is {found}; the light engine needs exactly {known}, because it uses its internals",
                where="--engine light",
                hint=f"pip install {name}=={known}, or use --engine sdk",
            )


def put_socket_under(gatherer: RTCIceGatherer, socket: UdpSocket, host: str, *, controlling: bool) -> None:
    """Makes ICE gather our own socket as its only candidate, and sets its role.

    aioice opens a socket for each address of the machine except loopback; ours is bound to all of them.
    """
    connection = gatherer._connection  # noqa: SLF001 - see the module
    connection.ice_controlling = controlling

    async def our_candidates(component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:
        del component, addresses, timeout
        return [add_socket(gatherer, socket, host)]

    connection.get_component_candidates = our_candidates  # type: ignore[method-assign] # on this one connection


def add_socket(gatherer: RTCIceGatherer, socket: UdpSocket, host: str) -> Candidate:
    """Adds a further socket of ours, which sends from `host`; ICE pairs it with each candidate added from now on."""
    from aioice.candidate import Candidate, candidate_foundation, candidate_priority
    from aioice.ice import StunProtocol

    connection = gatherer._connection  # noqa: SLF001 - see the module
    protocol = StunProtocol(connection)
    protocol.connection_made(socket)
    protocol.local_candidate = Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=1,
        transport="udp",
        priority=candidate_priority(1, "host"),
        host=host,
        port=socket.port,
        type="host",
    )
    connection._protocols.append(protocol)  # noqa: SLF001 - see the module
    socket.serve(protocol)
    return protocol.local_candidate


async def keep_nominated_socket(ice: RTCIceTransport) -> Any:
    """Returns the socket (`UdpSocket`) that ICE chose, and closes the others; None if the connection is lost."""
    connection = ice._connection  # noqa: SLF001 - see the module
    pair = connection._nominated.get(1)  # noqa: SLF001 - see the module
    if pair is None:
        return None
    chosen = pair.protocol
    for protocol in list(connection._protocols):  # noqa: SLF001 - see the module
        if protocol is not chosen:
            connection._protocols.remove(protocol)  # noqa: SLF001 - see the module
            await protocol.close()
    return chosen.transport


def begin_ice_again(gatherer: RTCIceGatherer, ice: RTCIceTransport, socket: UdpSocket, host: str) -> None:
    """Restarts ICE under a continuing DTLS connection, over the same socket (RFC 8445, 2.4).

    aioice has no restart: a new connection of its own replaces the old one. It takes over the queue from which DTLS
    reads and the waiter for the old one's end.
    """
    from aioice import Connection

    old = gatherer._connection  # noqa: SLF001 - see the module
    if old._query_consent_task is not None:  # noqa: SLF001 - see the module
        old._query_consent_task.cancel()  # noqa: SLF001 - see the module
    new = Connection(ice_controlling=old.ice_controlling)
    new._queue = old._queue  # noqa: SLF001 - see the module
    new._event_waiter, old._event_waiter = old._event_waiter, None  # noqa: SLF001 - see the module
    gatherer._connection = ice._connection = new  # noqa: SLF001 - see the module
    new._local_candidates = [add_socket(gatherer, socket, host)]  # noqa: SLF001 - see the module
    new._local_candidates_start = new._local_candidates_end = True  # noqa: SLF001 - see the module


async def connect_ice_again(ice: RTCIceTransport, ufrag: str, password: str, *, lite: bool) -> None:
    """After `begin_ice_again` and the remote candidates: returns once a path has been found, and switches to it.

    Raises:
        ConnectionError: There is no path.
    """
    new = ice._connection  # noqa: SLF001 - see the module
    new.remote_is_lite, new.remote_username, new.remote_password = lite, ufrag, password
    await new.connect()
    ice._send, ice._recv = new.send, new.recv  # noqa: SLF001 - see the module


def set_controlling(gatherer: RTCIceGatherer) -> None:
    """Makes us the controlling ICE agent, as required with an ICE lite peer (RFC 8445, 6.1.1)."""
    gatherer._connection.ice_controlling = True  # noqa: SLF001 - see the module


def set_dtls_role(dtls: RTCDtlsTransport, role: str) -> None:
    """Sets the DTLS role, `client` or `server`, as negotiated; by default aiortc derives it from the ICE role."""
    dtls._set_role(role)  # noqa: SLF001 - see the module


def media_ciphers(dtls: RTCDtlsTransport) -> tuple[Cipher, Cipher]:
    """The ciphers that encrypt and decrypt RTP, once DTLS is connected."""
    from pylibsrtp._binding import lib

    return Cipher(dtls._tx_srtp, lib.srtp_protect, grows_by=_TRAILER), Cipher(dtls._rx_srtp, lib.srtp_unprotect)  # noqa: SLF001 - see the module


class Cipher:
    """Encrypts or decrypts with a libsrtp session, at half the cost of pylibsrtp's `protect` and `unprotect`.

    Args:
        session: A `pylibsrtp.Session`.
        work: libsrtp's function.
        grows_by: Most bytes by which a packet may grow.
    """

    def __init__(self, session: Any, work: Callable[[Any, Any, Any], int], *, grows_by: int = 0) -> None:
        from pylibsrtp._binding import ffi

        self._session = session  # it owns what the next one points at
        self._handle = session._srtp[0]  # noqa: SLF001 - see the module
        self._work = work
        self._data = ffi.new("char[]", _MOST_BYTES)
        self._buffer = ffi.buffer(self._data)
        self._size = ffi.new("int *")
        self._most = _MOST_BYTES - grows_by

    def __call__(self, packet: bytes) -> bytes:
        """Encrypts or decrypts a packet.

        Raises:
            CipherError: It failed; `replayed` if the packet was decrypted before.
        """
        size = len(packet)
        if size > self._most:
            raise CipherError(replayed=False)
        self._size[0] = size
        self._buffer[0:size] = packet
        status = self._work(self._handle, self._data, self._size)
        if status:
            raise CipherError(replayed=status in _REPLAYED)
        return bytes(self._buffer[0 : self._size[0]])


class CipherError(Exception):
    """A packet that is not the remote side's, is too long, or is a replay."""

    def __init__(self, *, replayed: bool) -> None:
        super().__init__("it is a replay" if replayed else "it cannot be decrypted")
        self.replayed = replayed


def nominated_address(ice: RTCIceTransport) -> Address | None:
    """The address to which media is sent, once ICE is connected; None if it is not any longer."""
    pair = ice._connection._nominated.get(1)  # noqa: SLF001 - see the module
    return None if pair is None else pair.remote_addr
