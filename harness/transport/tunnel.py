"""Connections through an HTTP proxy by CONNECT (RFC 9110, 9.3.6): how WebSockets pass a proxy, unencrypted ones too.

RFC 6455 (4.1) asks a proxy for a tunnel whatever the scheme. aiohttp does so for `wss` only, LiveKit's SDK for both.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any

import aiohttp

from harness.proxies import Proxy
from harness.transport.refusal import first_line

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler

_MOST_HEAD_BYTES = 16 * 1024


class TunnelError(aiohttp.ClientError):
    """The proxy is unreachable or refuses. Not an `OSError`, which aiohttp would replace by an error of its own."""


class TunnelConnector(aiohttp.BaseConnector):
    """Opens each connection of an HTTP client through a proxy; modelled on `aiohttp.UnixConnector`."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(force_close=True)
        self._proxy = proxy

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:
        del traces, timeout  # the caller sets a time limit
        host, port = req.url.raw_host, req.url.port
        one = await open_tunnel(self._proxy, host, port)
        loop = asyncio.get_running_loop()
        try:
            if req.is_ssl():
                context = await asyncio.to_thread(_context)
                _, protocol = await loop.create_connection(
                    self._factory, sock=one, ssl=context, server_hostname=host.rstrip(".")
                )
            else:
                _, protocol = await loop.create_connection(self._factory, sock=one)
        except BaseException:
            one.close()
            raise
        return protocol


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


async def open_tunnel(proxy: Proxy, host: str, port: int) -> socket.socket:
    """Opens a connection to host and port through the proxy.

    Raises:
        TunnelError: It failed.
    """
    one = await _reach(proxy)
    try:
        await _ask(one, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except BaseException:
        one.close()
        raise
    return one


async def _reach(proxy: Proxy) -> socket.socket:
    loop = asyncio.get_running_loop()
    problem: OSError | None = None
    try:
        found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    except OSError:
        raise TunnelError(f"the name of {proxy} cannot be resolved") from None
    for family, kind, protocol, _, address in found:
        one = socket.socket(family, kind, protocol)
        try:
            one.setblocking(False)
            await loop.sock_connect(one, address)
        except OSError as error:
            one.close()
            problem = error
        except BaseException:
            one.close()
            raise
        else:
            return one
    why = problem.strerror if problem is not None else None
    raise TunnelError(f"{proxy} cannot be reached: {why or 'no connection'}")


async def _ask(one: socket.socket, proxy: Proxy, target: str) -> None:
    loop = asyncio.get_running_loop()
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    authorization = proxy.authorization()
    if authorization is not None:
        lines.append(f"Proxy-Authorization: {authorization}")
    head = b""
    try:
        await loop.sock_sendall(one, "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1", "replace"))
        while b"\r\n\r\n" not in head and len(head) < _MOST_HEAD_BYTES:
            more = await loop.sock_recv(one, 4096)
            if not more:
                break
            head += more
    except OSError as error:
        raise TunnelError(f"{proxy} closed the connection: {error.strerror}") from None
    status = first_line(head.decode("latin-1"))
    if not status.startswith("HTTP/1.") or status.split()[1:2] != ["200"]:
        raise TunnelError(f"{proxy} refused the connection to {target}: {status or 'it closed the connection'}")
