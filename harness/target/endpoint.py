"""The URL of a session service: complete, and posted to exactly as written."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def check_endpoint(url: str) -> None:
    """Checks that `url` can be posted to as it is.

    Raises:
        ValueError: It cannot; the message never repeats the URL, which may contain a secret.
    """
    if not url.isascii() or any(char.isspace() or not char.isprintable() for char in url):
        raise ValueError("the URL contains spaces or other characters that are not allowed; percent-encode them")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL has an invalid host or port") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("the URL must start with https:// (or http://)")
    if not host or port == 0:
        raise ValueError("the URL has no host, or port 0")
    if "#" in url:
        raise ValueError("the URL must not have a fragment (#…); remove it")


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine, by its name or address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def differs_in_slash_only(one: str, other: str) -> bool:
    """Whether two URLs differ only in the slash at the path's end (query and fragment are ignored)."""
    first, second = urlsplit(one), urlsplit(other)
    return (
        (first.scheme, first.netloc) == (second.scheme, second.netloc)
        and first.path != second.path
        and first.path.rstrip("/") == second.path.rstrip("/")
    )
