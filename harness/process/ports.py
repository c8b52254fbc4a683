"""Free ports of 127.0.0.1."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def free_tcp_port() -> int:
    """A TCP port that was free a moment ago; another process may take it first, so callers retry."""
    return _free_port(socket.SOCK_STREAM)


def free_udp_port() -> int:
    """A UDP port that was free a moment ago; see `free_tcp_port`."""
    return _free_port(socket.SOCK_DGRAM)


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


class ClosedPort:
    """A TCP port on which connections are refused, reserved: it is bound but never listened on."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind((LOOPBACK, 0))
        self.number = int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Releases the port."""
        self._socket.close()
