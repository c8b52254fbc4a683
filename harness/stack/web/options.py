"""Which pages the stack serves, and where they listen."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from harness.process.ports import LOOPBACK
from harness.secret import Secret

PASSWORD_BYTES = 12  # 96 random bits, as 16 characters


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What `stack up` serves to browsers.

    Attributes:
        backend: The call page, and the backend route that it uses.
        web: The stack's own page.
        host: The address on which they listen; `localhost` is 127.0.0.1.
        port: Their port; 0 picks a free one.
        runs: The folder of the runs whose timelines the stack's page shows.
    """

    backend: bool = False
    web: bool = False
    host: str = LOOPBACK
    port: int = 0
    runs: Path | None = None

    @property
    def any(self) -> bool:
        """Whether there is a page at all."""
        return self.backend or self.web

    @property
    def address(self) -> str:
        """The address to bind.

        Raises:
            ValueError: `host` is neither an IP address nor `localhost`.
        """
        return LOOPBACK if self.host == "localhost" else str(ipaddress.ip_address(self.host))

    @property
    def needs_password(self) -> bool:
        """Whether other machines may reach the pages."""
        return self.any and not is_loopback(self.address)

    def url(self, port: int) -> str:
        """The URL of the pages at `port`, for people: one that leads there from other machines if they listen there."""
        address = self.address
        if ipaddress.ip_address(address).is_unspecified:
            address = _own_address() or LOOPBACK
        return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"


NO_PAGES = PageOptions()


def new_password() -> Secret:
    """A random password for the pages."""
    return Secret(secrets.token_urlsafe(PASSWORD_BYTES))


def is_loopback(address: str | None) -> bool:
    """Whether only this machine has the address."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    # As a socket for both versions of IP has the address of a peer of version 4.
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def _own_address() -> str | None:
    """An address by which other machines reach this one; None if it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # chooses a route, and sends nothing
        except OSError:
            return None
        return str(probe.getsockname()[0])
