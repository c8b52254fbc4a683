"""Who may ask the pages' server for something: by which names, from which pages, and with which headers it answers."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from aiohttp import web

from harness.process.ports import LOOPBACK

_OUR_NAMES = (LOOPBACK, "localhost", "::1")
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9.-]+))(?::[0-9]{1,5})?")
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob: mediastream:",
        # Signalling goes to the stack's LiveKit server, or to a relay before it, on any port.
        f"connect-src 'self' {{own}} ws://{LOOPBACK}:* http://{LOOPBACK}:*",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def is_our_name(host: str, *, on_loopback: bool) -> bool:
    """Whether a request's `Host` names this server.

    Other names are refused, so that a site whose name is made to point to this machine cannot act here. No such name is
    an IP address, by which other machines reach the pages if they listen off loopback.
    """
    name = _hostname(host)
    if name in _OUR_NAMES:
        return True
    if on_loopback or name is None:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == socket.gethostname().lower()
    return True


def is_from_our_page(request: web.Request) -> bool:
    """Whether no page of another origin has sent the request; browsers name the origin, other programs need not."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc.lower() == request.host.lower()


def security_headers(request: web.Request) -> dict[str, str]:
    """The headers of every answer; `request` came by one of our names."""
    return {
        # 'self' is not a WebSocket's address in every browser.
        "Content-Security-Policy": _POLICY.format(own=f"ws://{request.host}"),
        "Permissions-Policy": "microphone=(self)",
        # With no-referrer, browsers would send the login form without its origin.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _hostname(host: str) -> str | None:
    found = _HOST.fullmatch(host.lower())
    return None if found is None else found["six"] or found["name"]
