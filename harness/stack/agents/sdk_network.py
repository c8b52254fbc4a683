"""What LiveKit's SDK needs of this machine before an agent can join a room with it."""

from __future__ import annotations

from harness.errors import StackError
from harness.machine.networks import NO_NETWORK, has_network


def require_network() -> None:
    """Checks that the SDK can reach the stack's LiveKit server, which it does from an IPv4 address of this machine.

    Raises:
        StackError: There is none.
    """
    if not has_network(ipv6=False):
        raise StackError(
            f"the agents cannot join a room: {NO_NETWORK}",
            hint="connect to any network with an IPv4 address (nothing is sent over it), "
            "or call an agent with `engine: light`",
        )
