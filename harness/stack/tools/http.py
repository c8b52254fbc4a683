"""Streamable HTTP with limits: what a server answers is read up to `MOST_MESSAGE_BYTES`, whatever it announces.

The token is put into each request as it is sent, and is in no header, error or log line before.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING

import httpx2

from harness.secret import Secret
from harness.stack.tools.trouble import MOST_MESSAGE_BYTES, Trouble

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

CONNECT_S = 5.0
REFUSALS = (401, 403)


@contextlib.asynccontextmanager
async def endpoint(
    url: str, token: Callable[[], Secret | None], on_trouble: Callable[[Trouble], None]
) -> AsyncIterator[TransportStreams]:
    """The streams to a server.

    Args:
        url: Its URL.
        token: Called for each request; the token to send, if any.
        on_trouble: Called with what a session does not see: a refused token, an answer that was cut off.
    """
    from mcp.client.streamable_http import streamable_http_client

    # No variable of the environment has a say: not a proxy, and not the passwords of ~/.netrc
    limited = _Limited(httpx2.AsyncHTTPTransport(trust_env=False), on_trouble)
    async with (
        httpx2.AsyncClient(
            transport=limited,
            auth=_Bearer(token),
            headers={"Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(None, connect=CONNECT_S),
            trust_env=False,
        ) as client,
        streamable_http_client(url, http_client=client, max_sse_event_size=MOST_MESSAGE_BYTES) as streams,
    ):
        yield streams


class _Bearer(httpx2.Auth):
    """Puts the token into a request."""

    def __init__(self, token: Callable[[], Secret | None]) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """See `httpx2.Auth.auth_flow`."""
        token = self._token()
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token.reveal()}"
        yield request


class _Limited(httpx2.AsyncBaseTransport):
    """A transport whose responses end at the limit."""

    def __init__(self, inner: httpx2.AsyncHTTPTransport, on_trouble: Callable[[Trouble], None]) -> None:
        self._inner = inner
        self._on_trouble = on_trouble

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See `httpx2.AsyncBaseTransport`."""
        response = await self._inner.handle_async_request(request)
        if response.status_code in REFUSALS:
            self._on_trouble(Trouble("refused", f"it answered {response.status_code} to our token"))
        if response.headers.get("content-encoding", "identity") != "identity":
            self._on_trouble(Trouble("nonsense", "it compressed its answer, which was not asked for"))
            await response.aclose()
            raise httpx2.DecodingError("a compressed answer is not read")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Cut(response.stream, self._on_trouble)
        return response

    async def aclose(self) -> None:
        """See `httpx2.AsyncBaseTransport`."""
        await self._inner.aclose()


class _Cut(httpx2.AsyncByteStream):
    """A body that fails at the limit."""

    def __init__(self, inner: httpx2.AsyncByteStream, on_trouble: Callable[[Trouble], None]) -> None:
        self._inner = inner
        self._on_trouble = on_trouble

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_MESSAGE_BYTES
        async for piece in self._inner:
            left -= len(piece)
            if left < 0:
                self._on_trouble(Trouble("too_large", "its answer was longer than 1 MB"))
                raise httpx2.StreamError("the answer is too long")
            yield piece

    async def aclose(self) -> None:
        """See `httpx2.AsyncByteStream`."""
        await self._inner.aclose()
