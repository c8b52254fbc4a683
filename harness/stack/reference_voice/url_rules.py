"""Which URLs of reference audio may be fetched, and which addresses may be connected to.

An agent's process runs on the user's machine and fetches what a session request names. Without these rules anyone who
may create a session could make it ask the services of that machine and its network (CWE-918, server-side request
forgery).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from harness.errors import ConfigError
from harness.stack.reference_voice.refused import RefusedError

LONGEST_URL = 2048
_DEFAULT_PORTS = {"https": 443, "http": 80}
_UNICAST = ipaddress.ip_network("2000::/3")
# Their addresses contain IPv4 addresses, to which the packets may go: 6to4 and Teredo.
_TUNNELS = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))
_OPTION = "--allow-private-urls"


@dataclass(frozen=True, slots=True)
class PrivateHosts:
    """The private hosts that the owner of the stack allows, each with a port or with any (None)."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> PrivateHosts:
        """Reads `HOST[:PORT]` entries; each text may hold several, separated by commas.

        Raises:
            ConfigError: An entry is not of that form.
        """
        entries = [entry.strip() for text in texts for entry in text.split(",")]
        return cls(frozenset(_entry(entry) for entry in entries if entry))

    def holds(self, host: str, port: int) -> bool:
        """Whether a host, as `Target.host` has it, is allowed at this port."""
        return (host, port) in self.hosts or (host, None) in self.hosts


NO_PRIVATE_HOSTS = PrivateHosts()


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be fetched: its host in lower case, or its address in the usual form, and its port."""

    url: str
    host: str
    port: int
    allowed_private: bool


def check_url(url: str, allowed: PrivateHosts = NO_PRIVATE_HOSTS) -> Target:
    """Checks all that can be known without looking up the host's name.

    Raises:
        RefusedError: The URL may not be fetched.
    """
    parts = _parts(url)
    if parts.scheme not in _DEFAULT_PORTS:
        given = f"{parts.scheme}:" if parts.scheme else "a path"
        raise RefusedError(f"must be an https URL, not {given}.")
    if parts.username is not None or parts.password is not None:
        raise RefusedError("must not contain a user name or a password.")
    host, port = _host(parts), _port(parts) or _DEFAULT_PORTS[parts.scheme]
    is_allowed = allowed.holds(host, port)
    if not is_allowed:
        address = _address(host)
        if host == "localhost" or host.endswith(".localhost") or (address is not None and not is_public(address)):
            raise RefusedError(f"must not name a private address; {_OPTION} can allow this host.")
        if parts.scheme == "http":
            raise RefusedError(f"must be an https URL; plain http is only for hosts that {_OPTION} allows.")
    return Target(url, host, port, is_allowed)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to a host on the public Internet.

    False for private, loopback, link-local, shared (CGNAT), multicast, reserved and documentation addresses, and for
    IPv6 addresses that stand for an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo).
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.is_multicast or ip.is_reserved or ip.is_unspecified or not ip.is_global:
        return False
    return ip.version == 4 or (ip in _UNICAST and not any(ip in tunnel for tunnel in _TUNNELS))


def _parts(url: str) -> SplitResult:
    if len(url) > LONGEST_URL:
        raise RefusedError(f"must not be longer than {LONGEST_URL} characters.")
    # URL parsers disagree about these: one may see another host than the one that is connected to.
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise RefusedError("must not contain spaces, backslashes or control characters.")
    try:
        return urlsplit(url)
    except ValueError:
        raise RefusedError("is not a valid URL.") from None


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise RefusedError("has no valid port.")
    return port


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not host or "%" in host:
        raise RefusedError("has no valid host.")
    try:
        return _known_form(host)
    except UnicodeError:
        raise RefusedError("has no valid host.") from None


def _known_form(host: str) -> str:
    """The host in lower case, without the root's dot; an address in its usual form, however it is written.

    Raises:
        UnicodeError: It is no host name.
    """
    host = host.strip("[]").lower()
    if ":" not in host:
        host = host.encode("idna").decode("ascii").lower().rstrip(".")
    return _address(host) or host


def _address(host: str) -> str | None:
    """The IP address that a host is, in its usual form; also for 2130706433, 0x7f.1 and 0177.0.0.1. None for a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _entry(text: str) -> tuple[str, int | None]:
    host, port, is_more = "", None, False
    try:
        parts = urlsplit(f"//{text}")
        host, port = _known_form(parts.hostname or ""), parts.port
        is_more = bool(parts.path or parts.query or parts.username)
    except ValueError:  # UnicodeError is one
        pass
    if not host or is_more:
        raise ConfigError(
            f"{text!r} is not a host", where=_OPTION, hint="write HOST or HOST:PORT, such as 127.0.0.1:8000"
        )
    return host, port
