"""One HTTP POST: bounded in time and size, without redirects; reports the response or why there is none.

Failures are returned, not raised, so that the error a caller raises has no frame, cause or context from the HTTP
client, in whose variables the key or the token could be read.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from yarl import URL

from harness.errors import SessionFailure
from harness.proxies import Proxy, proxy_for
from harness.secret import HiddenText, Secret
from harness.target.shown import shown_text, shown_url

MAX_BODY_BYTES = 256 * 1024

BodyEnd = Literal["whole", "too_large", "timeout", "broken"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The response: status, the headers that matter, and the body as far as it was read (never over the limit)."""

    status: int
    content_type: str = ""
    location: str = field(default="", repr=False)
    retry_after: str = ""
    body: bytes = field(default=b"", repr=False)
    body_end: BodyEnd = "whole"


class _Incoming:
    """The response as it arrives. No local variable ever holds a piece of the body."""

    def __init__(self) -> None:
        self._head: Answer | None = None
        self._body = bytearray()

    async def take(self, response: aiohttp.ClientResponse) -> None:
        headers = response.headers
        self._head = Answer(
            response.status,
            content_type=headers.get("Content-Type", ""),
            location=headers.get("Location", ""),
            retry_after=headers.get("Retry-After", ""),
        )
        # A redirect's body adds nothing to its Location.
        while not 300 <= response.status < 400 and len(self._body) <= MAX_BODY_BYTES and not response.content.at_eof():
            self._body += await response.content.readany()
        response.close()

    def answer(self, end: BodyEnd) -> Answer | None:
        """What has arrived so far; None before the status line."""
        if self._head is None:
            return None
        if len(self._body) > MAX_BODY_BYTES:
            end = "too_large"
        head = self._head
        return Answer(
            head.status,
            head.content_type,
            head.location,
            head.retry_after,
            body=bytes(self._body[:MAX_BODY_BYTES]),
            body_end=end,
        )


class Transport:
    """Posts to one URL, exactly as written, through a shared HTTP client that is opened at the first post.

    Raises:
        ConfigError: Its proxy is not supported; see `proxy_for`.
    """

    def __init__(self, url: str, *, key: Secret | None) -> None:
        self._url = URL(url, encoded=True)
        self._shown = shown_url(url, secrets=(key,))
        self._key = key
        self._proxy = proxy_for(url)
        self._secure = self._url.scheme == "https"
        self._http: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, *, timeout_s: float) -> Answer | SessionFailure:
        """The response as received in `timeout_s`, or why there is none (`session.unreachable`, `.timeout`)."""
        incoming = _Incoming()
        try:
            async with asyncio.timeout(timeout_s):
                await self._exchange(body, incoming)
        except TimeoutError:
            return incoming.answer("timeout") or SessionFailure(
                "session.timeout",
                f"{self._shown} did not answer in time",
                hint="check the service, or raise timeouts.session",
            )
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            return incoming.answer("broken") or self._unreachable(problem)
        answer = incoming.answer("whole")
        assert answer is not None  # noqa: S101 - `take` has run
        return answer

    async def close(self) -> None:
        """Closes the HTTP client; a later post opens a new one."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _exchange(self, body: bytes, incoming: _Incoming) -> None:
        async with self._client().post(
            self._url,
            data=body,
            headers={"Content-Type": "application/json", "Accept": "application/json"}
            | ({"x-api-key": HiddenText(self._key.reveal())} if self._key is not None else {})
            | ({} if self._secure else self._for_proxy()),
            proxy=self._proxy.url if self._proxy is not None else None,
            proxy_headers=self._for_proxy() if self._secure else None,
            allow_redirects=False,
        ) as response:
            await incoming.take(response)

    def _for_proxy(self) -> dict[str, str]:
        """The headers with our proxy credentials: sent with CONNECT for `https`, with the request itself for `http`."""
        authorization = self._proxy.authorization() if self._proxy is not None else None
        return {} if authorization is None else {"Proxy-Authorization": HiddenText(authorization)}

    def _client(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                # No call waits for another's connection, and none gets one that the service is about to close: each
                # session pays for its own connection, so that their times are comparable.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._http

    def _unreachable(self, problem: Exception) -> SessionFailure:
        why, hint = why_unreachable(problem, self._proxy)
        return SessionFailure("session.unreachable", f"{self._shown} cannot be reached: {why}", hint=hint)


def why_unreachable(problem: Exception, proxy: Proxy | None) -> tuple[str, str]:
    """Why a request failed, in plain words, and what to do; of `problem` only the operating system's message is kept.

    Args:
        problem: What the HTTP client raised.
        proxy: The proxy that the request went through, if any.
    """
    hint = "check the URL, and that the service is running and reachable from this machine"
    proxy_hint = "check the proxy variable, or add the service's host to NO_PROXY"
    if proxy is not None and isinstance(problem, aiohttp.ClientHttpProxyError):
        return f"{proxy} refused the connection: it answered {problem.status}", proxy_hint
    if proxy is not None and isinstance(problem, aiohttp.ClientProxyConnectionError):
        return f"{proxy} cannot be reached: {_system_message(problem)}", proxy_hint
    if proxy is not None and isinstance(problem, aiohttp.ClientConnectorDNSError):
        return f"the name of {proxy} cannot be resolved", proxy_hint
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        why = "its host name cannot be resolved"
    elif isinstance(problem, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        reason = problem.certificate_error if isinstance(problem, aiohttp.ClientConnectorCertificateError) else None
        detail = getattr(reason, "verify_message", "") or _system_message(problem)
        why = f"no secure connection (TLS): {detail}"
        hint = "check the service's certificate and that it speaks https on this port"
    elif isinstance(problem, aiohttp.ClientConnectorError):
        why = f"no connection: {_system_message(problem)}"
    elif isinstance(problem, aiohttp.ClientResponseError):
        why = "its answer is not HTTP"
        hint = "check the URL's scheme and port"
    elif isinstance(problem, aiohttp.ClientConnectionError | OSError):
        why = "it closed the connection without an answer"
    else:
        why = "the request could not be sent"
    return why, hint


def _system_message(problem: aiohttp.ClientConnectorError) -> str:
    cause = problem.os_error
    text = cause.reason if isinstance(cause, ssl.SSLError) and cause.reason else cause.strerror or "connection failed"
    return shown_text(str(text), limit=120)
