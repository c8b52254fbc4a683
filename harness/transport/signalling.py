"""LiveKit's signalling: one WebSocket of protobufs, `SignalRequest` out and `SignalResponse` in (protocol 15)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp
from livekit.protocol import models, rtc

from harness.clock import NS_PER_MS, Clock
from harness.errors import RoomFailure
from harness.proxies import room_proxy_for
from harness.secret import Secret
from harness.transport.refusal import MOST_BODY_BYTES, refused_by_reason, refused_by_status, unreachable
from harness.transport.tunnel import TunnelConnector, TunnelError

PROTOCOL = 15
CLOSE_S = 1.0
MOST_BYTES = 4 * 1024 * 1024
_DEFAULT_PING_S, _DEFAULT_PONG_S = 5, 15
_BODY_S = 2.0  # for the body of a refusal
_PROXY_HINT = "check the proxy variable, or add the LiveKit server's host to NO_PROXY"
_UNBOUNDED = aiohttp.ClientTimeout(total=None)  # the caller sets a time limit


class Signalling:
    """A connection on which a join succeeded.

    Attributes:
        joined: The server's answer to the join.
        local_host: Our address from which the server was reached.
        lost: Why the connection ended, unless `close` ended it.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
        joined: rtc.JoinResponse,
        clock: Clock,
    ) -> None:
        self._http = http
        self._socket = socket
        self._clock = clock
        self._ponged_ns = clock.now_ns()
        self._pings: asyncio.Task[None] | None = None
        self._closed = False
        self.joined = joined
        self.lost = "the signalling connection was closed"
        ours = socket.get_extra_info("sockname")
        self.local_host: str = ours[0] if ours else "127.0.0.1"

    @classmethod
    async def connect(
        cls, url: str, token: Secret, clock: Clock, *, resumes: rtc.JoinResponse | None = None
    ) -> Signalling:
        """Connects and joins. The caller sets a time limit.

        Args:
            url: The server's URL.
            token: An access token for one room.
            clock: Time source.
            resumes: The answer to the original join, to resume a stay whose connection was lost.

        Raises:
            RoomFailure: room.unreachable or room.refused; never contains the token.
        """
        try:
            address = signalling_url(url, resumes=resumes.participant.sid if resumes is not None else None)
        except ValueError as problem:
            raise unreachable(str(problem)) from None
        proxy = room_proxy_for(address)

        async def refuse(answer: aiohttp.ClientResponse) -> None:
            if answer.status != 101:
                raise await _answered(answer, token)

        http = aiohttp.ClientSession(
            connector=TunnelConnector(proxy) if proxy is not None else None,
            headers={"Authorization": f"Bearer {token.reveal()}"},
            raise_for_status=refuse,
            timeout=_UNBOUNDED,
        )
        try:
            socket = await http.ws_connect(address, max_msg_size=MOST_BYTES, compress=0)
            first = await socket.receive()
            line = cls(http, socket, _joined(first) if resumes is None else _resumed(first, resumes), clock)
        except aiohttp.WSServerHandshakeError as problem:
            await http.close()
            raise unreachable(f"the server answered {problem.status} instead of opening a WebSocket") from None
        except TunnelError as problem:
            await http.close()
            raise unreachable(str(problem), hint=_PROXY_HINT) from None
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            await http.close()
            raise unreachable(token.scrub(f"{type(problem).__name__}: {problem}"[:300])) from None
        except BaseException:
            await http.close()
            raise
        line._pings = asyncio.create_task(line._ping())
        return line

    async def send(self, **message: object) -> None:
        """Sends a `SignalRequest` with one field; does nothing if the connection is gone."""
        if not self._socket.closed:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self._socket.send_bytes(rtc.SignalRequest(**message).SerializeToString())  # type: ignore[arg-type] # one of its fields

    async def responses(self) -> AsyncIterator[rtc.SignalResponse]:
        """Yields the server's messages until the connection ends; then `lost` says why."""
        async for frame in self._socket:
            response = _parse(frame.data) if frame.type is aiohttp.WSMsgType.BINARY else None
            if response is None:
                continue
            if response.WhichOneof("message") in ("pong", "pong_resp"):
                self._ponged_ns = self._clock.now_ns()
            else:
                yield response

    async def _ping(self) -> None:
        every_s = self.joined.ping_interval or _DEFAULT_PING_S
        within_s = max(self.joined.ping_timeout or _DEFAULT_PONG_S, every_s)
        while True:
            await asyncio.sleep(every_s)
            now_ns = self._clock.now_ns()
            if now_ns - self._ponged_ns > within_s * 1000 * NS_PER_MS:
                self.lost = f"the server answered no ping for {within_s} s"
                await self._socket.close()
                return
            at_ms = round(self._clock.utc().timestamp() * 1000)
            await self.send(ping=at_ms)
            await self.send(ping_req=rtc.Ping(timestamp=at_ms))

    async def drop(self) -> None:
        """Closes a lost connection without leaving the room. Idempotent; never raises."""
        if self._closed:
            return
        self._closed = True
        if self._pings is not None:
            self._pings.cancel()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close()
        await self._http.close()

    async def close(self) -> None:
        """Leaves the room and closes the connection. Idempotent; never raises."""
        if self._closed:
            return
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_S):
                await self.send(leave=rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED))
        await self.drop()


def signalling_url(url: str, *, resumes: str | None = None) -> str:
    """The WebSocket's address for a LiveKit URL; `resumes` is our participant's sid, to resume a stay.

    Raises:
        ValueError: It is not a server's URL.
    """
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("the livekit_url is not a ws:// or wss:// URL")
    path = parts.path.rstrip("/")
    path = path if path.endswith("/rtc") else path + "/rtc"
    # The token goes in a header, so that it is in no URL that might be logged.
    query = f"auto_subscribe=1&adaptive_stream=0&sdk=python&protocol={PROTOCOL}"
    query += f"&reconnect=1&sid={quote(resumes)}" if resumes is not None else ""
    return urlunsplit((scheme, parts.netloc, path, query, ""))


def reason_name(reason: int) -> str:
    """LiveKit's name for a `DisconnectReason`, in lower case."""
    known = models.DisconnectReason.values()
    return models.DisconnectReason.Name(models.DisconnectReason.ValueType(reason)).lower() if reason in known else ""


def _parse(data: bytes) -> rtc.SignalResponse | None:
    try:
        return rtc.SignalResponse.FromString(data)
    except Exception:  # protobuf's DecodeError; junk is ignored, as an unknown field is  # noqa: BLE001
        return None


def _first_answer(first: aiohttp.WSMessage) -> rtc.SignalResponse:
    """Parses the server's first message.

    Raises:
        RoomFailure: There is none.
    """
    response = _parse(first.data) if first.type is aiohttp.WSMsgType.BINARY else None
    if response is None:
        raise unreachable("the server closed the connection before it answered")
    return response


def _joined(first: aiohttp.WSMessage) -> rtc.JoinResponse:
    """The server's answer to the join.

    Raises:
        RoomFailure: It is something else.
    """
    response = _first_answer(first)
    match response.WhichOneof("message"):
        case "join":
            return response.join
        case "leave":
            raise refused_by_reason(reason_name(response.leave.reason))
        case other:
            raise unreachable(f"the server's first message was no answer to a join ({other})")


def _resumed(first: aiohttp.WSMessage, joined: rtc.JoinResponse) -> rtc.JoinResponse:
    """Returns `joined` if the server resumes that stay.

    Raises:
        RoomFailure: It does not.
    """
    response = _first_answer(first)
    match response.WhichOneof("message"):
        case "reconnect":
            return joined
        case "leave":
            raise refused_by_reason(reason_name(response.leave.reason), joined.participant.identity)
        case other:
            raise RoomFailure("room.refused", f"the server did not resume the connection ({other})")


async def _answered(answer: aiohttp.ClientResponse, token: Secret) -> RoomFailure:
    """The failure for an HTTP response instead of a WebSocket."""
    body = b""
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(_BODY_S):
            while len(body) < MOST_BODY_BYTES and (more := await answer.content.read(MOST_BODY_BYTES)):
                body += more
    return refused_by_status(answer.status, body, token, retry_after=answer.headers.get("Retry-After", ""))
