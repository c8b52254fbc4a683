"""One HTTP request of any kind: bounded in time and size, without redirects; the answer, or why there is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from harness.clock import Clock, s_to_ns
from harness.contract.evidence import Exchange
from harness.proxies import proxy_for
from harness.secret import Secret
from harness.target.retry import FIRST_WAIT_S, asked_wait_s
from harness.target.shown import shown_url
from harness.target.transport import MAX_BODY_BYTES

JSON = "application/json"
TRIES = 3
PATIENCE_S = 60.0  # for all waits after a 429 together


class Wire:
    """Sends requests; an async context manager.

    Args:
        clock: Time source.
        timeout_s: Time limit of each request.
    """

    def __init__(self, clock: Clock, *, timeout_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._patience_s = PATIENCE_S
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def send(
        self,
        url: str,
        body: bytes | None = None,
        *,
        method: str = "POST",
        content_type: str = JSON,
        key: Secret | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """The request with its answer. One that is answered 429 is repeated, after the time that the answer names.

        Args:
            url: Posted to exactly as written.
            body: The body, if any.
            method: The HTTP method.
            content_type: The declared type of the body.
            key: Sent in `x-api-key`.
            headers: Other headers.

        Raises:
            ConfigError: The proxy is not supported.
        """
        sent = _told(method, url, body, content_type, with_key=key is not None, headers=headers or {})
        given = dict(headers or {}) | ({"Content-Type": content_type} if body is not None else {})
        for attempt in range(TRIES):
            exchange = await self._once(sent, method, url, body, headers=given, key=key)
            if exchange.status != 429 or attempt == TRIES - 1:
                break
            wait_s = self._wait_s(exchange)
            if wait_s > self._patience_s:
                break
            self._patience_s -= wait_s
            await self._clock.sleep_until_ns(self._clock.now_ns() + s_to_ns(wait_s))
        return exchange

    def _wait_s(self, exchange: Exchange) -> float:
        asked_s = asked_wait_s(exchange.header("Retry-After"), now=self._clock.utc())
        return FIRST_WAIT_S if asked_s is None else asked_s

    async def _once(
        self, sent: str, method: str, url: str, body: bytes | None, *, headers: Mapping[str, str], key: Secret | None
    ) -> Exchange:
        status, reason = None, ""
        received: tuple[tuple[str, str], ...] = ()
        content, problem = bytearray(), ""
        proxy = proxy_for(url)
        authorization = proxy.authorization() if proxy is not None else None
        for_proxy = {} if authorization is None else {"Proxy-Authorization": authorization}
        secure = URL(url, encoded=True).scheme == "https"
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.request(
                    method,
                    URL(url, encoded=True),
                    data=body,
                    headers={
                        "Accept": JSON,
                        **headers,
                        **({"x-api-key": key.reveal()} if key is not None else {}),
                        **({} if secure else for_proxy),
                    },
                    proxy=proxy.url if proxy is not None else None,
                    proxy_headers=for_proxy if secure else None,
                    allow_redirects=False,
                ) as response,
            ):
                status, reason = response.status, response.reason or ""
                received = tuple((name, value) for name, value in response.headers.items())
                while len(content) <= MAX_BODY_BYTES and not response.content.at_eof():
                    content += await response.content.readany()
                response.close()
        except TimeoutError:
            problem = f"no complete answer within {self._timeout_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            problem = _why(error)
        return Exchange(sent, status, received, bytes(content[:MAX_BODY_BYTES]), problem, reason)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()


def as_json(content: Any) -> bytes:
    """The content as a JSON body."""
    return json.dumps(content, ensure_ascii=False).encode()


def _told(
    method: str, url: str, body: bytes | None, content_type: str, *, with_key: bool, headers: Mapping[str, str]
) -> str:
    """The request on one line, without its key."""
    parts = [method, shown_url(url), "with a key" if with_key else "without a key"]
    parts += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        parts += [] if content_type == JSON else [content_type]
        parts.append(body.decode("utf-8", errors="replace"))
    return " ".join(parts)


def _why(error: Exception) -> str:
    """Why no answer came, without the library's words, which may hold a URL's secrets."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its host name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "no secure connection (TLS)"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection: {error.os_error.strerror or 'connection failed'}"
    if isinstance(error, aiohttp.ClientResponseError):
        return "the answer is not HTTP"
    return "the connection was closed before the end of the answer"
