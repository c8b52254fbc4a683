"""Fetches reference audio over HTTP, bounded in time, size and redirects, from checked addresses only.

The name of a host is looked up once, all its addresses are checked, and the connection goes to one of those: a name
that resolves to another address a moment later changes nothing. Proxies are not used: a proxy looks the name up itself,
so the check would be void.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from ssl import SSLContext
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from harness.stack.reference_voice.refused import RefusedError
from harness.stack.reference_voice.url_rules import PrivateHosts, Target, check_url, is_public

MOST_BYTES = 20_000_000
WITHIN_S = 10.0
MOST_REDIRECTS = 3
_BLOCK = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by the system's resolver.

    Raises:
        OSError: It has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class AudioFetcher:
    """Fetches reference audio.

    Args:
        allowed: The private hosts that may be asked.
        resolve: Looks up a host's addresses.
        tls: The certificates to trust; by default the system's.
        within_s: The time for everything, redirects included.
        most_bytes: The most that is read.
    """

    def __init__(
        self,
        allowed: PrivateHosts,
        *,
        resolve: Resolve = system_addresses,
        tls: SSLContext | None = None,
        within_s: float = WITHIN_S,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._tls = tls
        self._within_s = within_s
        self._most_bytes = most_bytes

    async def fetch(self, url: str) -> bytes:
        """The content at `url`.

        Raises:
            RefusedError: The URL or a redirect of it may not be fetched, or nothing usable came.
        """
        try:
            async with asyncio.timeout(self._within_s):
                for _ in range(MOST_REDIRECTS + 1):
                    target = check_url(url, self._allowed)
                    content, moved = await self._ask(target)
                    if moved is None:
                        return content
                    url = urljoin(url, moved)
        except TimeoutError:
            raise RefusedError(f"did not arrive within {self._within_s:g} s.") from None
        raise RefusedError(f"has more than {MOST_REDIRECTS} redirects.")

    async def _ask(self, target: Target) -> tuple[bytes, str | None]:
        """The content, or where it has moved to."""
        pinned = _Pinned(await self._addresses(target))
        connector = aiohttp.TCPConnector(resolver=pinned, use_dns_cache=False, force_close=True, ssl=self._tls or True)
        session = aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(),
            headers={"Accept": "audio/*", "Accept-Encoding": "identity", "User-Agent": "voice-harness"},
        )
        async with session:
            try:
                async with session.get(_as_checked(target), allow_redirects=False) as response:
                    if response.status in _REDIRECTS:
                        return b"", response.headers.get("Location") or _no_location()
                    return await self._content(response), None
            except (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError):
                raise RefusedError("has no valid certificate.") from None
            except aiohttp.ClientConnectorError:
                raise RefusedError("is at a host that cannot be reached.") from None
            except (aiohttp.ClientError, OSError, ValueError) as problem:
                if isinstance(problem, RefusedError):
                    raise
                # Its text may quote the URL with its query.
                raise RefusedError(f"could not be fetched ({type(problem).__name__}).") from None

    async def _addresses(self, target: Target) -> Sequence[str]:
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise RefusedError("is at a host that is not known.")
        if not target.allowed_private and not all(is_public(address) for address in addresses):
            raise RefusedError("leads to a private address; --allow-private-urls can allow its host.")
        return addresses

    async def _content(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status != HTTPStatus.OK:
            raise RefusedError(f"is answered with status {response.status}.")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise RefusedError("is sent compressed, although that was not asked for.")
        too_large = f"is larger than {self._most_bytes / 1e6:g} MB."
        if (response.content_length or 0) > self._most_bytes:
            raise RefusedError(too_large)
        content = bytearray()
        async for block in response.content.iter_chunked(_BLOCK):
            content += block
            if len(content) > self._most_bytes:
                raise RefusedError(too_large)
        return bytes(content)


def _as_checked(target: Target) -> URL:
    """The URL with the host as it was checked: aiohttp's parser must not find another one."""
    url = URL(target.url).with_host(target.host).with_fragment(None)
    if url.port != target.port:
        raise RefusedError("has no valid port.")
    return url


def _no_location() -> str:
    raise RefusedError("is answered with a redirect to nowhere.")


class _Pinned(AbstractResolver):
    """Answers with addresses that were checked, whatever is asked."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See `AbstractResolver`."""
        del family
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """See `AbstractResolver`."""
